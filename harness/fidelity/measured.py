"""How far honest ports lie apart, in units of the measured floor: what thresholds rest on.

Written by `python -m tests.meta.zoo --measure`; docs/zoo.md says what was compared. Not to be edited by hand.
"""

from __future__ import annotations

#: Honest comparisons, and the tensors in them.
COMPARISONS, TENSORS = 0, 0
#: Largest error of a tensor in units of its floor, by precision and stage.
LARGEST = {"fp64": {"forward": 4.0, "gradients": 4.0, "loss": 4.0, "precision": 4.0, "trajectory": 4.0, "update": 4.0}}
#: How much a workload or a kind of comparison that was left out exceeds what the others made one expect.
SURPRISE = 2.0
#: Largest floor of a float64 activation, loss or gradient.
FLOAT64_FLOOR = 1.00e-12
#: Smallest error of a run in a lower precision, in units of what rounding the weights and inputs alone costs.
LEAST_COST = {"bf16": 0.5, "fp16": 0.5}
