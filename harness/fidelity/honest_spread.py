"""How far honest ports lie apart, in units of the measured floor: what thresholds rest on.

Written by `python -m tests.evaluation.zoo --measure`; docs/zoo.md says what was compared. Not to be
edited by hand.
"""

from __future__ import annotations

from backends.contract import Stage
from harness.results.verdicts import Bounds

#: Honest comparisons, and the tensors in them.
COMPARISONS, TENSORS = 242, 53493
#: Largest error of a tensor in units of its floor, by precision and stage.
LARGEST: dict[str, dict[Stage | Bounds, float]] = {
    "bf16": {
        Stage.FORWARD: 0.03,
        Stage.GRADIENTS: 1.0,
        Stage.LOSS: 0.03,
        Bounds.PRECISION: 0.88,
        Stage.TRAJECTORY: 0.35,
        Stage.UPDATE: 1.0,
    },
    "fp16": {
        Stage.FORWARD: 0.26,
        Stage.GRADIENTS: 0.5,
        Stage.LOSS: 0.07,
        Bounds.PRECISION: 0.49,
        Stage.TRAJECTORY: 0.57,
        Stage.UPDATE: 0.51,
    },
    "fp32": {
        Stage.FORWARD: 4.0,
        Stage.GRADIENTS: 4.41,
        Stage.LOSS: 2.56,
        Bounds.PRECISION: 3.59,
        Stage.TRAJECTORY: 4.5,
        Stage.UPDATE: 4.0,
    },
    "fp64": {
        Stage.FORWARD: 4.5,
        Stage.GRADIENTS: 1.67,
        Stage.LOSS: 2.92,
        Stage.TRAJECTORY: 5.0,
        Stage.UPDATE: 3.2,
    },
}
#: How much a workload or a kind of comparison that was left out exceeds what the others made one
#: expect.
SURPRISE = 3.84
#: Largest floor of a float64 activation, loss or gradient.
FLOAT64_FLOOR = 4.38e-14
#: Smallest error of a run in a lower precision, in units of what rounding the weights and inputs
#: alone costs.
LEAST_COST = {"bf16": 0.041, "fp16": 1.1, "fp32": 0.69}
