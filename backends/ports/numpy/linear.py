"""`linear` on NumPy: y = x W + b, mean squared error + s/2 sum(w^2), gradients by hand."""

from __future__ import annotations

from typing import Any, Dict, Tuple

import numpy as np

from backends.numpy.core import NumpyPort


class Port(NumpyPort):
    """Linear regression with a ridge penalty; see `harness/workloads/linear.py` for the
    specification."""

    def _inputs(self, batch: Any) -> Tuple[np.ndarray, np.ndarray]:
        return batch.arrays["x"].astype(self.dtype), batch.arrays["y"].astype(self.dtype)

    def forward(self, batch: Any, training: bool) -> Dict[str, np.ndarray]:
        seen: Dict[str, np.ndarray] = self.new_record()
        prediction = self._inputs(batch)[0].dot(self.weights["W"]) + self.weights["b"]
        self.observed_dtypes["prediction"] = prediction.dtype.name
        seen["prediction"] = prediction
        return seen

    def losses(self, phase: str, batch: Any) -> Dict[str, float]:
        x, y = self._inputs(batch)
        error = x.dot(self.weights["W"]) + self.weights["b"] - y
        mse = np.mean(np.square(error))
        l2 = self.dtype.type(self.config["l2"] * 0.5) * np.sum(np.square(self.weights["W"]))
        total = mse + l2
        self.observed_dtypes["loss"] = total.dtype.name
        return {"mse": float(mse), "l2": float(l2), "total": float(total)}

    def gradients(self, phase: str, batch: Any) -> Dict[str, np.ndarray]:
        x, y = self._inputs(batch)
        error = x.dot(self.weights["W"]) + self.weights["b"] - y
        slope = error * self.dtype.type(2.0 / error.size)
        penalty = self.dtype.type(self.config["l2"]) * self.weights["W"]
        return {"W": x.T.dot(slope) + penalty, "b": slope.sum(axis=0)}

    def generate(self, source: Any, count: int) -> np.ndarray:
        x = source.evaluation_rows(count)["x"].astype(self.dtype)
        product: np.ndarray = x.dot(self.weights["W"]) + self.weights["b"]
        self.observed_dtypes["output"] = product.dtype.name
        return product
