"""Both sides' units in one granularity: an attention that is one layer beside the layers that it is
made of elsewhere, a fused kernel beside several."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from backends.survey import Piece
from harness.pairs import units
from harness.pairs.alignment import align
from harness.pairs.units import Unit

#: An attention that is one layer, and the layers that it is made of where it is none.
ATTENTION, PROJECTIONS = "attention", ("query", "key", "value", "output")


def levelled(a: Sequence[Unit], b: Sequence[Unit]) -> tuple[list[Unit], list[Unit]]:
    """Return both sides' units, every attention that is one layer as the dense layers that it is
    made of, where the other side has such layers in its place.

    Which of several attentions is beside which follows from an alignment in which all of them are
    taken apart.

    Args:
        a, b: of both sides.
    """
    whole_a, whole_b = _attentions(a), _attentions(b)
    if not whole_a or not whole_b:
        return apart(a, whole_a), apart(b, whole_b)
    if [unit.kind for unit in a] == [unit.kind for unit in b]:
        return [*a], [*b]
    left, right = apart(a, whole_a), apart(b, whole_b)
    left, right = cut(left, right), cut(right, left)
    pairs = [(left[i], right[j]) for i, j in align(left, right, units.fit)]
    pairs = [(x, y) for x, y in pairs if units.fit(x, y) >= units.SHAPES]
    turned = [(y, x) for x, y in pairs]
    return apart(a, _beside_layers(whole_a, whole_b, pairs)), apart(
        b, _beside_layers(whole_b, whole_a, turned)
    )


def _attentions(every: Sequence[Unit]) -> list[Unit]:
    return [unit for unit in every if unit.kind == ATTENTION and all(_parts(unit).values())]


def _parts(unit: Unit) -> dict[str, dict[str, Piece]]:
    return {word: units.part(unit.pieces, f"{word}/") for word in PROJECTIONS}


def _held(unit: Unit) -> set[str]:
    """Return the names of the pieces of a unit."""
    return {piece.name for piece in unit.pieces.values()}


def _beside_layers(
    own: Sequence[Unit], others: Sequence[Unit], pairs: Sequence[tuple[Unit, Unit]]
) -> list[Unit]:
    """Return those of one side's attentions of which each part is beside a layer that is part of
    none of the other side's.

    Args:
        own, others: attentions of both sides. pairs: of units, all attentions being taken apart.
    """
    inside = set[str]().union(*map(_held, others))
    dissolved = []
    for attention in own:
        beside = [y for x, y in pairs if _held(x) <= _held(attention)]
        if len(beside) == len(PROJECTIONS) and not any(_held(y) & inside for y in beside):
            dissolved.append(attention)
    return dissolved


def apart(own: Sequence[Unit], whole: Sequence[Unit]) -> list[Unit]:
    """Return one side's units, some attentions as the dense layers that they are made of.

    Args:
        own: of the side. whole: those of them that are to be taken apart.
    """
    listed: list[Unit] = []
    for unit in own:
        if unit not in whole:
            listed.append(unit)
            continue
        parts = _parts(unit)
        for word, pieces in parts.items():
            shown = unit.layer if word == PROJECTIONS[-1] else ""
            listed.append(Unit(f"{unit.layer}/{word}", "dense", pieces, shown=shown))
        held = [piece for pieces in parts.values() for piece in pieces.values()]
        rest = {role: piece for role, piece in unit.pieces.items() if piece not in held}
        listed += [dataclasses.replace(unit, pieces=rest)] if rest else []
    return listed


def cut(own: Sequence[Unit], others: Sequence[Unit]) -> list[Unit]:
    """Return one side's units, each that several in a row of the other side's are fused in cut into
    so many: q, k and v."""
    bags = [unit.bag for unit in others]
    listed: list[Unit] = []
    for unit in own:
        count = 1 if unit.bag in bags else _count(unit, others)
        for index in range(count) if count > 1 else ():
            parts = {role: _part(piece, index, count) for role, piece in unit.pieces.items()}
            listed.append(dataclasses.replace(unit, pieces=parts, part=index))
        if count == 1:
            listed.append(unit)
    return listed


def _count(fused: Unit, units: Sequence[Unit]) -> int:
    """Return how many units that are alike, in a row, a fused one may be made of; 1 if none are."""
    for count in (3, 2, 4):
        for start in range(len(units) - count + 1):
            first, *rest = units[start : start + count]
            wide = {role: (*shape[:-1], shape[-1] * count) for role, shape in first.shapes.items()}
            if wide == fused.shapes and all(unit.shapes == first.shapes for unit in rest):
                return count
    return 1


def _part(piece: Piece, index: int, count: int) -> Piece:
    axis = len(piece.shape) - 1
    width = piece.shape[axis] // count
    return stepped(piece, ("slice", axis, index * width, (index + 1) * width))


def stepped(piece: Piece, *steps: tuple[object, ...]) -> Piece:
    """Return a piece after further steps.

    Args:
        piece: the piece. steps: as `backends.adapter.pieces` has them.
    """
    shape = tuple(piece.shape)
    for step in steps:
        shape = _shape_after(shape, step)
    return dataclasses.replace(piece, shape=shape, steps=(*piece.steps, *steps))


def _shape_after(shape: tuple[int, ...], step: tuple[object, ...]) -> tuple[int, ...]:
    word, *rest = step
    if word == "transpose":
        axes: Sequence[int] = rest[0]  # type: ignore[assignment]
        return tuple(shape[axis] for axis in axes)
    if word == "reshape":
        return tuple(rest[0])  # type: ignore[arg-type]
    if word == "slice":
        axis, start, stop = (int(str(item)) for item in rest)
        return tuple(stop - start if i == axis else size for i, size in enumerate(shape))
    return shape
