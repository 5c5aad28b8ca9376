"""`meta_clock` on NumPy."""

import numpy as np

from backends.numpy.core import NumpyPort


class Port(NumpyPort):
    """A warm-up by the clock, momentum 1/2, an average that keeps 3/4."""

    def centre(self, x):
        """Return the mean over the batch."""
        return x.mean(0)

    def forward(self, batch, training):
        """Return the centred inputs and the prediction."""
        seen, x = self.new_record(), batch.arrays["x"].astype(self.dtype)
        seen["centred"] = x - self.centre(x)
        seen["prediction"] = seen["centred"] @ self.weights["w"]
        return seen

    def warm(self):
        """Return the weight of the loss."""
        return self.dtype.type(min(1.0, (1.0 + float(self.weights["clock"][0])) / 4.0))

    def losses(self, phase, batch):
        """Return the squared error, weighed by the clock."""
        error = self.forward(batch, True)["prediction"] - batch.arrays["y"].astype(self.dtype)
        return {"total": float(self.warm() * np.mean(error * error))}

    def gradients(self, phase, batch):
        """Return the gradient by hand."""
        seen = self.forward(batch, True)
        error = seen["prediction"] - batch.arrays["y"].astype(self.dtype)
        return {"w": self.warm() * seen["centred"].T @ (error * self.dtype.type(2.0 / len(error)))}

    def train_step(self, phase, batch):
        """Run one update of the weight and of all that is carried."""
        terms, gradient, held = (
            self.losses(phase, batch),
            self.gradients(phase, batch)["w"],
            self.weights,
        )
        held["velocity"] = self.dtype.type(0.5) * held["velocity"] + gradient
        held["w"] -= self.dtype.type(2.0**-5) * held["velocity"]
        held["average"] = (
            self.dtype.type(0.75) * held["average"] + self.dtype.type(0.25) * held["w"]
        )
        held["clock"] = held["clock"] + self.dtype.type(1.0)
        self.updates += 1
        return terms

    def generate(self, source, count):
        """Return the average's predictions."""
        x = source.evaluation_rows(count)["x"].astype(self.dtype)
        return (x - self.centre(x)) @ self.weights["average"]
