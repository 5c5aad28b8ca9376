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
from collections.abc import Callable, Collection, Iterator, Sequence

from harness.pairs import exchanges
from harness.pairs.agreement import INPUTS, Beside, Walk, agrees, first_open, laid_out, near
from harness.pairs.exchanges import Choice, replaced
from harness.pairs.granularity import stepped
from harness.pairs.matches import DATA, OPEN, Matched, PiecePair
from harness.pairs.taps import TapPair
from harness.pairs.units import plain

#: An activation that departs by so much while what is made of it agrees is another quantity.
ANOTHER = 0.01
#: Before the names of what the model gives.
OUTPUTS = "outputs/"
#: Runs of a side that are spent on choices.
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
    matched: Matched,
    taps: Sequence[TapPair],
    walk_a: Walk,
    run_b: Callable[[Matched], Walk],
    order: Sequence[str] = (),
) -> Decided:
    """Return the choice under which the most of the forward pass agrees, from its beginning on.

    Args:
        matched, taps: what the rules say.
        walk_a: what the first side's layers returned, `<input>/<layer>`, in its own layouts.
        run_b: runs the second side with the first one's weights, matched in some way.
        order: of the first side's layers, as they run.
    """
    beside = Beside(taps, walk_a, run_b(matched))
    runs = 1
    while True:
        index = beside.first_open()
        unseen = set[str]()
        better = None
        choices = _choices(matched, beside.taps(), index, walk_a, order)
        for choice in choices if beside.parting() else ():
            if runs >= MOST_RUNS:
                break
            runs += 1
            tried = Beside(beside.taps(), walk_a, run_b(choice.matched))
            reached = tried.first_open()
            if reached > index:
                better = (choice.matched, tried)
                break
            if reached == index:
                unseen |= choice.exchanged
        if better is None:
            break
        matched, beside = better
    agreed, first_open = beside.agreed(), beside.parting()
    return Decided(
        _marked(matched, agreed, unseen, first_open), tuple(beside.taps()), agreed, first_open
    )


def as_given(matched: Matched, taps: Sequence[TapPair], walk_a: Walk, walk_b: Walk) -> Decided:
    """Return what the user's map says, and what of it agrees.

    Args:
        matched, taps: the map's. walk_a, walk_b: what both sides' layers returned.
    """
    index = first_open(taps, walk_a, walk_b)
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

    runs = iter(range(MOST_RUNS))

    def reached(taps: Sequence[TapPair]) -> bool:
        if next(runs, None) is None:
            return False  # what is not proved stays, and is compared
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
        if x.shape != y.shape or not near(x, y):
            return set()
    return set(mine)


def _depends(name: str, walk: Walk, moved: Walk) -> bool:
    x, y = walk.get(name), moved.get(name)
    return x is not None and y is not None and x.shape == y.shape and not near(x, y)


def _another(tap: TapPair, walk_a: Walk, walk_b: Walk) -> bool:
    """Return whether an activation departs by so much that it cannot be the same quantity."""
    for number in range(INPUTS + 1):
        if f"{number}/{tap.a}" in walk_a and f"{number}/{tap.b}" in walk_b:
            x = laid_out(walk_a, number, tap.a, tap.axes_a)
            y = laid_out(walk_b, number, tap.b, tap.axes_b)
            if x.shape == y.shape and not near(x, y, ANOTHER):
                return True
    return False


def _behind(layer: str, order: Sequence[str]) -> set[str]:
    """Return the layers that run behind one: what it shows does not depend on them. One that holds
    it may have parameters of its own that are used before, and may use those of what it holds."""
    if layer not in order:
        return set()
    return {
        name
        for name in order[order.index(layer) + 1 :]
        if not layer.startswith((f"{name}/", f"{name}."))
        and not name.startswith((f"{layer}/", f"{layer}."))
    }


def _choices(
    matched: Matched,
    taps: Sequence[TapPair],
    index: int,
    walk_a: Walk,
    order: Sequence[str],
) -> Iterator[Choice]:
    """Yield other ways to lay out the parameters of the layer that departs first, and of those that
    run before it."""
    layer = taps[index].a
    here = [pair for pair in matched.pieces if pair.a.layer == layer]
    yield from _flattened(matched, here, taps, index, walk_a)
    yield from _transposed(matched, here)
    earlier, later = [tap.a for tap in taps[:index]], {tap.a for tap in taps[index + 1 :]}
    later |= _behind(layer, order) - {*earlier}
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
        shape = laid_out(walk_a, 0, tap.a, tap.axes_a).shape
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
