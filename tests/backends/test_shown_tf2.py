"""What a TF2 port shows is what it computed, and looking at it leaves no trace, whatever its
layers do."""

from __future__ import annotations

import importlib.util
import os

import numpy as np
import pytest

from backends.contract import abilities
from backends.source import Batch, NativeSource, TapeSource

pytestmark = [pytest.mark.backends("tf2"), pytest.mark.workloads("linear")]
GENERATOR = np.random.RandomState(3)
X, Y = GENERATOR.normal(size=(4, 6)), np.array([0, 1, 2, 0])
WEIGHTS = {"a/kernel": GENERATOR.normal(size=(6, 5)), "b/kernel": GENERATOR.normal(size=(5, 3))}
BATCH = Batch({"x": X, "y": Y}, {})


@pytest.fixture
def ports(kit):
    """The module of small ports; it imports TensorFlow."""
    spec = importlib.util.spec_from_file_location(
        "tf2_ports", os.path.join(os.path.dirname(os.path.abspath(__file__)), "tf2_ports.py")
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("running", ["graph", "eager"])
def test_a_look_moves_no_state_and_training_does(ports, running):
    """Variables and attributes that nobody declared: put back after each look, moved by a step,
    reset with the weights, and named."""
    port = ports.port(ports.Stateful, execution=running)
    port.load_parameters(WEIGHTS)
    first = port.forward(BATCH, True)["logits"]
    source = TapeSource({"x": X, "y": Y, "eval_x": X}, {"batches": np.arange(4)[np.newaxis]}, 4)
    (
        port.losses("train", BATCH),
        port.gradients("train", BATCH),
        port.generate(source, 3),
        port.forward_from(BATCH, True, {}),
    )
    np.testing.assert_array_equal(port.forward(BATCH, True)["logits"], first)
    assert ([0.0] * 5, None) == (port.kept["seen"].numpy().tolist(), port.last)
    attributes = ["port.last"] if running == "eager" else []
    assert [
        "kept/seen",
        "norm/moving_mean",
        "norm/moving_variance",
    ] + attributes == port.undeclared_state()
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
    """A copy of the teacher's value is the teacher's value, cast to what the port keeps it in or
    not."""
    port = ports.port(ports.Shown if precision == "fp64" else ports.Dense, precision)
    port.load_parameters(WEIGHTS)
    forced = port.forward_from(BATCH, True, port.forward(BATCH, True))
    expected = (
        {"complex": ["a"], "place": ["a"], "other": ["a"], "logits": ["other"]}
        if precision == "fp64"
        else {"relu": ["a"]}
    )
    assert expected == {name: forced.read[name] for name in expected}
    assert not any(forced.own[name] for name in expected) and "a" in forced.rooted
    assert [name for name in forced.read if name != "held"] == port.contracted(BATCH, True)


def test_a_training_step_of_its_own_is_what_is_judged(ports):
    """One by one, on a tape and natively; the port says that it is its own, and has no slots to
    show."""
    port = ports.port(ports.Own)
    port.load_parameters(WEIGHTS)
    assert port.training_is_own() and not ports.port(ports.Dense).training_is_own()
    assert "optimizer_state" not in abilities(ports.Own) and "optimizer_state" in abilities(
        ports.Dense
    )
    expected = WEIGHTS["a/kernel"] - 0.25 * port.gradients("train", BATCH)["a/kernel"]
    data = {"x": X, "y": Y, "eval_x": X}
    tape, native = (
        TapeSource(data, {"batches": np.arange(4)[np.newaxis]}, 4),
        NativeSource(data, 0, 4),
    )
    for run in (
        lambda: port.train_step("train", BATCH),
        lambda: port.train(tape, 1),
        lambda: port.train(native, 1),
    ):
        port.load_parameters(WEIGHTS)
        assert {"total"} == set(run())
        np.testing.assert_allclose(port.parameters()["a/kernel"], expected, 0.0, 1e-12)
        np.testing.assert_array_equal(port.parameters()["b/kernel"], WEIGHTS["b/kernel"])
