"""`zoo_norm`: three kinds of batch normalisation in one classifier of handwritten digits.

`fused` as TF1's layer ran it on images: its moving variance moves towards n/(n-1) times the
population variance, and it has no gamma (contrib's default). `frozen`: normalises by its moving
statistics in training, too. `last`: Keras' layer, at the end of a residual block. Gammas start at
random, so that none is there for nothing.
"""

import numpy as np

from harness.workloads.cnn import Cnn
from harness.workloads.spec import Parameter

ROWS = 256


class Norm(Cnn):
    """A convolution, two dense layers, and a batch normalisation after each."""

    name = "zoo_norm"
    backends = ("tf2", "torch")

    def hyperparameters(self, preset):
        """Return sizes and the options that all three normalisations share."""
        return {
            "batch": 8,
            "image": [8, 8, 1],
            "filters": 16,
            "units": 12,
            "classes": 10,
            "batch_norm": {"epsilon": 2.0**-10, "momentum": 1.0 - 2.0**-3},
        }

    def parameters(self, hyper):
        """Return the weights; everything of `frozen` is given once and for all."""
        filters, units = hyper["filters"], hyper["units"]
        return (
            Parameter("conv/kernel", (3, 3, 1, filters), "glorot_uniform"),
            Parameter("fused/beta", (filters,), "normal"),
            Parameter("fused/moving_mean", (filters,), trainable=False),
            Parameter("fused/moving_variance", (filters,), "ones", trainable=False),
            Parameter("dense/kernel", (9 * filters, units), "glorot_uniform"),
            Parameter("frozen/gamma", (units,), "normal", trainable=False),
            Parameter("frozen/beta", (units,), "normal", trainable=False),
            Parameter("frozen/moving_mean", (units,), "normal", trainable=False),
            Parameter("frozen/moving_variance", (units,), "ones", trainable=False),
            Parameter("block/kernel", (units, units), "glorot_uniform"),
            Parameter("last/gamma", (units,), "normal"),
            Parameter("last/beta", (units,), "normal"),
            Parameter("last/moving_mean", (units,), trainable=False),
            Parameter("last/moving_variance", (units,), "ones", trainable=False),
            Parameter("head/kernel", (units, hyper["classes"]), "glorot_uniform"),
            Parameter("head/bias", (hyper["classes"],)),
        )

    def noise(self, hyper):
        """Return nothing: there is no dropout."""
        return ()

    def data(self, hyper):
        """Return some of the digits of `cnn`."""
        found = super().data({"image": hyper["image"]})
        return {name: np.ascontiguousarray(value[:ROWS]) for name, value in found.items()}


WORKLOAD = Norm()
