"""Tensors that the same run on the same tape does not give again. Pure.

Their movement under a variation is no measure of rounding: a port that draws noise or batches of
its own gives another value every time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from backends.contract import Stage
from harness.fidelity import noise
from harness.fidelity.evidence import Evidence
from harness.fidelity.variations import early
from harness.fidelity.verdict import TensorVerdict
from harness.results.verdicts import Fidelity


def first_tensor(side: Evidence, stage: Stage, precision: str) -> TensorVerdict | None:
    """Return the first tensor of a stage that the same run on the same tape does not give again, or
    None; its `error` is by how much."""
    entries = [entry for entry in side.entries(stage) if early(stage, entry.name)]
    largest = max((entry.largest for entry in entries if math.isfinite(entry.largest)), default=0.0)
    for entry in entries:
        moved = noise.movement(side, stage, entry.name, (noise.REPEAT,))
        size = max(entry.scale or entry.largest, noise.REPEAT_SHARE * largest)
        unit = noise.REPEAT_UNITS * noise.UNIT_ROUNDOFF[precision]
        if math.isfinite(moved) and moved > unit * max(size, entry.largest):
            reason = (
                f"{entry.name} differs by {moved:.1e} when the same run is repeated: does the port"
                " draw noise or batches of its own?"
            )
            relative = moved / size if size else math.inf
            return TensorVerdict(entry.name, Fidelity.INCONCLUSIVE, reason, error=relative)
    return None


def first_of_stages(
    side: Evidence, stages: Sequence[Stage], precision: str
) -> TensorVerdict | None:
    """Return the first such tensor of several stages, or None."""
    for stage in stages:
        tensor = first_tensor(side, stage, precision)
        if tensor is not None:
            return tensor
    return None


def is_another_run(tensor: TensorVerdict, precision: str) -> bool:
    """Whether a run that does not give a tensor again is another run each time, and not one whose
    sums are added up in another order."""
    return tensor.error is not None and tensor.error > noise.halfway(precision)
