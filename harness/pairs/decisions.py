"""Where order, kinds and shapes leave a choice, data decide: both sides run on the same weights and
on two inputs, and what agrees on both is the same. One input is not enough, for a permutation may
agree with it by accident.

Nothing here judges: a model with a fault departs at the fault, whatever belongs together behind it
then stays as the rules have it, and is listed as undecided.

What data may choose is what no rule knows, and what leaves the function that is computed, and how
it trains, the same under other names:

- the axes of a square parameter, if a side has no word for its layer (`PiecePair.free`): a known
  kernel the other way round stays a difference;
- the order of the rows of a kernel behind images that one side alone flattens with its channels in
  front;
- which of several layers with the very same shapes is which, if their names do not say so: no
  exchange may bring fewer namesakes together (`units.namesakes`), so that queries computed with the
  layer `key` stay a difference where the other side has these names too;
- which layer shows an activation, and in which of the customary orders of axes, if no other
  activation agrees with that layer already. What the model gives is compared as it is.

A layer that agrees is no proof where another choice would have agreed there as well: what is
exchanged without any difference up to where the passes part is undecided.
"""

from __future__ import annotations

import collections
import dataclasses
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.pairs import exchanges
from harness.pairs.exchanges import Choice, replaced
from harness.pairs.matches import DATA, OPEN, Matched, PiecePair, stepped
from harness.pairs.taps import TapPair, orders_of
from harness.pairs.units import plain

#: May read each array from the disk anew: what is asked for often is kept.
Walk = Mapping[str, NDArray[np.float64]]
#: Of what the second side's layers return on the first input, `0/<layer>`.
Shapes = Mapping[str, tuple[int, ...]]
#: Of the largest value of a layer. Kernels that are summed up in another order differ by 1e-15 of
#: it in float64; another choice of weights by all of it.
TOLERANCE = 1e-6
#: An activation that departs by so much while what is made of it agrees is another quantity.
ANOTHER = 0.01
INPUTS = 2
#: Before the names of what the model gives.
OUTPUTS = "outputs/"
#: What a later call of a layer is shown by: see `backends.survey.of_call`.
LATER = re.compile(r"/call \d+$")
#: Runs of the second side that are spent on choices.
MOST_RUNS = 60


@dataclasses.dataclass(frozen=True)
class Decided:
    """What the rules and the data say together.

    Attributes:
        matched: parameters. taps: activations. agreed: taps that agree on both inputs.
        first_open: the first activation that does not; empty where all agree.
        elsewhere: activations that both sides have at another place of what they compute: see
            `settled`.
    """

    matched: Matched
    taps: tuple[TapPair, ...]
    agreed: frozenset[str]
    first_open: str
    elsewhere: tuple[TapPair, ...] = ()


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
        unseen = set[str]()
        better = None
        for choice in _choices(matched, taps, index, walk_a) if index < len(taps) else ():
            if runs >= MOST_RUNS:
                break
            runs += 1
            tried = run_b(choice.matched)
            tried_taps = _by_values(taps, walk_a, tried)
            reached = _first_open(tried_taps, walk_a, tried)
            if reached > index:
                better = (choice.matched, tried_taps, tried)
                break
            if reached == index:
                unseen |= choice.exchanged
        if better is None:
            break
        matched, taps, walk_b = better
    agreed = frozenset(tap.name for tap in taps if agrees(tap, walk_a, walk_b))
    first_open = taps[index].name if index < len(taps) else ""
    return Decided(_marked(matched, agreed, unseen, first_open), tuple(taps), agreed, first_open)


def as_given(matched: Matched, taps: Sequence[TapPair], walk_a: Walk, walk_b: Walk) -> Decided:
    """Return what the user's map says, and what of it agrees.

    Args:
        matched, taps: the map's. walk_a, walk_b: what both sides' layers returned.
    """
    index = _first_open(taps, walk_a, walk_b)
    agreed = frozenset(tap.name for tap in taps if agrees(tap, walk_a, walk_b))
    return Decided(matched, tuple(taps), agreed, taps[index].name if index < len(taps) else "")


def settled(
    decided: Decided, walk_a: Walk, walk_b: Walk, moved: Callable[[Collection[str]], Walk | None]
) -> Decided:
    """Return the decision without the activations that are another quantity on both sides: one of
    them shows its LSTM before the dropout that is wrapped around the other's, or before a mask.

    It is no fault where something that depends on the layer's parameters agrees, in inference and
    in training; without that proof, or where a layer departs by little, it stays.

    Args:
        decided: what the rules and the data say.
        walk_a, walk_b: what both sides showed with these parameters, the last run in training.
        moved: what the first side shows with other values of some layers' parameters; None where
            they have none.
    """
    known = [tap for tap in decided.taps if _same(tap, walk_a, walk_b)]
    held = {f"{number}/{tap.a}" for tap in known for number in range(INPUTS + 1)}
    held |= _outputs(walk_a, walk_b)
    strange = [tap for tap in decided.taps if tap not in known and _another(tap, walk_a, walk_b)]

    def reached(taps: Sequence[TapPair]) -> bool:
        other = moved({tap.a for tap in taps})
        return other is not None and any(_depends(name, walk_a, other) for name in sorted(held))

    elsewhere = _each(strange, reached) if held else []
    kept = tuple(tap for tap in decided.taps if tap not in elsewhere)
    first_open = next((tap.name for tap in kept if tap.name not in decided.agreed), "")
    return dataclasses.replace(
        decided, taps=kept, elsewhere=tuple(elsewhere), first_open=first_open
    )


def _each(taps: Sequence[TapPair], reached: Callable[[Sequence[TapPair]], bool]) -> list[TapPair]:
    """Return those that something depends on. What depends on none of many depends on no one of
    them: where a whole network departs, one run says so and not one run a layer."""
    if not taps or not reached(taps):
        return []
    if len(taps) == 1:
        return [*taps]
    half = len(taps) // 2
    return _each(taps[:half], reached) + _each(taps[half:], reached)


def _same(tap: TapPair, walk_a: Walk, walk_b: Walk) -> bool:
    return agrees(tap, walk_a, walk_b, INPUTS + 1)


def _outputs(walk_a: Walk, walk_b: Walk) -> set[str]:
    """Return the names of what the model gives, of all runs, if all of it agrees in all of them."""
    mine = [name for name in sorted(walk_a) if name.startswith(OUTPUTS)]
    theirs = [name for name in sorted(walk_b) if name.startswith(OUTPUTS)]
    if len(mine) != len(theirs):
        return set()
    for name, other in zip(mine, theirs, strict=True):
        x, y = walk_a[name], walk_b[other]
        if x.shape != y.shape or not _near(x, y):
            return set()
    return set(mine)


def _depends(name: str, walk: Walk, moved: Walk) -> bool:
    x, y = walk.get(name), moved.get(name)
    return x is not None and y is not None and x.shape == y.shape and not _near(x, y)


def _another(tap: TapPair, walk_a: Walk, walk_b: Walk) -> bool:
    """Return whether an activation departs by so much that it cannot be the same quantity."""
    for number in range(INPUTS + 1):
        if f"{number}/{tap.a}" in walk_a and f"{number}/{tap.b}" in walk_b:
            x = _canonical(walk_a, number, tap.a, tap.axes_a)
            y = _canonical(walk_b, number, tap.b, tap.axes_b)
            if x.shape == y.shape and not _near(x, y, ANOTHER):
                return True
    return False


def _canonical(
    walk: Walk, number: int, layer: str, axes: Sequence[int] | None
) -> NDArray[np.float64]:
    value = np.asarray(walk[f"{number}/{layer}"])
    return value if axes is None or value.ndim != len(axes) else np.transpose(value, axes)


def agrees(tap: TapPair, walk_a: Walk, walk_b: Walk, runs: int = INPUTS) -> bool:
    """Return whether an activation is the same on every input.

    Args:
        tap: which. walk_a, walk_b: what both sides' layers returned. runs: how many are looked at.
    """
    for number in range(runs):
        if f"{number}/{tap.a}" not in walk_a or f"{number}/{tap.b}" not in walk_b:
            return False
        x = _canonical(walk_a, number, tap.a, tap.axes_a)
        y = _canonical(walk_b, number, tap.b, tap.axes_b)
        if x.shape != y.shape or not _near(x, y):
            return False
    return True


def _near(x: NDArray[np.float64], y: NDArray[np.float64], tolerance: float = TOLERANCE) -> bool:
    held, other = np.asarray(x, np.float64), np.asarray(y, np.float64)
    finite, same = np.isfinite(held), np.isfinite(other)
    # What a mask shuts out is minus infinity on both sides; what is no number is like nothing.
    if not np.array_equal(held[~finite], other[~same]) or not np.array_equal(finite, same):
        return False
    if not finite.any():
        return x.size == 0
    apart = float(np.max(np.abs(held[finite] - other[finite])))
    return apart <= tolerance * max(float(np.max(np.abs(held[finite]))), 1e-300)


def _first_open(taps: Sequence[TapPair], walk_a: Walk, walk_b: Walk) -> int:
    """Return the index of the first activation that does not agree; their number if all do."""
    for index, tap in enumerate(taps):
        if not agrees(tap, walk_a, walk_b):
            return index
    return len(taps)


def _by_values(taps: Sequence[TapPair], walk_a: Walk, walk_b: Walk) -> list[TapPair]:
    """Return the taps with those axes, or beside that layer, with which they agree, where others
    than the rules' do. A layer that one activation agrees with is no other's."""
    settled = {tap.name for tap in taps if agrees(tap, walk_a, walk_b)}
    if len(settled) == len(taps):
        return list(taps)
    taken = {tap.b for tap in taps if tap.name in settled}
    shapes = {name: value.shape for name, value in walk_b.items() if name.startswith("0/")}
    chosen = []
    for tap in taps:
        kept = tap
        if tap.name not in settled:
            options = [*_other_axes(tap, walk_a, shapes), *_other_layers(tap, walk_a, shapes)]
            fitting = (
                option
                for option in options
                if option.b not in taken and agrees(option, walk_a, walk_b)
            )
            kept = next(fitting, tap)
            if kept is not tap:
                taken.add(kept.b)
        chosen.append(kept)
    return chosen


def _customary(own: Sequence[int], wanted: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the orders of axes that frameworks have: as they are, channels last where they were
    first and the other way round, time in front of the batch."""
    rank = len(own)
    known = {tuple(range(rank)), (0, *range(2, rank), 1), (0, rank - 1, *range(1, rank - 1))}
    known.add((1, 0, *range(2, rank)))
    return [axes for axes in orders_of(own, wanted) if axes in known]


def _other_axes(tap: TapPair, walk_a: Walk, shapes: Shapes) -> Iterator[TapPair]:
    if f"0/{tap.a}" not in walk_a or f"0/{tap.b}" not in shapes:
        return
    wanted = _canonical(walk_a, 0, tap.a, tap.axes_a).shape
    for axes in _customary(shapes[f"0/{tap.b}"], wanted):
        yield dataclasses.replace(tap, axes_b=axes, how=DATA)


def _other_layers(tap: TapPair, walk_a: Walk, shapes: Shapes) -> Iterator[TapPair]:
    """Yield the tap beside any other layer of the second side: what a rule has put beside it may
    show what lies before an activation, or behind it."""
    if f"0/{tap.a}" not in walk_a:
        return
    wanted = _canonical(walk_a, 0, tap.a, tap.axes_a).shape
    for name, shape in shapes.items():
        layer = name.partition("/")[2]
        if layer != tap.b and not LATER.search(layer):
            for axes in _customary(shape, wanted):
                yield dataclasses.replace(tap, b=layer, axes_b=axes, how=DATA)


def _choices(
    matched: Matched, taps: Sequence[TapPair], index: int, walk_a: Walk
) -> Iterator[Choice]:
    """Yield other ways to lay out the parameters of the layer that departs first, and of those that
    run before it."""
    layer = taps[index].a
    here = [pair for pair in matched.pieces if pair.a.layer == layer]
    yield from _flattened(matched, here, taps, index, walk_a)
    yield from _transposed(matched, here)
    earlier, later = [tap.a for tap in taps[:index]], {tap.a for tap in taps[index + 1 :]}
    yield from exchanges.every(matched, layer, earlier, later)


def _flattened(
    matched: Matched,
    here: Sequence[PiecePair],
    taps: Sequence[TapPair],
    index: int,
    walk_a: Walk,
) -> Iterator[Choice]:
    """Yield kernels whose rows are in the order in which a side with its channels in front flattens
    images, for whichever of the two has them there."""
    for tap in reversed(taps[:index]):
        shape = _canonical(walk_a, 0, tap.a, tap.axes_a).shape
        if len(shape) < 3 or tap.axes_a == tap.axes_b:
            continue
        space, channels, rank = shape[1:-1], shape[-1], len(shape) - 2
        for pair in here:
            if len(pair.b.shape) != 2 or pair.b.shape[0] != math.prod(shape[1:]):
                continue
            out = pair.b.shape[1]
            orders = (
                ((channels, *space, out), (*range(1, rank + 1), 0, rank + 1)),
                ((*space, channels, out), (rank, *range(rank), rank + 1)),
            )
            for rows, axes in orders if tap.axes_b is not None else orders[::-1]:
                steps = (("reshape", rows), ("transpose", axes), ("reshape", tuple(pair.b.shape)))
                yield Choice(replaced(matched, {pair.name: stepped(pair.b, *steps)}))
        return


def _transposed(matched: Matched, here: Sequence[PiecePair]) -> Iterator[Choice]:
    """Yield square parameters the other way round, where no rule says which way they lie."""
    for pair in here:
        shape = tuple(pair.b.shape)
        if pair.free and len(shape) == 2 and shape[0] == shape[1]:
            step = ("transpose", (1, 0))
            yield Choice(replaced(matched, {pair.name: stepped(pair.b, step)}))


def _marked(
    matched: Matched, agreed: Collection[str], unseen: Collection[str], first_open: str
) -> Matched:
    """Return the parameters with how each was come by: what agreed is decided by data, unless an
    exchange went unseen; of what did not agree, that which could as well be another one is
    undecided."""
    bags = collections.Counter((pair.a.role, plain(tuple(pair.a.shape))) for pair in matched.pieces)
    marked = []
    for pair in matched.pieces:
        alike = bags[pair.a.role, plain(tuple(pair.a.shape))] > 1
        how = pair.how
        if pair.a.layer in agreed and pair.a.layer not in unseen:
            how = DATA
        elif first_open and alike:
            how = OPEN
        marked.append(dataclasses.replace(pair, how=how))
    return dataclasses.replace(matched, pieces=tuple(marked))
