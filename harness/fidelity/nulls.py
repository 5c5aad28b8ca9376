"""Tensors that are mathematically zero: a bias before batch-norm has no gradient, an attention key's bias neither. Pure.

What a framework gives for such a tensor is rounding alone. That is earned by two things together: it is no larger than what its own
rounding moves it by, on both sides, and it is small beside the others of its kind. A tensor that a variation moves by all of its size
because it stands on an edge is not small. Behind an optimizer that divides a gradient by its own size (Adam), an update of noise is as
large as any: there the gradient has to be zero.
"""

from __future__ import annotations

import math

from harness.fidelity import noise
from harness.fidelity.evidence import Entry, Evidence
from harness.fidelity.variations import group, is_exact, is_update, largest, size, split


def null_tensors(a: Evidence, b: Evidence, stage: str, precision: str = "fp64") -> frozenset[str]:
    """Return the names of a stage that are mathematically zero, by two records in one precision; reads no values."""
    others = {entry.name: entry for entry in b.entries(stage)}
    common = [(entry, others[entry.name]) for entry in a.entries(stage) if entry.name in others]
    beside = largest(common)
    dead = _dead(a, b, precision) if stage in ("update", "trajectory") else frozenset()
    found = set()
    for entry, other in common:
        if not is_noise(entry, other, noise.movement(a, stage, entry.name), noise.movement(b, stage, entry.name)):
            continue
        small = noise.halfway(precision) * beside.get(group(stage, entry.name), 0.0)
        if max(size(entry), size(other)) <= small or (is_update(entry) and split(entry.name)[1].partition("parameter/")[2] in dead):
            found.add(entry.name)
    return frozenset(found)


def _dead(a: Evidence, b: Evidence, precision: str) -> frozenset[str]:
    """Return the parameters whose gradient is mathematically zero in every phase that has one."""
    zero = null_tensors(a, b, "gradients", precision)
    names = [entry.name for entry in a.entries("gradients")]
    living = [name for name in names if name not in zero]
    return frozenset(
        parameter for name in zero for parameter in _endings(name) if not any(other.endswith(f"/{parameter}") for other in living)
    )


def _endings(name: str) -> list[str]:
    """Return what a gradient's parameter may be called: phases have slashes in their names, too."""
    parts = name.split("/")
    return ["/".join(parts[place:]) for place in range(1, len(parts))]


def is_noise(a: Entry, b: Entry, moved_a: float, moved_b: float) -> bool:
    """Whether a tensor is no larger on both sides than what its own rounding moves it by; noise that is not finite says nothing."""
    if a.stage == "weights" or is_exact(a) or not math.isfinite(moved_a + moved_b):
        return False
    if a.stage == "trajectory" and not is_update(a):
        return False  # a loss that rounding has outgrown is beyond the horizon
    if a.stage in ("forward", "loss") and moved_a == moved_b == 0.0:
        return False  # a zero on both sides, and nothing that moves it: agreement
    factor = noise.coverage(a.stage)
    return size(a) <= factor * moved_a and size(b) <= factor * moved_b
