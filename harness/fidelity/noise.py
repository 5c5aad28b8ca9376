"""The noise floor of a tensor, measured on both builds, and the threshold that a verdict uses.

Each build ran again with weights and inputs moved by one unit in the last place, and with batches
re-ordered; the largest movement of a tensor over those runs, on either side, is its noise. A result
cannot be known better than its own last place, so the floor is never below the unit roundoff of the
precision. The threshold is a coverage factor times the floor, and that factor is measured too:
`coverage` says how.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from backends.contract import Stage
from harness.fidelity import honest_spread
from harness.fidelity.evidence import Evidence
from harness.results.verdicts import Bounds

#: Kinds of variation that are a build's own noise at its own precision, where they measure rounding
#: (`variations`).
KINDS = ("ulp", "weights", "reorder")
#: What the names of variations of an optimizer's constants begin with: `movements.of_constants`.
CONSTANTS = "constants:"
#: The same run on the same tape again.
REPEAT = "repeat"

#: Unit roundoff: half the distance between 1 and the next larger number.
UNIT_ROUNDOFF = {
    "fp64": 2.0**-53,
    "fp32": 2.0**-24,
    "tf32": 2.0**-11,
    "bf16": 2.0**-8,
    "fp16": 2.0**-11,
}

#: A threshold that allows this much cannot tell anything apart (twice the right value has error 1):
#: rounding has outgrown the comparison. Such tensors are "beyond the horizon": listed, never
#: counted as agreement; distributions judge what comes there.
HORIZON = 0.5

#: A threshold is not lifted beyond this, a thousandth, by the floors around its tensor.
LIFTED = 2.0**-10

#: In float64, honest variation moves nothing by more than this before rounding has had steps to
#: grow: half way, in decades, between the largest floor met and the rounding of float32. Where it
#: does, the float64 run does not mean what it should: something inside it runs in a lower
#: precision, or does not follow the tape; a wide floor must not excuse that.
FLOAT64_FLOOR = math.sqrt(honest_spread.FLOAT64_FLOOR * UNIT_ROUNDOFF["fp32"])

#: Values apart by so many units of roundoff are the same value, whatever a floor says: one last
#: place either way on both sides.
AGREEMENT_UNITS = 4.0

#: The same run again may differ by this many units of roundoff (kernels that add in an order of
#: their own). A port that draws noise or batches of its own differs by all of a tensor's size.
REPEAT_UNITS = 64.0
#: Beside a stage's largest tensor, one smaller than this share has no size of its own worth
#: repeating (a null gradient).
REPEAT_SHARE = 2.0**-20


def halfway(precision: str) -> float:
    """Return the relative size half way, in decades, between a precision's roundoff and the value
    itself: what is smaller than that is nearer to rounding than to the value."""
    return math.sqrt(UNIT_ROUNDOFF[precision])


def agreement(precision: str) -> float:
    """Return the relative distance within which two values are the same value; in a low precision,
    by what they are stored in."""
    return AGREEMENT_UNITS * UNIT_ROUNDOFF["fp64" if precision == "fp64" else "fp32"]


@dataclasses.dataclass(frozen=True)
class Floor:
    """Noise of one tensor of a pair.

    Attributes:
        movement: largest absolute movement over all honest variations of both sides.
        scale: denominator of the error measure.
        relative: the floor on the error measure's scale.
        threshold: what the error must not exceed.
    """

    movement: float
    scale: float
    relative: float
    threshold: float


def movement(side: Evidence, stage: Stage, name: str, kinds: Sequence[str] = KINDS) -> float:
    """Return how far honest variations moved a tensor of one side, in absolute terms; 0 if none was
    recorded.

    Infinity if a variation gave something that is not a number: `max` would keep or lose a NaN by
    where it stands.
    """
    recorded = side.noise(stage, name)
    values = [value for kind in kinds for value in recorded.get(kind, ())]
    return max((math.inf if math.isnan(value) else value for value in values), default=0.0)


def coverage(stage: Stage | Bounds) -> float:
    """Return threshold / floor of a stage.

    A build's re-runs cannot show that another build sums in another order *inside* a convolution or
    matrix product, so honest ports lie further apart than the floor: by the largest ratio met over
    all honest comparisons, in whatever precision, and never by less than 1. A workload that was not
    among them may exceed that, by as much as one of them, left out, exceeded what the others had
    made one expect.
    """
    return honest_spread.SURPRISE * max(
        1.0, *(row.get(stage, 0.0) for row in honest_spread.LARGEST.values())
    )


def floor(size: float, moved: float, precision: str, stage: Stage | Bounds) -> Floor:
    """Return the floor of a tensor.

    Args:
        size: max|b|, or the size of the update for a parameter.
        moved: largest movement over both sides.
        precision: the precision that both sides ran in. stage: which the coverage factor is of.
    """
    if math.isinf(moved):
        return Floor(moved, size, math.inf, math.inf)
    scale = max(size, moved)
    relative = max(moved / scale if scale > 0.0 else 0.0, UNIT_ROUNDOFF[precision])
    return Floor(moved, scale, relative, coverage(stage) * relative)


def at_least(own: Floor, relative: float, stage: Stage) -> Floor:
    """Return the floor, raised to `relative` where it is lower, but never so that the threshold
    exceeds LIFTED: a tensor is not excused by a peer group that rounding has carried away."""
    raised = min(relative, LIFTED / coverage(stage))
    if raised <= own.relative:
        return own
    return Floor(own.movement, own.scale, raised, coverage(stage) * raised)
