"""`wine` on NumPy with the required methods only: what a user writes around code of their own."""

import numpy as np

from backends.contract import Port as Contract


class Port(Contract):
    """Softmax regression."""

    def load_parameters(self, values):
        """Set the weights."""
        self.dtype = np.float64 if self.setting.precision == "fp64" else np.float32
        self.weights = {name: np.array(value, self.dtype) for name, value in values.items()}

    def parameters(self):
        """Return the weights."""
        return {name: value.copy() for name, value in self.weights.items()}

    def train(self, source, steps):
        """Descend the cross-entropy's gradient."""
        history = []
        for _ in range(steps):
            batch, source.cursor = source.batch(source.cursor, "train"), source.cursor + 1
            x, rows = batch.arrays["x"].astype(self.dtype), np.arange(len(batch.arrays["x"]))
            logits = self.logits(x)
            slope = np.exp(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))
            history.append(float(-np.log(slope[rows, batch.arrays["y"]]).mean()))
            slope[rows, batch.arrays["y"]] -= 1
            rate = self.dtype(self.config["optimizers"]["sgd"]["learning_rate"] / len(x))
            self.weights["kernel"] -= rate * x.T.dot(slope)
            self.weights["bias"] -= rate * slope.sum(axis=0)
        return {"total": history}

    def generate(self, source, count):
        """Return the logits of held-out wines."""
        return self.logits(source.evaluation_rows(count)["x"].astype(self.dtype))

    def logits(self, x):
        """Return x W + b."""
        return x.dot(self.weights["kernel"]) + self.weights["bias"]
