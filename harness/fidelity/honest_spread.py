"""How far honest ports lie apart, in units of the measured floor: what thresholds rest on.

Written by `python -m tests.evaluation.zoo --measure`; docs/zoo.md says what was compared. Not to be
edited by hand.
"""

from __future__ import annotations

#: Honest comparisons, and the tensors in them.
COMPARISONS, TENSORS = 242, 53493
#: Largest error of a tensor in units of its floor, by precision and stage.
LARGEST = {
    "bf16": {
        "forward": 0.03,
        "gradients": 1.0,
        "loss": 0.03,
        "precision": 0.88,
        "trajectory": 0.35,
        "update": 1.0,
    },
    "fp16": {
        "forward": 0.26,
        "gradients": 0.5,
        "loss": 0.07,
        "precision": 0.49,
        "trajectory": 0.57,
        "update": 0.51,
    },
    "fp32": {
        "forward": 4.0,
        "gradients": 4.41,
        "loss": 2.56,
        "precision": 3.59,
        "trajectory": 4.5,
        "update": 4.0,
    },
    "fp64": {"forward": 4.5, "gradients": 1.67, "loss": 2.92, "trajectory": 5.0, "update": 3.2},
}
#: How much a workload or a kind of comparison that was left out exceeds what the others made one
#: expect.
SURPRISE = 3.84
#: Largest floor of a float64 activation, loss or gradient.
FLOAT64_FLOOR = 4.38e-14
#: Smallest error of a run in a lower precision, in units of what rounding the weights and inputs
#: alone costs.
LEAST_COST = {"bf16": 0.041, "fp16": 1.1, "fp32": 0.69}
