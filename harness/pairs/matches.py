"""Which parameters of one side are which of the other's: by the order in which layers run, their
kind and their shapes. What follows from rules alone is so marked; `decisions` lets data decide.

What must stay a difference: a layer that both frameworks have a word for has its axes in a known
order, so that its kernel of another shape is no kernel the other way round; a parameter that such a
layer lacks is missing, whatever else has its shape; and of layers that are alike but for their
names, those with the same name belong together, in whichever order they run: a port that computes
its queries with the layer `key` is another model than the one whose names it has taken over.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence

from backends.survey import Piece, Survey
from harness.pairs import granularity
from harness.pairs.alignment import align
from harness.pairs.granularity import stepped
from harness.pairs.units import EXACT, Unit, fit, likeness, namesakes, plain, spelled, units

#: How a pair was come by.
ORDER, DATA, USER, OPEN = "order", "data", "user", "undecided"
#: Kinds of layers of which no rule says in which order the axes of their parameters are.
RAW = ("other", "container")


@dataclasses.dataclass(frozen=True)
class PiecePair:
    """One canonical parameter.

    Attributes:
        name: canonical: the first side's own name. a, b: the pieces of both sides.
        how: one of the words above.
        part: steps from the first side's own piece to this one, where it is cut in parts.
        free: no rule says how the axes of the one are those of the other.
    """

    name: str
    a: Piece
    b: Piece
    how: str = ORDER
    part: tuple[tuple[object, ...], ...] = ()
    free: bool = False


@dataclasses.dataclass(frozen=True)
class Matched:
    """Which part of one side is which of the other's.

    Attributes:
        pieces: canonical parameters. units: layers that own parameters, as (a's, b's) paths.
        only_a, only_b: pieces that only one side has.
        shown: an attention that is one layer and the last of the layers that the other side has in
            its place: both show what it gives.
    """

    pieces: tuple[PiecePair, ...]
    units: tuple[tuple[str, str], ...]
    only_a: tuple[Piece, ...]
    only_b: tuple[Piece, ...]
    shown: tuple[tuple[str, str], ...] = ()


def by_rule(a: Survey, b: Survey) -> Matched:
    """Return what order, kinds and shapes say.

    Args:
        a, b: what the adapters have found out about both sides.
    """
    whole_a, whole_b = granularity.levelled(units(a), units(b))
    left, right = granularity.cut(whole_a, whole_b), granularity.cut(whole_b, whole_a)
    pairs = [(left[i], right[j]) for i, j in align(left, right, fit)]
    pairs += _across(pairs, left, right)
    matched = [(x, y, [*_pieces(x, y)]) for x, y in _renamed(pairs)]
    pieces = [pair for _, _, own in matched for pair in own]
    rest = [_rest(whole, pieces, side) for whole, side in ((whole_a, "a"), (whole_b, "b"))]
    pieces += _scattered(*rest)
    used_a = {source for pair in pieces for source in pair.a.sources}
    used_b = {source for pair in pieces for source in pair.b.sources}
    return Matched(
        tuple(pieces),
        tuple((x.layer, y.layer) for x, y, own in matched if own and x.whole and y.whole),
        tuple(piece for piece in a.pieces if not used_a & {*piece.sources}),
        tuple(piece for piece in b.pieces if not used_b & {*piece.sources}),
        tuple(
            (x.shown or x.layer, y.shown or y.layer)
            for x, y, own in matched
            if own and (x.shown or y.shown)
        ),
    )


def _left(every: Sequence[Unit], used: Iterable[Unit]) -> list[Unit]:
    taken = {(unit.layer, unit.floor, unit.part) for unit in used}
    return [unit for unit in every if (unit.layer, unit.floor, unit.part) not in taken]


def _across(
    pairs: Sequence[tuple[Unit, Unit]], left: Sequence[Unit], right: Sequence[Unit]
) -> Iterable[tuple[Unit, Unit]]:
    """Yield further pairs of what the alignment left over: layers that run in another order."""
    free_a, free_b = _left(left, [x for x, _ in pairs]), _left(right, [y for _, y in pairs])
    scored = sorted(
        ((fit(x, y), i, j) for i, x in enumerate(free_a) for j, y in enumerate(free_b)),
        key=lambda item: (-item[0], item[1], item[2]),
    )
    taken_a, taken_b = set[int](), set[int]()
    for score, i, j in scored:
        if score >= EXACT and i not in taken_a and j not in taken_b:
            taken_a.add(i)
            taken_b.add(j)
            yield free_a[i], free_b[j]


def _rest(every: Sequence[Unit], pairs: Sequence[PiecePair], side: str) -> list[tuple[Unit, Piece]]:
    """Return what is left over of one side: of layers without a rule each piece, of others those
    of whole layers: what a known layer lacks is missing."""
    used = {source for pair in pairs for source in getattr(pair, side).sources}
    rest = []
    for unit in every:
        free = [piece for piece in unit.pieces.values() if not used & {*piece.sources}]
        if unit.kind in RAW or len(free) == len(unit.pieces):
            rest += [(unit, piece) for piece in free]
    return rest


def _scattered(
    left: Sequence[tuple[Unit, Piece]], right: Sequence[tuple[Unit, Piece]]
) -> Iterable[PiecePair]:
    """Yield pairs of pieces that one side keeps in a layer without a rule, and the other in layers
    of their own, as Hugging Face's embeddings for TensorFlow beside those for PyTorch: of one
    shape, but for axes of length 1, those whose names are alike first."""
    scored = sorted(
        (-likeness(piece.name, other.name), i, j)
        for i, (unit, piece) in enumerate(left)
        for j, (beside, other) in enumerate(right)
        if (unit.kind in RAW or beside.kind in RAW) and _flat(piece.shape) == _flat(other.shape)
    )
    taken_a, taken_b = set[int](), set[int]()
    for _, i, j in scored:
        if i not in taken_a and j not in taken_b:
            taken_a.add(i)
            taken_b.add(j)
            piece, other = left[i][1], right[j][1]
            yield PiecePair(piece.name, piece, shaped(other, piece.shape, free=False), free=True)


def _flat(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _renamed(pairs: Sequence[tuple[Unit, Unit]]) -> list[tuple[Unit, Unit]]:
    """Return the pairs, the second units of those that are alike exchanged as long as that brings
    more namesakes together."""
    changed = list(pairs)
    while True:
        gains = [
            (*gain, i - j, i, j)
            for j, y in enumerate(changed)
            for i, x in enumerate(changed[:j])
            if (gain := _gain(x, y))[0] > 0 and _share_names(x, y, changed)
        ]
        if not gains:
            return changed
        *_, i, j = max(gains)
        (x, y), (u, v) = changed[i], changed[j]
        changed[i], changed[j] = (x, v), (u, y)


def _gain(first: tuple[Unit, Unit], second: tuple[Unit, Unit]) -> tuple[float, float]:
    """Return how much more alike names are, words alone and with numbers, if two pairs of units
    exchange their second ones; 0 where they may not."""
    (x, y), (u, v) = first, second
    if x.kind != u.kind or y.kind != v.kind or x.shapes != u.shapes or y.shapes != v.shapes:
        return 0.0, 0.0
    words, numbers = (
        alike(x.layer, v.layer)
        + alike(u.layer, y.layer)
        - alike(x.layer, y.layer)
        - alike(u.layer, v.layer)
        for alike in (namesakes, likeness)
    )
    return round(words, 9), round(numbers, 9)


def _share_names(
    first: tuple[Unit, Unit], second: tuple[Unit, Unit], pairs: Sequence[tuple[Unit, Unit]]
) -> bool:
    """Return whether two have one name, or both sides tell these layers apart by words that both
    have.

    A word that one layer alone has in common with the other side says nothing: of an
    `attention_norm` and a `feedforward_norm` the first is no `post_attention_norm` beside an
    `input_norm`, which it would be by the one word.
    """
    (x, y), (u, v) = first, second
    if 1.0 in (namesakes(x.layer, v.layer), namesakes(u.layer, y.layer)):
        return True  # of one name, whatever the others are called
    alike = [(a, b) for a, b in pairs if a.shapes == x.shapes and b.shapes == y.shapes]
    left = {word for a, _ in alike for word in spelled(a.layer)}
    right = {word for _, b in alike for word in spelled(b.layer)}
    for unit, other, words in ((x, u, right), (u, x, right), (y, v, left), (v, y, left)):
        own = spelled(unit.layer) - spelled(other.layer)
        if own and not own & words:
            return False
    return True


def _pieces(a: Unit, b: Unit) -> Iterable[PiecePair]:
    """Yield the pieces of two units that belong together: by role, then by shape, unless both are
    of one kind that has roles, and one of them lacks something."""
    taken = set[str]()
    rest = []
    free = a.kind != b.kind or a.kind in RAW
    for role, piece in a.pieces.items():
        if role in b.pieces:
            taken.add(role)
            other = shaped(b.pieces[role], piece.shape, free)
            yield _pair(a, piece, other, free)
        else:
            rest.append(piece)
    if not free and a.bag != b.bag:
        return
    for piece in rest:
        fits = [
            role
            for role, other in b.pieces.items()
            if role not in taken and plain(other.shape) == plain(piece.shape)
        ]
        if fits:
            taken.add(fits[0])
            other = shaped(b.pieces[fits[0]], piece.shape, free)
            yield _pair(a, piece, other, free)


def _pair(a: Unit, piece: Piece, other: Piece, free: bool) -> PiecePair:
    """Return the pair of two pieces; a part of a fused one of the first side has its number."""
    if a.part is None:
        return PiecePair(piece.name, piece, other, free=free)
    return PiecePair(f"{piece.name}/{a.part}", piece, other, part=piece.steps[-1:], free=free)


def shaped(piece: Piece, shape: tuple[int, ...], free: bool) -> Piece:
    """Return a piece with the steps that give it another shape, where nothing but axes of length 1
    and, if it is free, a transpose is between them; else as it is: a parameter of another shape is
    a difference.

    Args:
        piece: of the second side. shape: of the first side's. free: as of `PiecePair`.
    """
    own, wanted = tuple(piece.shape), tuple(shape)
    if own == wanted or plain(own) != plain(wanted) or (len(own) == len(wanted) and not free):
        return piece
    if _flat(own) == _flat(wanted):
        return stepped(piece, ("reshape", wanted))
    if len(own) == len(wanted):
        for axes in itertools.permutations(range(len(own))):
            if tuple(own[axis] for axis in axes) == wanted:
                return stepped(piece, ("transpose", axes))
    return piece
