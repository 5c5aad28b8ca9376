"""`zoo_vision`: handwritten digits through every kind of layer that frameworks pad, crop, resize or
lay out differently.

Pixels lie around zero, so that a zero at an edge is not harmless; sizes are even, so that SAME pads
one side alone. Images are doubled and halved: the weights of bilinear interpolation are then
quarters, which every dtype holds exactly.
"""

import numpy as np

from harness.workloads.cnn import Cnn
from harness.workloads.spec import Parameter

ROWS = 256


class Vision(Cnn):
    """Resizing, convolutions (strided, depthwise, transposed), two poolings, ten classes."""

    name = "zoo_vision"
    backends = ("tf2", "torch")

    def hyperparameters(self, preset):
        """Return sizes; `thumbnail` is the side of the feature maps that are flattened."""
        return {
            "batch": 8,
            "image": [8, 8, 1],
            "enlarged": 16,
            "filters": 4,
            "multiplier": 2,
            "thumbnail": 4,
            "slope": 0.25,
            "classes": 10,
        }

    def parameters(self, hyper):
        """Return the weights; kernels as TensorFlow lays them out: depthwise [h, w, in,
        multiplier], transposed [h, w, out, in]."""
        filters, multiplier = hyper["filters"], hyper["multiplier"]
        wide = filters * multiplier
        return (
            Parameter("stem/kernel", (3, 3, 1, filters), "glorot_uniform"),
            Parameter("stem/bias", (filters,)),
            Parameter("depthwise/kernel", (3, 3, filters, multiplier), "glorot_uniform"),
            Parameter("depthwise/bias", (wide,)),
            Parameter("transposed/kernel", (3, 3, wide, wide), "glorot_uniform"),
            Parameter("transposed/bias", (wide,)),
            Parameter(
                "head/kernel",
                (hyper["thumbnail"] ** 2 * (wide + 1), hyper["classes"]),
                "glorot_uniform",
            ),
            Parameter("head/bias", (hyper["classes"],)),
        )

    def noise(self, hyper):
        """Return nothing: there is no dropout."""
        return ()

    def data(self, hyper):
        """Return some of the digits of `cnn`, in [-0.5, 0.5]."""
        found = {
            name: np.ascontiguousarray(value[:ROWS]) for name, value in super().data(hyper).items()
        }
        return {name: value if name == "y" else value - 0.5 for name, value in found.items()}


WORKLOAD = Vision()
