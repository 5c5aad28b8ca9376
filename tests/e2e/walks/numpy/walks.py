"""The honest port."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.numpy.core import NumpyPort


class Port(NumpyPort):
    """Squared error of the centre, and of the width as a mean distance."""

    def _parts(self, batch: Any) -> Any:
        walk = batch.arrays["walk"].astype(self.dtype)
        apart = walk - self.weights["centre"]
        return apart, np.abs(apart) - self.weights["width"]

    def losses(self, phase: str, batch: Any) -> dict[str, float]:
        centre, width = [float(np.mean(np.square(part))) for part in self._parts(batch)]
        return {"centre": centre, "width": width, "total": centre + width}

    def gradients(self, phase: str, batch: Any) -> dict[str, np.ndarray]:
        centre, width = self._parts(batch)
        return {"centre": -2.0 * centre.mean(axis=(0, 1)), "width": -2.0 * width.mean(axis=(0, 1))}

    def generate(self, source: Any, count: int) -> np.ndarray:
        generator = np.random.RandomState(source.seed)
        steps = generator.normal(size=(count, self.config["hours"], self.config["channels"]))
        walk = self.weights["centre"] + 0.5 * self.weights["width"] * np.cumsum(steps, axis=1)
        walk[:, :, -1] = walk[:, :, -1] > 0.5
        return walk
