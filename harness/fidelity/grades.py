"""What a difference between two tensors means beside its limits: agreement, a fault, or nothing
that could be told. Pure."""

from __future__ import annotations

import dataclasses
import math

from backends.contract import Stage
from harness.fidelity import noise
from harness.fidelity.evidence import TensorEntry
from harness.fidelity.measure import TensorDifference
from harness.fidelity.variations import early
from harness.fidelity.verdict import TensorVerdict
from harness.results.verdicts import Fidelity

#: Stages before an optimizer has divided a gradient by its own size, which lifts the noise of one
#: that is nearly zero.
DIRECT = (Stage.FORWARD, Stage.LOSS, Stage.GRADIENTS)


@dataclasses.dataclass(frozen=True)
class GradingLimits:
    """What a difference is held to.

    Attributes:
        floor, threshold: of the tensor. open_to: up to which distance nothing can be said.
    """

    floor: float
    threshold: float
    open_to: float


def grade(
    entry: TensorEntry, apart: TensorDifference, limits: GradingLimits, precision: str, same: bool
) -> TensorVerdict:
    """Return the verdict on a difference that could be taken.

    Args:
        entry: of the tensor, on side a. apart: how far the sides are apart; all values are finite.
        precision: what both ran in. same: whether they are equal within a few units in the last
            place.
    """
    floor, threshold = limits.floor, limits.threshold
    shape = f"relative norm error {apart.norm_error:.1e}, cosine {apart.cosine:.6f}"
    if same:
        verdict, reason = Fidelity.PASS, shape
    elif math.isinf(threshold):
        reason = (
            "an honest variation of a side gave a value that is not finite: there is no threshold"
        )
        return TensorVerdict(
            entry.name, Fidelity.INCONCLUSIVE, reason, error=apart.error, difference=apart
        )
    elif apart.error <= threshold:
        verdict, reason = _too_wide(entry, limits, precision) or (Fidelity.PASS, shape)
    elif apart.apart <= limits.open_to:
        verdict = Fidelity.INCONCLUSIVE
        reason = (
            "no honest variation measures rounding here, and the values are not equal within a few"
            " units in the last place"
        )
    else:
        what = "sums of its sketch" if entry.sketched else "values"
        verdict, reason = Fidelity.FAIL, f"{apart.departing} of {apart.size} {what}, {shape}"
    return TensorVerdict(
        entry.name,
        verdict,
        reason,
        error=apart.error,
        floor=floor,
        threshold=threshold,
        difference=apart,
        sketched=entry.sketched,
    )


def within_constants(graded: TensorVerdict, threshold: float) -> TensorVerdict:
    """Return the PASS of a tensor that departs by no more than hyper-parameters in float32 explain.

    Args:
        graded: its FAIL without them. threshold: what they let the error be.
    """
    return dataclasses.replace(
        graded,
        verdict=Fidelity.PASS,
        threshold=threshold,
        constants=True,
        reason=f"by no more than hyper-parameters in float32 move it; {graded.reason}",
    )


def _too_wide(
    entry: TensorEntry, limits: GradingLimits, precision: str
) -> tuple[Fidelity, str] | None:
    """Return what a threshold that is too wide leaves of a tensor below it, and why; None where it
    is an ordinary one."""
    full, first = precision == "fp64", early(entry.stage, entry.name)
    direct = entry.stage in DIRECT or (first and "/loss/" in entry.name)
    if full and direct and limits.floor > noise.FLOAT64_FLOOR:
        return (
            Fidelity.INCONCLUSIVE,
            f"honest variations move it by {limits.floor:.1e}, and float64 by no more than"
            f" {noise.FLOAT64_FLOOR:.1e}: something is computed in a lower precision, does not"
            " follow the tape, or is ill-conditioned",
        )
    if limits.threshold < noise.HORIZON:
        return None
    moved = limits.threshold / noise.coverage(entry.stage)
    alone = f"honest variations alone differ by {moved:.1e} here"
    if full and first:
        reason = f"{alone}, before any step in which rounding could have grown"
        return Fidelity.INCONCLUSIVE, reason
    return Fidelity.BEYOND, f"beyond the horizon: {alone}"
