"""`turns`: a regression whose slope and intercept are updated in turns, so that a step has two
phases; training ends with the second.

`--ports tests/e2e/turns` makes it known; `numpy@tests/e2e/turns/lacking` takes a port that cannot
run a phase alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.workloads.spec import Arrays, Optimizer, Parameter, Segment, Update, Workload


class Turns(Workload):
    """A line through made-up points, fitted in two phases."""

    name = "turns"
    backends = ("numpy",)
    presets = ("tiny",)

    def hyperparameters(self, preset: str) -> dict[str, Any]:
        return {"batch": 4}

    def parameters(self, hyper: Mapping[str, Any]) -> tuple[Parameter, ...]:
        return (Parameter("slope", (1,), "ones"), Parameter("intercept", (1,), "zeros"))

    def optimizers(self, hyper: Mapping[str, Any]) -> dict[str, Optimizer]:
        return {"sgd": Optimizer("sgd", learning_rate=2.0**-6)}

    def updates(self, hyper: Mapping[str, Any]) -> tuple[Update, ...]:
        return (
            Update("early/slope", "sgd", ("slope",)),
            Update("late/intercept", "sgd", ("intercept",)),
        )

    def schedule(self, hyper: Mapping[str, Any]) -> tuple[Segment, ...]:
        return (Segment("early", 2, ("early/slope",)), Segment("late", None, ("late/intercept",)))

    def data(self, hyper: Mapping[str, Any]) -> Arrays:
        """Return `x` and `y` [16, 1] and `eval_x` [4, 1]."""
        x = np.linspace(-1.0, 1.0, 16).reshape(16, 1)
        return {"x": x, "y": 2.0 * x + 1.0, "eval_x": x[:4]}


WORKLOAD = Turns()
