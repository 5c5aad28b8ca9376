"""Tensors that are mathematically zero: a bias before batch-norm has no gradient, an attention
key's bias neither. Pure.

What a framework gives for such a tensor is rounding alone. That is earned by two things together:
it is no larger than what its own rounding moves it by, on both sides, and it is small beside the
others of its kind. Noise is another one whenever anything upstream moves by a unit: every variation
that reaches a tensor moves it by all of its size. A tensor that stands on an edge or a tie is moved
so by those variations that cross it, and by its own rounding alone by the others, however small it
is beside a larger one. Behind an optimizer that divides a gradient by its own size (Adam), an
update of noise is as large as any: there the gradient has to be zero.
"""

from __future__ import annotations

import math

from backends.contract import Stage
from harness.fidelity import noise
from harness.fidelity.evidence import Evidence, TensorEntry
from harness.fidelity.variations import early, group, is_exact, is_update, largest, size, split

#: Each of these moves whatever depends on weights; what is noise, it makes another noise.
REDRAWING = ("ulp", "weights")
#: What has so many units of roundoff of the largest beside it is rounding, also where one of the
#: few runs did not happen to move it: of a single number, noise is the same again now and then.
RESIDUE_UNITS = 64.0
#: Beside the median of the forward pass, what has so many units of roundoff is nothing: what is
#: wide there, a filler of a mask, says nothing of the others.
FORWARD_UNITS = 2.0**12
#: What a forward pass is for, which is never left out.
PRODUCT = "generate"


def null_tensors(a: Evidence, b: Evidence, stage: Stage, precision: str = "fp64") -> frozenset[str]:
    """Return the names of a stage that are mathematically zero, by two records in one precision;
    reads no values.

    Args:
        a, b: both sides; only what both have is named. stage: of the ladder.
        precision: of both records.
    """
    others = {entry.name: entry for entry in b.entries(stage)}
    common = [(entry, others[entry.name]) for entry in a.entries(stage) if entry.name in others]
    beside = largest(common)
    redrawing = {side: _redrawing(evidence, stage) for side, evidence in (("a", a), ("b", b))}
    dead = _dead(a, b, precision) if stage in (Stage.UPDATE, Stage.TRAJECTORY) else frozenset()
    null = set()
    for entry, other in common:
        whole = beside.get(group(stage, entry.name), 0.0)
        larger = max(size(entry), size(other))
        if larger <= RESIDUE_UNITS * noise.UNIT_ROUNDOFF[precision] * whole:
            moved = [noise.movement(side, stage, entry.name) for side in (a, b)]
        else:
            moved = [
                _least(side, stage, entry.name, redrawing[label])
                for label, side in (("a", a), ("b", b))
            ]
        if entry.name == PRODUCT or not is_noise(entry, other, *moved):
            continue
        if stage == Stage.FORWARD:
            near = FORWARD_UNITS * noise.UNIT_ROUNDOFF[precision]
        else:
            near = noise.halfway(precision)
        is_dead = is_update(entry) and split(entry.name)[1].partition("parameter/")[2] in dead
        if larger <= near * whole or is_dead:
            null.add(entry.name)
    return frozenset(null)


def _redrawing(side: Evidence, stage: Stage) -> tuple[str, ...]:
    """Return the kinds that move anything at all of a stage: weights that are all zero are moved by
    none of their own units, and an older record lacks a kind."""
    names = [entry.name for entry in side.entries(stage)]

    def moves_any(kind: str) -> bool:
        return any(noise.movement(side, stage, name, (kind,)) > 0.0 for name in names)

    return tuple(kind for kind in REDRAWING if moves_any(kind))


def _least(side: Evidence, stage: Stage, name: str, kinds: tuple[str, ...]) -> float:
    """Return the smallest of the movements that all kinds of variation make of a tensor of one
    side."""
    return min((noise.movement(side, stage, name, (kind,)) for kind in kinds), default=0.0)


def _dead(a: Evidence, b: Evidence, precision: str) -> frozenset[str]:
    """Return the parameters whose gradient is mathematically zero in every phase that has one."""
    zero = null_tensors(a, b, Stage.GRADIENTS, precision)
    names = [entry.name for entry in a.entries(Stage.GRADIENTS)]
    living = [name for name in names if name not in zero]
    return frozenset().union(*map(_parameters, zero)).difference(*map(_parameters, living))


def _parameters(name: str) -> frozenset[str]:
    """Return what a gradient's parameter may be called: phases have slashes in their names, too."""
    parts = name.split("/")
    return frozenset("/".join(parts[start:]) for start in range(1, len(parts)))


def is_noise(a: TensorEntry, b: TensorEntry, moved_a: float, moved_b: float) -> bool:
    """Whether a tensor is no larger on both sides than what its own rounding moves it by; noise
    that is not finite says nothing."""
    if a.stage == Stage.WEIGHTS or is_exact(a) or not math.isfinite(moved_a + moved_b):
        return False
    if not early(a.stage, a.name) and not is_update(a):
        return False  # a loss that rounding has outgrown is beyond the horizon
    if a.stage in (Stage.FORWARD, Stage.LOSS) and moved_a == moved_b == 0.0:
        return False  # a zero on both sides, and nothing that moves it: agreement
    factor = noise.coverage(a.stage)
    return size(a) <= factor * moved_a and size(b) <= factor * moved_b
