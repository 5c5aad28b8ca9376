"""The honest port. It derives from the contract alone: the numpy backend's own base has one
phase only."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends import schedule
from backends.contract import Port as Contract
from backends.source import Batch


class Port(Contract):
    """Plain gradient descent on the squared error."""

    def parameters(self) -> dict[str, np.ndarray]:
        return {name: value.copy() for name, value in self.weights.items()}

    def load_parameters(self, values: Any) -> None:
        self.weights = {name: np.array(value) for name, value in values.items()}

    def train_step(self, phase: str, batch: Any) -> dict[str, float]:
        x, y = batch.arrays["x"], batch.arrays["y"]
        error = self.weights["slope"] * x + self.weights["intercept"] - y
        if phase == "early/slope":
            self.weights["slope"] -= 0.01 * np.mean(error * x)
        else:
            self.weights["intercept"] -= 0.01 * np.mean(error)
        return {"total": float(np.mean(error * error))}

    def train(self, source: Any, steps: int) -> dict[str, list[Any]]:
        history = []
        for _ in range(steps):
            rows = np.arange(4) + source.cursor % 13
            batch = Batch(
                {name: array[rows] for name, array in source.training_rows().items()}, None
            )
            history.append(
                [
                    (phase, self.train_step(phase, batch))
                    for phase in schedule.phases_at(self.config, source.cursor)
                ]
            )
            source.cursor += 1
        return schedule.columns(self.config, history)

    def generate(self, source: Any, count: int) -> np.ndarray:
        return (
            self.weights["slope"] * source.evaluation_rows(count)["x"] + self.weights["intercept"]
        )
