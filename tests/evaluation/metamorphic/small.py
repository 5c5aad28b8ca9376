"""What the purpose-built workloads share: the smallest batch, plain gradient descent with a rate
that is a power of two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.workloads.spec import Optimizer, Workload

#: Rows to train on, and rows to generate from.
TRAINING, EVALUATION = 48, 16


class Small(Workload):
    """A workload with the preset `tiny`, ported to tf2 and torch."""

    backends: tuple[str, ...] = ("tf2", "torch")
    presets = ("tiny",)

    def hyperparameters(self, preset: str) -> dict[str, Any]:
        """Return the batch's size alone."""
        return {"batch": 8}

    def optimizers(self, hyper: Mapping[str, Any]) -> dict[str, Optimizer]:
        """Return gradient descent."""
        return {"sgd": Optimizer("sgd", learning_rate=2.0**-5)}


def generator() -> np.random.RandomState:
    """Return where every workload's data are drawn from."""
    return np.random.RandomState(0)


def rows(**arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return arrays of TRAINING + EVALUATION rows as the data of a workload; `y`, the target, is
    for training alone."""
    found = {name: value[:TRAINING] for name, value in arrays.items()}
    return {
        **found,
        **{f"eval_{name}": value[TRAINING:] for name, value in arrays.items() if name != "y"},
    }
