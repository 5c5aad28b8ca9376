"""`meta_noise` on NumPy."""

import numpy as np

from backends.numpy.core import NumpyPort


class Port(NumpyPort):
    """Jitter, dropout, a product."""

    def forward(self, batch, training):
        """Return the jittered and the dropped inputs, and the prediction."""
        seen, x = self.new_record(), batch.arrays["x"].astype(self.dtype)
        jitter, keep = (batch.noise["jitter"], batch.noise["keep"]) if training else (0.0, 0.75)
        seen["jittered"] = (x + 0.125 * np.asarray(jitter)).astype(self.dtype)
        seen["dropped"] = (seen["jittered"] * keep / 0.75).astype(self.dtype)
        seen["prediction"] = seen["dropped"] @ self.weights["w"] + self.weights["b"]
        return seen

    def slope(self, batch):
        """Return what enters the product, and the error."""
        seen = self.forward(batch, True)
        return seen["dropped"], seen["prediction"] - batch.arrays["y"].astype(self.dtype)

    def losses(self, phase, batch):
        """Return the squared error."""
        _, error = self.slope(batch)
        return {"total": float(np.mean(error * error))}

    def gradients(self, phase, batch):
        """Return the gradients by hand."""
        dropped, error = self.slope(batch)
        slope = error * self.dtype.type(2.0 / len(error))
        return {"w": dropped.T @ slope, "b": slope.sum(0)}

    def generate(self, source, count):
        """Return the predictions, without noise."""
        return (
            source.evaluation_rows(count)["x"].astype(self.dtype) @ self.weights["w"]
            + self.weights["b"]
        )
