"""How far honest variations move a tensor of a pair, and the others of its peer group. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from backends.contract import Stage
from harness.fidelity import noise, variations
from harness.fidelity.evidence import Evidence, TensorEntry
from harness.fidelity.variations import Sieve, group, is_exact

#: A peer group of fewer tensors says nothing of another one.
FEWEST_PEERS = 8


def of_pair(
    a: Evidence, b: Evidence, entry: TensorEntry, kinds: Sequence[str], precision: str
) -> float:
    """Return how far variations move a tensor, on the side that they move more: of each kind no
    more than `ALONE` times the other side's movement. What one side computes in float32 inside
    float64, say, or only where it runs in float32, would else excuse itself.
    """
    least = noise.UNIT_ROUNDOFF[precision] * variations.size(entry)
    movements = [0.0]
    for kind in kinds:
        # An older record may lack a kind: the other side then stands for both.
        both = [
            noise.movement(side, entry.stage, entry.name, (kind,))
            for side in (a, b)
            if kind in side.noise(entry.stage, entry.name)
        ]
        if math.isfinite(sum(both)):
            most = variations.ALONE * max(min(both, default=0.0), least)
            movements.append(min(max(both, default=0.0), most))
        else:
            movements.append(math.inf)
    return max(movements)


def of_constants(a: Evidence, b: Evidence, entry: TensorEntry) -> float:
    """Return how far a tensor is moved where an optimizer keeps hyper-parameters in float32, what
    each of them moves added up: another framework holds some of them so, and not all. 0 unless
    exactly one side has been made to: the other is then one that may do so anyway.
    """
    added = []
    for side in (a, b):
        kinds = [
            kind for kind in side.noise(entry.stage, entry.name) if kind.startswith(noise.CONSTANTS)
        ]
        if kinds:
            moved = (noise.movement(side, entry.stage, entry.name, (kind,)) for kind in kinds)
            added.append(sum(moved))
    return added[0] if len(added) == 1 else 0.0


def of_peer_groups(
    a: Evidence,
    b: Evidence,
    stage: Stage,
    common: Mapping[str, TensorEntry],
    sieve: Sieve | None,
    precision: str,
) -> dict[str, float]:
    """Return the median movement, relative to their size, of the floating-point tensors of each
    peer group: one kind (losses, parameters, slots, anything else) at one step.

    A few runs of honest variation move a single number far less than they might have, by chance;
    among a hundred numbers that happens to some. So a tensor of few elements is not held to less
    than what its like around it are moved by.

    Args:
        common: the entries that both sides have, by name. sieve: which variations measure rounding;
            all of them where there is none.
    """
    groups: dict[str, list[float]] = {}
    for name, entry in common.items():
        size = variations.size(entry)
        if not 0.0 < size < math.inf or stage == Stage.WEIGHTS or is_exact(entry):
            continue
        usable = sieve[name].usable if sieve else noise.KINDS
        moved = of_pair(a, b, entry, usable, precision)
        if moved < size:  # else it is nothing but noise: null, or beyond the horizon
            groups.setdefault(group(stage, name), []).append(moved / size)
    return {
        key: statistics.median(movements)
        for key, movements in groups.items()
        if len(movements) >= FEWEST_PEERS
    }
