"""`linear` is what its docstring and the frozen configuration say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from harness.workloads.linear import WORKLOAD

FROZEN = Path(__file__).parents[2] / "data" / "workloads" / "linear-tiny.json"


def test_the_frozen_configuration_is_the_workloads_own():
    """The contract tests run where the harness cannot be imported; they read this file."""
    assert json.loads(FROZEN.read_text()) == json.loads(json.dumps(WORKLOAD.config("tiny")))


def test_eleven_parameters():
    """Ten weights of one and a bias of zero."""
    parameters = WORKLOAD.parameters(WORKLOAD.hyperparameters("tiny"))
    assert [("W", (10, 1), "ones"), ("b", (1,), "zeros")] == [
        (item.name, item.shape, item.initial) for item in parameters
    ]


def test_the_data_are_the_diabetes_table():
    """Standardised by the training rows alone; turned back, they are scikit-learn's numbers."""
    from sklearn.datasets import load_diabetes

    data = WORKLOAD.data(WORKLOAD.hyperparameters("tiny"))
    assert {"x": (398, 10), "y": (398, 1), "eval_x": (44, 10)} == {
        name: value.shape for name, value in data.items()
    }
    assert {np.dtype("float64")} == {value.dtype for value in data.values()}
    assert np.allclose(0.0, data["x"].mean(axis=0)) and np.allclose(1.0, data["x"].std(axis=0))
    x, y = load_diabetes(return_X_y=True, scaled=False)
    assert np.allclose(x[398:], data["eval_x"] * x[:398].std(axis=0) + x[:398].mean(axis=0))
    assert np.allclose(y[:398, None], data["y"] * y[:398].std() + y[:398].mean())


def test_operations_are_those_that_the_frameworks_count():
    """640 and 320 are what PyTorch's and TensorFlow's own counters say of a step of `tiny`."""
    hyper = WORKLOAD.hyperparameters("tiny")
    assert (640, 320) == (
        WORKLOAD.operations(hyper, "train"),
        WORKLOAD.operations(hyper, "generate"),
    )
