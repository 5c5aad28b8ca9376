"""What a TF1 port shows is what it computed, and looking at it leaves no trace, whatever its
graph does."""

from __future__ import annotations

import importlib.util
import os

import numpy as np
import pytest

from backends.source import Batch, TapeSource

pytestmark = [pytest.mark.backends("tf1"), pytest.mark.workloads("linear")]
GENERATOR = np.random.RandomState(3)
X, Y = GENERATOR.normal(size=(4, 6)), np.array([0, 1, 2, 0])
WEIGHTS = {"a/kernel": GENERATOR.normal(size=(6, 5)), "b/kernel": GENERATOR.normal(size=(5, 3))}
BATCH = Batch({"x": X, "y": Y}, {})


@pytest.fixture
def port(kit):
    """A small port with its weights."""
    spec = importlib.util.spec_from_file_location(
        "tf1_ports", os.path.join(os.path.dirname(os.path.abspath(__file__)), "tf1_ports.py")
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.port(module.Stateful)
    made.load_parameters(WEIGHTS)
    return made


def test_a_look_moves_no_state_and_training_does(port):
    """A variable that nobody declared: put back after each look, moved by a step, reset with the
    weights, and named."""
    first = port.forward(BATCH, True)["logits"]
    source = TapeSource({"x": X, "y": Y, "eval_x": X}, {"batches": np.arange(4)[np.newaxis]}, 4)
    loss = port.losses("train", BATCH)
    port.gradients("train", BATCH), port.generate(source, 3), port.forward_from(BATCH, True, {})
    np.testing.assert_array_equal(port.forward(BATCH, True)["logits"], first)
    assert loss == port.losses("train", BATCH)
    assert ["model/seen"] == port.undeclared_state()
    port.train_step("train", BATCH)
    assert not np.array_equal(port.forward(BATCH, True)["logits"], first)
    port.load_parameters(WEIGHTS)
    np.testing.assert_array_equal(port.forward(BATCH, True)["logits"], first)


def test_what_is_shown_is_whole_and_what_shares_a_copy_is_told_apart(port):
    """A complex value, an integer, and each layer's own reading of the teacher."""
    found = port.forward(BATCH, False)
    a = X.dot(WEIGHTS["a/kernel"])
    np.testing.assert_allclose(found["complex"], a - 1j * a, 0.0, 1e-13)
    assert ("complex128", "int64") == (found["complex"].dtype.name, found["place"].dtype.name)
    forced = port.forward_from(BATCH, False, found)
    assert {
        "a": [],
        "place": ["a"],
        "complex": ["a"],
        "other": ["a"],
        "logits": ["other"],
    } == forced.read
    assert not any(forced.own.values()) and ["a"] == forced.rooted
    assert list(found) == port.contracted(BATCH, False)
