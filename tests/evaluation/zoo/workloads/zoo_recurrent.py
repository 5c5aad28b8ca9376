"""`zoo_recurrent`: digits read row by row, some only in part, by an LSTM and a GRU of Keras 2.2.

The rows of an image are the steps of a series; past a series' length a mask makes the layers carry
their output on. Dropout follows every layer, the last one too. The GRU is Keras 2.2's: gates by a
piecewise linear sigmoid, the state reset before it is multiplied.
"""

import numpy as np

from harness.workloads.spec import Noise, Optimizer, Parameter, Workload

ROWS, HELD_OUT = 256, 32


class Recurrent(Workload):
    """LSTM, GRU, mean over the steps, ten classes."""

    name = "zoo_recurrent"
    backends = ("tf2", "torch")
    presets = ("tiny",)
    default = False

    def hyperparameters(self, preset):
        """Return the sizes and the rate of dropout."""
        return {
            "batch": 8,
            "steps": 8,
            "features": 8,
            "units": 12,
            "classes": 10,
            "dropout_rate": 2.0**-3,
        }

    def parameters(self, hyper):
        """Return the weights in Keras' layout: gates of the LSTM i, f, c, o, of the GRU z, r, h."""
        features, units, classes = hyper["features"], hyper["units"], hyper["classes"]
        found = []
        for name, inputs, width in (("lstm", features, 4 * units), ("gru", units, 3 * units)):
            found += [
                Parameter(f"{name}/kernel", (inputs, width), "glorot_uniform"),
                Parameter(f"{name}/recurrent_kernel", (units, width), "glorot_uniform"),
                Parameter(f"{name}/bias", (width,), "normal", deviation=0.25),
            ]
        return (
            *found,
            Parameter("dense/kernel", (units, classes), "glorot_uniform"),
            Parameter("dense/bias", (classes,)),
        )

    def optimizers(self, hyper):
        """Return Adam."""
        return {
            "adam": Optimizer(
                "adam", learning_rate=2.0**-8, beta1=0.875, beta2=1.0 - 2.0**-10, epsilon=2.0**-23
            )
        }

    def noise(self, hyper):
        """Return a mask for each layer's outputs at all steps."""
        shape = (hyper["batch"], hyper["steps"], hyper["units"])
        return tuple(
            Noise(("train",), name, shape, "keep_mask", 1.0 - hyper["dropout_rate"])
            for name in ("lstm", "gru")
        )

    def data(self, hyper):
        """Return images [rows, steps, features] in [0, 1], lengths of 3 to 8 steps, classes."""
        from sklearn.datasets import load_digits

        digits = load_digits()
        images, classes = digits.images / 16.0, digits.target.astype(np.int64)
        lengths = np.random.RandomState(0).randint(3, hyper["steps"] + 1, size=ROWS + HELD_OUT)
        data = {"x": images, "length": lengths.astype(np.int64), "y": classes}
        training = {name: values[:ROWS] for name, values in data.items()}
        return {
            **training,
            **{f"eval_{name}": data[name][ROWS : ROWS + HELD_OUT] for name in ("x", "length")},
        }


WORKLOAD = Recurrent()
