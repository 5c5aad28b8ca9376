"""`zoo_wide`: a sum for which it matters in which dtype it runs: a serial number that nobody
scaled, and many small terms.

In half precision each term is less than half the spacing of numbers around the serial number; all
of them together are not.
"""

import numpy as np
from sklearn.datasets import load_digits

from harness.workloads.linear import Linear
from harness.workloads.spec import Parameter

DIGITS, PIXELS, ROWS, FIRST = 8, 64, 192, 1100


class Wide(Linear):
    """Linear regression of the mean of eight handwritten digits on their serial number and their
    pixels."""

    name = "zoo_wide"
    backends = ("tf2", "torch")

    def hyperparameters(self, preset):
        """Return the sizes, and a factor that brings the sum to about 1."""
        return {"batch": 16, "features": 1 + DIGITS * PIXELS, "share": 2.0**-10}

    def parameters(self, hyper):
        """Return a kernel that takes every feature for as much as any other."""
        return (
            Parameter("sum/kernel", (hyper["features"], 1), "ones"),
            Parameter("sum/bias", (1,)),
        )

    def data(self, hyper):
        """Return `x` [192, 513]: the serial number, and 3/8 of the roots of the pixels, which no
        short mantissa holds; `y` [192, 1]; `eval_x` [32, 513]."""
        digits = load_digits()
        lines = len(digits.target) // DIGITS
        pixels = 0.375 * np.sqrt(
            digits.images[: lines * DIGITS].reshape(lines, DIGITS * PIXELS) / 16.0
        )
        serial = FIRST + np.arange(lines, dtype=np.float64)[:, None]
        x = np.concatenate([serial, pixels], axis=1)
        y = digits.target[: lines * DIGITS].reshape(lines, DIGITS).mean(axis=1, keepdims=True)
        return {"x": x[:ROWS], "y": y[:ROWS], "eval_x": x[ROWS:]}


WORKLOAD = Wide()
