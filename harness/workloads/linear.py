"""`linear`: regression on scikit-learn's diabetes table, the smallest workload that has every
stage.

y = x W + b with W [10, 1] ones and b zeros; mean squared error + s/2 sum(w^2), s = 2^-5; SGD. The
low-level-variables model of the TF1 guide; `generate` predicts the held-out rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.workloads.spec import Arrays, Optimizer, Parameter, Workload

TRAINING_ROWS = 398  # 90 % of the table's 442 rows


class Linear(Workload):
    """Linear regression with a ridge penalty."""

    name = "linear"
    backends = ("numpy", "tf1", "tf2", "torch")
    presets = ("tiny", "small")

    def hyperparameters(self, preset: str) -> dict[str, Any]:
        return {"batch": 16 if preset == "tiny" else 32, "features": 10, "l2": 2.0**-5}

    def parameters(self, hyper: Mapping[str, Any]) -> tuple[Parameter, ...]:
        return (Parameter("W", (hyper["features"], 1), "ones"), Parameter("b", (1,), "zeros"))

    def optimizers(self, hyper: Mapping[str, Any]) -> dict[str, Optimizer]:
        return {"sgd": Optimizer("sgd", learning_rate=2.0**-6)}

    def operations(self, hyper: Mapping[str, Any], action: str) -> float | None:
        """One product forward; backward one more, for nothing is differentiated by the rows."""
        return float(2 * hyper["batch"] * hyper["features"] * {"generate": 1, "train": 2}[action])

    def data(self, hyper: Mapping[str, Any]) -> Arrays:
        """Return `x` [398, 10] and `y` [398, 1], standardised by the training rows; `eval_x` [44,
        10]. float64."""
        from sklearn.datasets import load_diabetes

        x, y = load_diabetes(return_X_y=True, scaled=False)
        y = y[:, None]
        train_x, train_y = x[:TRAINING_ROWS], y[:TRAINING_ROWS]
        x = (x - train_x.mean(axis=0)) / train_x.std(axis=0)
        y = (y - train_y.mean()) / train_y.std()
        return {
            "x": np.ascontiguousarray(x[:TRAINING_ROWS]),
            "y": np.ascontiguousarray(y[:TRAINING_ROWS]),
            "eval_x": np.ascontiguousarray(x[TRAINING_ROWS:]),
        }


WORKLOAD = Linear()
