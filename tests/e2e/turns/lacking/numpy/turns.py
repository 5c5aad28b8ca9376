"""Trains and generates as the honest port does, and has no `train_step` of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.contract import Port as Contract


class Port(Contract):
    """Slope and intercept are what they were."""

    def parameters(self) -> dict[str, np.ndarray]:
        return dict(self.weights)

    def load_parameters(self, values: Any) -> None:
        self.weights = dict(values)

    def train(self, source: Any, steps: int) -> dict[str, list[Any]]:
        source.cursor += steps
        return {"late/intercept/total": [float(np.sum(self.weights["slope"]))] * steps}

    def generate(self, source: Any, count: int) -> np.ndarray:
        return (
            self.weights["slope"] * source.evaluation_rows(count)["x"] + self.weights["intercept"]
        )
