"""`cnn`: a small convolutional classifier of scikit-learn's handwritten digits.

The TF1 guide's layers model and the PyTorch course's CNN in one; every knob on which the two
listings disagree is a field of the configuration. Layers: conv 3x3 SAME + relu, max-pool 2, conv
3x3 SAME + relu, max-pool 2, flatten in NHWC order, dense + relu with s/2 sum(w^2) on its kernel,
dropout, batch-norm with a *biased* moving variance, dense. Softmax cross-entropy, mean over the
batch. `generate` returns class probabilities.

Hyper-parameters are dyadic (float32 holds them exactly), so that float64 runs of different
frameworks use the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.workloads.spec import Arrays, Noise, Optimizer, Parameter, Workload

TRAINING_ROWS = 1617  # 90 % of the 1,797 digits
PAPER_ROWS = 64  # of either part: `paper` stands for the size of an image, not for the content
PAPER_ZOOM = 28


class Cnn(Workload):
    """Two convolutions, a dense layer with batch-norm, ten classes."""

    name = "cnn"
    backends = ("tf1", "tf2", "torch")

    def hyperparameters(self, preset: str) -> dict[str, Any]:
        return {
            "batch": 16 if preset == "tiny" else 32,
            "image": [224, 224, 3] if preset == "paper" else [8, 8, 1],
            "filters": [32, 64],
            "units": 128,
            "classes": 10,
            "pool_stride": 2,
            "dropout_rate": 2.0**-3,
            "l2": 2.0**-5,
            "batch_norm": {"epsilon": 2.0**-10, "momentum": 1.0 - 2.0**-6},
        }

    def parameters(self, hyper: Mapping[str, Any]) -> tuple[Parameter, ...]:
        height, width, channels = hyper["image"]
        first, second = hyper["filters"]
        units, classes = hyper["units"], hyper["classes"]
        flat = (height // 4) * (width // 4) * second
        return (
            Parameter("conv1/kernel", (3, 3, channels, first), "glorot_uniform"),
            Parameter("conv1/bias", (first,)),
            Parameter("conv2/kernel", (3, 3, first, second), "glorot_uniform"),
            Parameter("conv2/bias", (second,)),
            Parameter("dense1/kernel", (flat, units), "glorot_uniform"),
            Parameter("dense1/bias", (units,)),
            Parameter("batch_norm/gamma", (units,), "ones"),
            Parameter("batch_norm/beta", (units,)),
            Parameter("batch_norm/moving_mean", (units,), "zeros", trainable=False),
            Parameter("batch_norm/moving_variance", (units,), "ones", trainable=False),
            Parameter("dense2/kernel", (units, classes), "glorot_uniform"),
            Parameter("dense2/bias", (classes,)),
        )

    def optimizers(self, hyper: Mapping[str, Any]) -> dict[str, Optimizer]:
        # Epsilon 1.2e-7, near Keras' default. A unit that is active and kept in all rows of a batch
        # has a mathematically zero bias gradient (batch-norm follows); Adam divides its rounding
        # noise, 1e-16, by epsilon.
        return {
            "adam": Optimizer(
                "adam", learning_rate=2.0**-10, beta1=0.875, beta2=1.0 - 2.0**-10, epsilon=2.0**-23
            )
        }

    def noise(self, hyper: Mapping[str, Any]) -> tuple[Noise, ...]:
        return (
            Noise(
                phases=("train",),
                site="dropout",
                shape=(hyper["batch"], hyper["units"]),
                kind="keep_mask",
                keep=1.0 - hyper["dropout_rate"],
            ),
        )

    def operations(self, hyper: Mapping[str, Any], action: str) -> float | None:
        """Each kernel meets every row at every position; backward twice more, but once for the
        first, whose input is data."""
        height, width, _ = hyper["image"]
        positions = {
            "conv1/kernel": height * width,
            "conv2/kernel": (height // 2) * (width // 2),
            "dense1/kernel": 1,
            "dense2/kernel": 1,
        }
        sizes = {item.name: math.prod(item.shape) for item in self.parameters(hyper)}
        forward = {
            name: 2 * int(hyper["batch"]) * count * sizes[name] for name, count in positions.items()
        }
        total = sum(forward.values())
        return float(total if action == "generate" else 3 * total - forward["conv1/kernel"])

    def data(self, hyper: Mapping[str, Any]) -> Arrays:
        """Return `x` [rows, height, width, channels] in [0, 1], float64; `y` [rows] class numbers,
        int64; `eval_x`."""
        from sklearn.datasets import load_digits

        digits = load_digits()
        x = (digits.images / 16.0)[..., None]
        y = digits.target.astype(np.int64)
        train, held_out = x[:TRAINING_ROWS], x[TRAINING_ROWS:]
        if hyper["image"][0] == 8 * PAPER_ZOOM:
            train, held_out = _zoom(train[:PAPER_ROWS]), _zoom(held_out[:PAPER_ROWS])
            y = y[:PAPER_ROWS]
        return {"x": train, "y": y[: len(train)], "eval_x": held_out}


def _zoom(images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Repeat each pixel 28 times in both directions, over three equal channels."""
    wide = images.repeat(PAPER_ZOOM, axis=1).repeat(PAPER_ZOOM, axis=2)
    return np.ascontiguousarray(wide.repeat(3, axis=3))


WORKLOAD = Cnn()
