"""Which layers with the very same shapes may have changed places: the choices among which
`decisions` lets data decide. An exchange that brings fewer namesakes together is none of them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence

from backends.survey import Piece
from harness.pairs.granularity import PROJECTIONS
from harness.pairs.matches import DATA, Matched, PiecePair
from harness.pairs.units import namesakes

#: Of layers that are alike, so many of those nearest to where the passes part are tried in every
#: order (queries, keys and values); so many more two by two.
ALL_ORDERS, TWO_BY_TWO = 3, 8
#: Shares of words are sums of fractions.
ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True)
class Choice:
    """Another way to lay out parameters. `exchanged`: the first side's layers that have changed
    places."""

    matched: Matched
    exchanged: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class Slot:
    """The parameters of a layer, or of a part of one, beside those of another. `names`: of both, as
    far as they say which is which. `pieces`: by role on the first side."""

    a: str
    b: str
    names: tuple[str, str]
    pieces: Mapping[str, PiecePair]

    @property
    def shape(self) -> tuple[object, ...]:
        """What has to be the same for an exchange."""
        return tuple(
            sorted((role, tuple(pair.b.shape), pair.free) for role, pair in self.pieces.items())
        )

    @property
    def is_part(self) -> bool:
        """Whether it is a part of a layer of the first side's."""
        return self.names[0] != self.a


def replaced(matched: Matched, changed: Mapping[str, Piece]) -> Matched:
    """Return the parameters with others of the second side, decided by data.

    Args:
        matched: what there is. changed: the second side's pieces by canonical name.
    """
    pieces = tuple(
        dataclasses.replace(pair, b=changed[pair.name], how=DATA) if pair.name in changed else pair
        for pair in matched.pieces
    )
    return dataclasses.replace(matched, pieces=pieces)


def every(
    matched: Matched, layer: str, earlier: Sequence[str], later: Collection[str]
) -> Iterator[Choice]:
    """Yield the exchanges that may explain where the forward passes part: of the layer there with
    any other, then of layers that run before it, the nearest first.

    Args:
        matched: what there is. layer: of the first side, at which they part.
        earlier: its layers that agree, in order. later: those behind, of which nothing is known.
    """
    slots = _slots(matched)
    place = {name: number for number, name in enumerate(earlier)}
    for slot in slots:
        others = [other for other in slots if other.shape == slot.shape and other.a != layer]
        for other in others if slot.a == layer else ():
            yield from _exchange(matched, (slot, other), (1, 0))
    # Of an attention that is one layer, its own queries, keys and values are before what it shows.
    place[layer] = len(place)
    before = [slot for slot in slots if slot.is_part or slot.a != layer]
    before = [slot for slot in before if slot.a not in later]
    before.sort(key=lambda slot: -place.get(slot.a, -1))
    groups: dict[tuple[object, ...], list[Slot]] = {}
    for slot in before:
        groups.setdefault(slot.shape, []).append(slot)
    for group in groups.values():
        nearest = group[:ALL_ORDERS]
        for order in itertools.permutations(range(len(nearest))):
            yield from _exchange(matched, nearest, order)
    for group in groups.values():
        for i, j in itertools.combinations(range(min(len(group), TWO_BY_TWO)), 2):
            if j >= ALL_ORDERS:
                yield from _exchange(matched, (group[i], group[j]), (1, 0))


def _slots(matched: Matched) -> list[Slot]:
    held: dict[tuple[str, str], dict[str, PiecePair]] = {}
    for pair in matched.pieces:
        names, role = (pair.a.layer, pair.b.layer), pair.a.role
        parts = _part(pair.a), _part(pair.b)
        if parts[0] != parts[1]:
            names, role = (names[0] + parts[0], names[1] + parts[1]), role.rpartition("/")[2]
        held.setdefault(names, {})[role] = pair
    slots = []
    for names, pieces in held.items():
        pair = next(iter(pieces.values()))
        slots.append(Slot(pair.a.layer, pair.b.layer, names, pieces))
    return slots


def _part(piece: Piece) -> str:
    """Return which part of an attention it belongs to, as the end of a path; empty if of none."""
    part = piece.role.rpartition("/")[0]
    return f"/{part}" if part in PROJECTIONS else ""


def _exchange(matched: Matched, slots: Sequence[Slot], order: Sequence[int]) -> Iterator[Choice]:
    """Yield the parameters with the second side's of some slots in another order, unless names say
    that this is wrong, or nothing moves."""
    moved = [
        (slot, slots[index])
        for place, (slot, index) in enumerate(zip(slots, order, strict=True))
        if index != place
    ]
    now = sum(namesakes(*slot.names) for slot, _ in moved)
    then = sum(namesakes(slot.names[0], other.names[1]) for slot, other in moved)
    if not moved or then < now - ROUNDING:
        return
    changed: dict[str, Piece] = {}
    for slot, other in moved:
        changed.update({pair.name: other.pieces[role].b for role, pair in slot.pieces.items()})
    beside = {(slot.a, slot.b): (slot.a, other.b) for slot, other in moved}
    units = tuple(beside.get(unit, unit) for unit in matched.units)
    new = dataclasses.replace(replaced(matched, changed), units=units)
    yield Choice(new, frozenset(slot.a for slot, _ in moved))
