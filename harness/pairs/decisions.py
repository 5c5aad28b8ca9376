"""Where order, kinds and shapes leave a choice, data decide: both sides run on the same weights and
on two inputs, and what agrees on both is the same. One input is not enough, for a permutation may
agree with it by accident.

Nothing here judges: a model with a fault departs at the fault, whatever belongs together behind it
then stays as the rules have it, and is listed as undecided.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from backends.survey import Piece
from harness.pairs.matching import DATA, OPEN, Matched, PiecePair, stepped
from harness.pairs.taps import TapPair, orders_of
from harness.pairs.units import plain

Walk = Mapping[str, NDArray[np.float64]]
#: Of the largest value of a layer. Kernels that are summed up in another order differ by 1e-15 of
#: it in float64; another choice of weights by all of it.
TOLERANCE = 1e-6
INPUTS = 2
#: Runs of the second side that are spent on choices.
MOST_RUNS = 60


@dataclasses.dataclass(frozen=True)
class Decided:
    """What the rules and the data say together.

    Attributes:
        matched: parameters. taps: activations. agreed: taps that agree on both inputs.
        first_open: the first activation that does not; empty where all agree.
    """

    matched: Matched
    taps: tuple[TapPair, ...]
    agreed: frozenset[str]
    first_open: str


def decide(
    matched: Matched, taps: Sequence[TapPair], walk_a: Walk, run_b: Callable[[Matched], Walk]
) -> Decided:
    """Return the choice under which the most of the forward pass agrees, from its beginning on.

    Args:
        matched, taps: what the rules say.
        walk_a: what the first side's layers returned, `<input>/<layer>`, in its own layouts.
        run_b: runs the second side with the first one's weights, matched in some way.
    """
    walk_b = run_b(matched)
    taps = _by_values(taps, walk_a, walk_b)
    runs = 1
    while True:
        index = _first_open(taps, walk_a, walk_b)
        if index == len(taps):
            break
        better = None
        for choice in _choices(matched, taps, index, walk_a):
            if runs >= MOST_RUNS:
                break
            runs += 1
            tried = run_b(choice)
            tried_taps = _by_values(taps, walk_a, tried)
            if _first_open(tried_taps, walk_a, tried) > index:
                better = (choice, tried_taps, tried)
                break
        if better is None:
            break
        matched, taps, walk_b = better
    index = _first_open(taps, walk_a, walk_b)
    agreed = frozenset(tap.name for tap in taps if agrees(tap, walk_a, walk_b))
    first_open = taps[index].name if index < len(taps) else ""
    return Decided(_marked(matched, agreed, index < len(taps)), tuple(taps), agreed, first_open)


def as_given(matched: Matched, taps: Sequence[TapPair], walk_a: Walk, walk_b: Walk) -> Decided:
    """Return what the user's map says, and what of it agrees.

    Args:
        matched, taps: the map's. walk_a, walk_b: what both sides' layers returned.
    """
    index = _first_open(taps, walk_a, walk_b)
    agreed = frozenset(tap.name for tap in taps if agrees(tap, walk_a, walk_b))
    return Decided(matched, tuple(taps), agreed, taps[index].name if index < len(taps) else "")


def _canonical(
    walk: Walk, number: int, layer: str, axes: Sequence[int] | None
) -> NDArray[np.float64]:
    value = np.asarray(walk[f"{number}/{layer}"])
    return value if axes is None or value.ndim != len(axes) else np.transpose(value, axes)


def agrees(tap: TapPair, walk_a: Walk, walk_b: Walk) -> bool:
    """Return whether an activation is the same on every input.

    Args:
        tap: which. walk_a, walk_b: what both sides' layers returned.
    """
    for number in range(INPUTS):
        if f"{number}/{tap.a}" not in walk_a or f"{number}/{tap.b}" not in walk_b:
            return False
        x = _canonical(walk_a, number, tap.a, tap.axes_a)
        y = _canonical(walk_b, number, tap.b, tap.axes_b)
        if x.shape != y.shape or not _near(x, y):
            return False
    return True


def _near(x: NDArray[np.float64], y: NDArray[np.float64]) -> bool:
    if x.size == 0:
        return True
    scale = float(np.max(np.abs(x)))
    apart = float(np.max(np.abs(x.astype(np.float64) - y.astype(np.float64))))
    return math.isfinite(apart) and apart <= TOLERANCE * max(scale, 1e-300)


def _first_open(taps: Sequence[TapPair], walk_a: Walk, walk_b: Walk) -> int:
    """Return the index of the first activation that does not agree; their number if all do."""
    for index, tap in enumerate(taps):
        if not agrees(tap, walk_a, walk_b):
            return index
    return len(taps)


def _by_values(taps: Sequence[TapPair], walk_a: Walk, walk_b: Walk) -> list[TapPair]:
    """Return the taps with those axes, or beside that layer, with which they agree, where others
    than the rules' do."""
    chosen = []
    for tap in taps:
        options = [tap, *_other_axes(tap, walk_a, walk_b), *_other_layers(tap, walk_a, walk_b)]
        fitting = (option for option in options if agrees(option, walk_a, walk_b))
        chosen.append(next(fitting, tap))
    return chosen


def _other_axes(tap: TapPair, walk_a: Walk, walk_b: Walk) -> Iterator[TapPair]:
    if f"0/{tap.a}" not in walk_a or f"0/{tap.b}" not in walk_b:
        return
    wanted = _canonical(walk_a, 0, tap.a, tap.axes_a).shape
    for axes in orders_of(walk_b[f"0/{tap.b}"].shape, wanted):
        yield dataclasses.replace(tap, axes_b=axes, how=DATA)


def _other_layers(tap: TapPair, walk_a: Walk, walk_b: Walk) -> Iterator[TapPair]:
    """Yield the tap beside any other layer of the second side: what a rule has put beside it may
    show what lies before an activation, or behind it."""
    if f"0/{tap.a}" not in walk_a:
        return
    wanted = _canonical(walk_a, 0, tap.a, tap.axes_a).shape
    for name in walk_b:
        number, _, layer = name.partition("/")
        if number == "0" and layer != tap.b:
            for axes in orders_of(walk_b[name].shape, wanted):
                yield dataclasses.replace(tap, b=layer, axes_b=axes, how=DATA)


def _choices(
    matched: Matched, taps: Sequence[TapPair], index: int, walk_a: Walk
) -> Iterator[Matched]:
    """Yield other ways to lay out the parameters of the layer that departs first."""
    layer = taps[index].a
    here = [pair for pair in matched.pieces if pair.a.layer == layer]
    yield from _flattened(matched, here, taps, index, walk_a)
    yield from _transposed(matched, here)
    yield from _swapped(matched, here)


def _replaced(matched: Matched, changed: Mapping[str, Piece]) -> Matched:
    pieces = tuple(
        dataclasses.replace(pair, b=changed[pair.name], how=DATA) if pair.name in changed else pair
        for pair in matched.pieces
    )
    return dataclasses.replace(matched, pieces=pieces)


def _flattened(
    matched: Matched,
    here: Sequence[PiecePair],
    taps: Sequence[TapPair],
    index: int,
    walk_a: Walk,
) -> Iterator[Matched]:
    """Yield kernels whose rows are in the order in which a side with its channels in front flattens
    images."""
    for tap in reversed(taps[:index]):
        shape = _canonical(walk_a, 0, tap.a, tap.axes_a).shape
        if len(shape) < 3 or tap.axes_b is None:
            continue
        space, channels = shape[1:-1], shape[-1]
        for pair in here:
            if len(pair.b.shape) == 2 and pair.b.shape[0] == math.prod(shape[1:]):
                rank = len(space)
                steps = (
                    ("reshape", (channels, *space, pair.b.shape[1])),
                    ("transpose", (*range(1, rank + 1), 0, rank + 1)),
                    ("reshape", tuple(pair.b.shape)),
                )
                yield _replaced(matched, {pair.name: stepped(pair.b, *steps)})
        return


def _transposed(matched: Matched, here: Sequence[PiecePair]) -> Iterator[Matched]:
    """Yield square kernels the other way round, where no rule says which way they lie."""
    for pair in here:
        shape = tuple(pair.b.shape)
        if len(shape) == 2 and shape[0] == shape[1] and pair.b.role not in ("kernel", "embeddings"):
            yield _replaced(matched, {pair.name: stepped(pair.b, ("transpose", (1, 0)))})


def _swapped(matched: Matched, here: Sequence[PiecePair]) -> Iterator[Matched]:
    """Yield the layer's parameters exchanged with another layer's of the very same shapes."""
    shapes = {pair.a.role: tuple(pair.b.shape) for pair in here}
    layers = dict.fromkeys(pair.a.layer for pair in matched.pieces)
    for other in layers:
        theirs = [pair for pair in matched.pieces if pair.a.layer == other]
        same = {pair.a.role: tuple(pair.b.shape) for pair in theirs} == shapes
        if not same or not here or other == here[0].a.layer:
            continue
        by_role = {pair.a.role: pair for pair in theirs}
        changed = {pair.name: by_role[pair.a.role].b for pair in here}
        changed.update({by_role[pair.a.role].name: pair.b for pair in here})
        yield _replaced(matched, changed)


def _marked(matched: Matched, agreed: frozenset[str], some_open: bool) -> Matched:
    """Return the parameters with how each was come by: what agreed is decided by data; of what did
    not, that which could as well be another one is undecided."""
    bags: dict[tuple[object, ...], int] = {}
    for pair in matched.pieces:
        key = (pair.a.role, plain(tuple(pair.a.shape)))
        bags[key] = bags.get(key, 0) + 1
    marked = []
    for pair in matched.pieces:
        alike = bags[pair.a.role, plain(tuple(pair.a.shape))] > 1
        how = pair.how
        if pair.a.layer in agreed:
            how = DATA
        elif some_open and alike:
            how = OPEN
        marked.append(dataclasses.replace(pair, how=how))
    return dataclasses.replace(matched, pieces=tuple(marked))
