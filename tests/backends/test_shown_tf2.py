"""What a TF2 port shows is what it computed, and looking at it leaves no trace, whatever its layers do."""

from __future__ import annotations

import importlib.util
import os

import numpy as np
import pytest

from backends.source import Batch, TapeSource

pytestmark = [pytest.mark.backends("tf2"), pytest.mark.workloads("linear")]
GENERATOR = np.random.RandomState(3)
X, Y = GENERATOR.normal(size=(4, 6)), np.array([0, 1, 2, 0])
WEIGHTS = {"a/kernel": GENERATOR.normal(size=(6, 5)), "b/kernel": GENERATOR.normal(size=(5, 3))}
BATCH = Batch({"x": X, "y": Y}, {})


@pytest.fixture
def ports(kit):
    """The module of small ports; it imports TensorFlow."""
    spec = importlib.util.spec_from_file_location("tf2_ports", os.path.join(os.path.dirname(os.path.abspath(__file__)), "tf2_ports.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("running", ["graph", "eager"])
def test_a_look_moves_no_state_and_training_does(ports, running):
    """Variables and attributes that nobody declared: put back after each look, moved by a step, reset with the weights, and named."""
    port = ports.port(ports.Stateful, execution=running)
    port.load_parameters(WEIGHTS)
    first = port.forward(BATCH, True)["logits"]
    source = TapeSource({"x": X, "y": Y, "eval_x": X}, {"batches": np.arange(4)[np.newaxis]}, 4)
    port.losses("train", BATCH), port.gradients("train", BATCH), port.generate(source, 3), port.forward_from(BATCH, True, {})
    np.testing.assert_array_equal(port.forward(BATCH, True)["logits"], first)
    assert ([0.0] * 5, None) == (port.kept["seen"].numpy().tolist(), port.last)
    attributes = ["port.last"] if running == "eager" else []
    assert ["kept/seen", "norm/moving_mean", "norm/moving_variance"] + attributes == port.undeclared_state()
    port.train_step("train", BATCH)
    assert abs(port.kept["seen"].numpy()).sum() > 0.0
    port.load_parameters(WEIGHTS)
    np.testing.assert_array_equal(port.forward(BATCH, True)["logits"], first)


@pytest.mark.parametrize("running", ["graph", "eager"])
def test_an_activation_is_shown_as_it_was_when_it_was_set(ports, running):
    """A variable that is written to later, a complex value whole, an integer as such."""
    port = ports.port(ports.Shown, execution=running)
    port.load_parameters(WEIGHTS)
    found = port.forward(BATCH, True)
    a = X.dot(WEIGHTS["a/kernel"])
    np.testing.assert_array_equal(found["held"], np.zeros(5))
    np.testing.assert_allclose(found["complex"], a - 1j * a, 0.0, 1e-13)
    assert ("complex128", "int64") == (found["complex"].dtype.name, found["place"].dtype.name)
    np.testing.assert_array_equal(found["place"], a.argmax(1))


@pytest.mark.parametrize("precision", ["fp64", "bf16"])
def test_layers_that_share_a_copy_are_told_apart(ports, precision):
    """A copy of the teacher's value is the teacher's value, cast to what the port keeps it in or not."""
    port = ports.port(ports.Shown if precision == "fp64" else ports.Dense, precision)
    port.load_parameters(WEIGHTS)
    taught = port.forward_from(BATCH, True, port.forward(BATCH, True))
    expected = {"complex": ["a"], "place": ["a"], "other": ["a"], "logits": ["other"]} if precision == "fp64" else {"relu": ["a"]}
    assert expected == {name: taught.read[name] for name in expected}
    assert not any(taught.own[name] for name in expected) and "a" in taught.rooted
    assert [name for name in taught.read if name != "held"] == port.contracted(BATCH, True)
