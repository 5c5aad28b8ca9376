"""How far honest ports lie apart, in units of the measured floor: what thresholds rest on.

Written by `python -m tests.meta.zoo --measure`; docs/zoo.md says what was compared. Not to be edited by hand.
"""

from __future__ import annotations

#: Honest comparisons, and the tensors in them.
COMPARISONS, TENSORS = 239, 49254
#: Largest error of a tensor in units of its floor, by precision and stage.
LARGEST = {'bf16': {'forward': 0.01, 'gradients': 1.0, 'loss': 0.01, 'precision': 0.88, 'trajectory': 0.44, 'update': 1.0},
 'fp16': {'forward': 0.26, 'gradients': 0.5, 'loss': 0.07, 'precision': 0.49, 'trajectory': 0.57, 'update': 0.51},
 'fp32': {'forward': 4.0, 'gradients': 3.01, 'loss': 3.01, 'precision': 2.98, 'trajectory': 4.5, 'update': 2.63},
 'fp64': {'forward': 4.5, 'gradients': 1.64, 'loss': 3.01, 'trajectory': 5.0, 'update': 2.0}}
#: How much a workload or a kind of comparison that was left out exceeds what the others made one expect.
SURPRISE = 3.54
#: Largest floor of a float64 activation, loss or gradient.
FLOAT64_FLOOR = 5.92e-14
#: Smallest error of a run in a lower precision, in units of what rounding the weights and inputs alone costs.
LEAST_COST = {'bf16': 1.1, 'fp16': 1.1, 'fp32': 0.69}
