"""`walks`: a generative model so small that dozens of them train in seconds; it learns where a walk
starts and how wide it is.

`--ports tests/e2e/walks` makes it known; `numpy@tests/e2e/walks/<fault>` takes the port that has
that fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.workloads.spec import Arrays, HeldOut, Optimizer, Parameter, Sampling, Workload

ROWS, TRAINING, HOURS, CHANNELS = 80, 60, 6, 4


def walks() -> np.ndarray:
    """Return [ROWS, HOURS, CHANNELS]: walks around other centres, the last channel cut to 0 and
    1."""
    generator = np.random.RandomState(5)
    steps = generator.uniform(-1.0, 1.0, size=(ROWS, HOURS, CHANNELS))
    found = np.arange(1.0, CHANNELS + 1.0) + np.cumsum(steps, axis=1)
    found[:, :, -1] = found[:, :, -1] > CHANNELS
    return found


class Walks(Workload):
    """Random walks whose centres and widths are learned."""

    name = "walks"
    backends = ("numpy",)
    presets = ("tiny",)

    def hyperparameters(self, preset: str) -> dict[str, Any]:
        return {"batch": 6, "channels": CHANNELS, "hours": HOURS}

    def parameters(self, hyper: Mapping[str, Any]) -> tuple[Parameter, ...]:
        return (Parameter("centre", (CHANNELS,), "normal"), Parameter("width", (CHANNELS,), "ones"))

    def optimizers(self, hyper: Mapping[str, Any]) -> dict[str, Optimizer]:
        return {"sgd": Optimizer("sgd", learning_rate=2.0**-3)}

    def data(self, hyper: Mapping[str, Any]) -> Arrays:
        """Return `walk` [60, 6, 4]."""
        return {"walk": walks()[:TRAINING]}

    def distribution(self, preset: str) -> Sampling:
        return Sampling(40, 60)

    def held_out(self, hyper: Mapping[str, Any]) -> HeldOut:
        rows = walks()
        low, high = rows.min(axis=(0, 1)), rows.max(axis=(0, 1))
        return HeldOut(rows[TRAINING:], rows[:TRAINING], 1, low, high - low, tuple("abcd"))


WORKLOAD = Walks()
