"""`hostile`: a small regression that lives outside the tree, ported well once (`numpy/`) and badly
in every other folder.

`--ports tests/e2e/hostile` makes the workload known; `numpy@tests/e2e/hostile/<fault>` takes the
port that has that fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.workloads.spec import Arrays, Optimizer, Parameter, Workload


class Hostile(Workload):
    """`linear` on made-up rows; the model's mathematics are those of the shipped workload."""

    name = "hostile"
    backends = ("numpy",)
    presets = ("tiny", "small")

    def hyperparameters(self, preset: str) -> dict[str, Any]:
        return {"batch": 4, "features": 3, "l2": 2.0**-5}

    def parameters(self, hyper: Mapping[str, Any]) -> tuple[Parameter, ...]:
        return (Parameter("W", (hyper["features"], 1), "ones"), Parameter("b", (1,), "zeros"))

    def optimizers(self, hyper: Mapping[str, Any]) -> dict[str, Optimizer]:
        return {"sgd": Optimizer("sgd", learning_rate=2.0**-6)}

    def data(self, hyper: Mapping[str, Any]) -> Arrays:
        """Return `x` [32, 3], `y` [32, 1] and `eval_x` [8, 3]."""
        x = np.sin(np.arange(96.0)).reshape(32, hyper["features"])
        return {
            "x": x,
            "y": x.sum(axis=1, keepdims=True) ** 2,
            "eval_x": np.cos(np.arange(24.0)).reshape(8, hyper["features"]),
        }


WORKLOAD = Hostile()
