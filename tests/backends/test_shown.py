"""What a torch port shows is what it computed, and looking at it leaves no trace, whatever its
modules do."""

from __future__ import annotations

import importlib.util
import os
import sys

import numpy as np
import pytest

from backends.contract import BrokenPort, abilities
from backends.source import Batch, NativeSource, TapeSource

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]
GENERATOR = np.random.RandomState(3)
X, Y = GENERATOR.normal(size=(4, 6)), np.array([0, 1, 2, 0])
WEIGHTS = {"a/kernel": GENERATOR.normal(size=(6, 5)), "b/kernel": GENERATOR.normal(size=(5, 3))}
STATISTICS = {
    "gamma": np.full(5, 2.0),
    "beta": np.zeros(5),
    "mean": np.full(5, 0.5),
    "variance": np.full(5, 3.0),
}
BATCH = Batch({"x": X, "y": Y}, {})


@pytest.fixture
def ports(kit, monkeypatch):
    """The module of small ports; it imports torch."""
    spec = importlib.util.spec_from_file_location(
        "torch_ports", os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch_ports.py")
    )
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(
        sys.modules, "torch_ports", module
    )  # what compiles a method looks for its module by name
    spec.loader.exec_module(module)
    return module


def source():
    """Return a tape of the one batch."""
    return TapeSource({"x": X, "y": Y, "eval_x": X}, {"batches": np.arange(4)[np.newaxis]}, 4)


def loaded(port, **more):
    port.load_parameters(dict(WEIGHTS, **more))
    return port


@pytest.mark.parametrize("kind", ["Dense", "InPlace", "Views"])
@pytest.mark.parametrize("running", ["default", "compiled"])
def test_an_activation_is_shown_as_it_was_when_it_was_set(ports, kind, running):
    """In place or not, and as a view of what is filled again: the same values, also compiled."""
    port = loaded(ports.port(getattr(ports, kind), execution=running))
    found = port.forward(BATCH, True)
    a = X.dot(WEIGHTS["a/kernel"])
    relu = np.maximum(a, 0.0)
    for name, value in (("a", a), ("relu", relu), ("logits", relu.dot(WEIGHTS["b/kernel"]))):
        np.testing.assert_allclose(found[name], value, 0.0, 1e-13, err_msg=name)


@pytest.mark.parametrize("kind", ["Dense", "InPlace"])
def test_working_in_place_can_be_teacher_forced(ports, kind):
    """The teacher's value is what the layer works on; what is shown of the layer before is its
    own."""
    port = loaded(ports.port(getattr(ports, kind)))
    own = port.forward(BATCH, True)
    forced = port.forward_from(BATCH, True, {"a": own["a"] + 1.0, "relu": own["relu"] + 2.0})
    np.testing.assert_array_equal(forced.values["a"], own["a"])
    np.testing.assert_allclose(forced.values["relu"], np.maximum(own["a"] + 1.0, 0.0), 0.0, 1e-13)
    assert ({"a": [], "relu": ["a"], "logits": ["relu"]}, {"a": [], "relu": [], "logits": []}) == (
        forced.read,
        forced.own,
    )
    assert ["a"] == forced.rooted


@pytest.mark.parametrize(
    ("precision", "dtypes"),
    [
        ("fp64", ["complex128", "float64", "int64", "float64"]),
        ("fp32", ["complex64", "float32", "int64", "float32"]),
    ],
)
def test_complex_values_and_marks_are_shown_whole(ports, precision, dtypes):
    """A conjugate is one, not a mark on something else; the imaginary part is there; integers
    are integers."""
    port = loaded(ports.port(ports.Lazy, precision))
    found = port.forward(BATCH, True)
    assert dtypes == [value.dtype.name for value in found.values()]
    np.testing.assert_allclose(found["a"], X.dot(WEIGHTS["a/kernel"]) - 1j * X[:, :5], 0.0, 1e-5)
    np.testing.assert_allclose(found["minus"], -X[:, :5], 0.0, 1e-6)
    forced = port.forward_from(BATCH, True, dict(found, a=found["a"] + 1.0))
    assert (["a"], ["a"]) == (forced.read["minus"], forced.read["logits"])


def test_layers_that_share_a_copy_are_told_apart(ports):
    """A copy of the teacher's value is the teacher's value."""
    port = loaded(ports.port(ports.Shared))
    forced = port.forward_from(BATCH, True, port.forward(BATCH, True))
    assert {"a": [], "relu": ["a"], "other": ["a"], "logits": ["relu", "other"]} == forced.read
    assert not any(forced.own.values())


def test_a_copy_that_is_shown_is_the_ports_own(ports):
    """Who goes on with it rests on it."""
    port = loaded(ports.port(ports.Flat))
    forced = port.forward_from(BATCH, True, port.forward(BATCH, True))
    assert ({"a": [], "copy": ["a"], "logits": ["a"]}, ["copy"]) == (
        forced.read,
        forced.own["logits"],
    )


def test_what_is_computed_from_data_alone_is_told(ports):
    """But not what came back from outside of torch."""
    port = loaded(ports.port(ports.Towers))
    forced = port.forward_from(BATCH, True, port.forward(BATCH, True))
    assert ["a", "sum"] == forced.rooted
    assert ["a", "logits"] == port.contracted(BATCH, True)


def test_a_look_moves_no_state_and_training_does(ports):
    """A buffer and attributes that nobody declared: put back after each look, moved by a step,
    reset with the weights, and named."""
    port = loaded(ports.port(ports.Stateful))
    first = port.forward(BATCH, True)["logits"]
    (
        port.losses("train", BATCH),
        port.gradients("train", BATCH),
        port.generate(source(), 3),
        port.forward_from(BATCH, True, {}),
    )
    np.testing.assert_array_equal(port.forward(BATCH, True)["logits"], first)
    assert (0.0, None, 0) == (float(port.model.seen.abs().sum()), port.model.last, port.calls)
    assert ["last", "port.calls", "seen"] == port.undeclared_state()
    port.train_step("train", BATCH)
    assert float(port.model.seen.abs().sum()) > 0.0 and port.calls == 1
    loaded(port)
    np.testing.assert_array_equal(port.forward(BATCH, True)["logits"], first)


def test_a_training_step_of_its_own_is_what_is_judged(ports):
    """One by one, on a tape and natively; the port says that it is its own, and has no slots to
    show."""
    port = loaded(ports.port(ports.Own))
    assert port.training_is_own() and not ports.port(ports.Dense).training_is_own()
    assert "optimizer_state" not in abilities(ports.Own) and "optimizer_state" in abilities(
        ports.Dense
    )
    gradient = port.gradients("train", BATCH)["a/kernel"]
    expected = WEIGHTS["a/kernel"] - 0.25 * gradient
    for run in (lambda: port.train_step("train", BATCH), lambda: port.train(source(), 1)):
        loaded(port)
        run()
        np.testing.assert_allclose(port.parameters()["a/kernel"], expected, 0.0, 1e-13)
        np.testing.assert_array_equal(port.parameters()["b/kernel"], WEIGHTS["b/kernel"])
    loaded(port).train(NativeSource({"x": X, "y": Y, "eval_x": X}, 0, 4), 1)
    np.testing.assert_allclose(port.parameters()["a/kernel"], expected, 0.0, 1e-12)


@pytest.mark.parametrize(("kind", "values"), [("Dense", 45), ("Tied", 45), ("Untied", 75)])
def test_a_weight_that_is_shared_counts_once(ports, kind, values):
    """And one that should be and is not counts twice, once a loss has shown that it is used; a
    weight that nothing uses does not count."""
    port = loaded(ports.port(getattr(ports, kind)))
    port.model.register_parameter(
        "spare", ports.torch.nn.Parameter(ports.torch.zeros(7, dtype=port.dtype))
    )
    port.gradients("train", BATCH)
    assert values == port.trainable_values()


def test_a_statistic_that_is_replaced_is_still_the_parameter(ports):
    """Looks leave it alone, a step moves it, and what is loaded next is what counts."""
    port = loaded(ports.port(ports.Carried, names=("mean",)), mean=np.ones(5))
    port.forward(BATCH, True), port.losses("train", BATCH), port.gradients("train", BATCH)
    np.testing.assert_array_equal(port.parameters()["mean"], np.ones(5))
    expected = 0.5 * (1.0 + X.dot(WEIGHTS["a/kernel"]).mean(0))
    port.train_step("train", BATCH)
    np.testing.assert_allclose(port.parameters()["mean"], expected, 0.0, 1e-13)
    np.testing.assert_allclose(loaded(port, mean=expected).parameters()["mean"], expected, 0.0, 0.0)
    assert [] == port.undeclared_state()


@pytest.mark.parametrize("running", ["default", "compiled"])
def test_torchs_own_batch_norm_works_as_it_comes(ports, running):
    """Its statistics are parameters: they stay in looks and move in steps, by torch's rule; its
    count is nothing to tell."""
    port = loaded(
        ports.port(ports.Normalised, execution=running, names=tuple(STATISTICS)), **STATISTICS
    )
    gradients = port.gradients("train", BATCH)
    port.forward(BATCH, True), port.losses("train", BATCH), port.generate(source(), 3)
    for name, value in port.parameters().items():
        np.testing.assert_array_equal(value, dict(WEIGHTS, **STATISTICS)[name], err_msg=name)
    assert [] == port.undeclared_state()
    port.train_step("train", BATCH)
    after, a = port.parameters(), X.dot(WEIGHTS["a/kernel"])
    np.testing.assert_allclose(after["mean"], 0.9 * 0.5 + 0.1 * a.mean(0), 0.0, 1e-13)
    np.testing.assert_allclose(after["variance"], 0.9 * 3.0 + 0.1 * a.var(0, ddof=1), 0.0, 1e-13)
    np.testing.assert_allclose(after["gamma"], 2.0 - 0.125 * gradients["gamma"], 0.0, 1e-13)


def test_a_method_that_nothing_calls_is_refused(ports):
    """As a port has it that is derived from a shipped one: what it changes would go unseen."""
    with pytest.raises(BrokenPort, match="Unheard defines `terms`, which nothing calls"):
        ports.port(ports.Unheard)
