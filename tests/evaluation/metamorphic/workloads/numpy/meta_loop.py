"""`meta_loop` on NumPy, wrapped: nothing can be looked at but what training leaves."""

import numpy as np

from backends import contract


class Port(contract.Port):
    """Gradients are added up over micro-batches."""

    def __init__(self, config, setting):
        super().__init__(config, setting)
        self.dtype = np.float64 if setting.precision == "fp64" else np.float32

    def load_parameters(self, values):
        """Set the weights; the kernel's momentum begins anew."""
        self.w, self.b = np.array(values["w"], self.dtype), np.array(values["b"], self.dtype)
        self.velocity = np.zeros_like(self.w)

    def parameters(self):
        """Return copies of the weights."""
        return {"w": self.w.copy(), "b": self.b.copy()}

    def parts(self, rows):
        """Return the micro-batches' rows."""
        return np.split(np.arange(rows), [3])

    def step(self, x, y, m):
        """Run one update and return the loss before it."""
        whole, loss, w, b = m.sum(), 0.0, np.zeros_like(self.w), np.zeros_like(self.b)
        for part in self.parts(len(x)):
            error = (x[part] @ self.w + self.b - y[part]) * m[part]
            loss += float((error * error).sum() / whole)
            slope = 2.0 * error / whole
            w += np.einsum("ntf,nto->fo", x[part], slope)
            b += slope.sum((0, 1))
        self.velocity = self.dtype(0.5) * self.velocity + w.astype(self.dtype)
        self.w -= 2.0**-5 * self.velocity
        self.b -= 2.0**-5 * b.astype(self.dtype)
        return loss

    def train(self, source, steps):
        """Train on the tape's batches."""
        losses = []
        for _ in range(steps):
            batch = source.batch(source.cursor, "train").arrays
            source.cursor += 1
            losses.append(self.step(*(batch[name].astype(self.dtype) for name in ("x", "y", "m"))))
        return {"total": losses}

    def generate(self, source, count):
        """Return the predictions."""
        return source.evaluation_rows(count)["x"].astype(self.dtype) @ self.w + self.b
