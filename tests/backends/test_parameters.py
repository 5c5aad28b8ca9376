"""A shape that differs is told as such, whoever found out; every other error stays what it is."""

from __future__ import annotations

import numpy as np
import pytest

from backends.contract import Port, Setting, ShapeMismatch
from backends.parameters import check, misshapen
from backends.recording.passes import Run


class Wrapped(Port):
    """A port of somebody's own, whose assignment raises what it likes."""

    def __init__(self, shape, error):
        weight = {"name": "w", "shape": [2, 3], "trainable": True}
        Port.__init__(self, {"workload": "wrapped", "batch": 2, "parameters": [weight]}, Setting())
        self.own, self.error = np.zeros(shape), error

    def load_parameters(self, values):
        if self.error is not None:
            raise self.error
        self.own = np.array(values["w"])

    def parameters(self):
        return {"w": self.own}

    def train(self, source, steps):
        return {}

    def generate(self, source, count):
        return np.zeros(count)


def loaded(port):
    """What a pass over the weights shows of a port, given a `w` of [2, 3]."""
    run = Run(
        port, port.config, {}, {"weights/w": np.zeros((2, 3)), "batches": np.zeros((1, 2), int)}, ()
    )
    return {name: np.shape(value) for _, name, value, _ in run.stages(["weights"], 1)}


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("The size of tensor a (3) must match"),
        AssertionError(),
        KeyError("w"),
        ValueError("no"),
    ],
)
def test_whatever_a_port_raises_another_shape_is_shown_as_it_is(error):
    """It is the judge of the weights that says so, not a job that has ended."""
    assert {"w": (3,)} == loaded(Wrapped((3,), error))


def test_another_error_stays_what_it_is():
    """A port that fails at the right shape has another fault."""
    with pytest.raises(RuntimeError, match="broken"):
        loaded(Wrapped((2, 3), RuntimeError("broken")))


def test_a_port_that_shows_nothing_keeps_its_error():
    """Where the port cannot be asked, why it was not loaded is what counts."""
    port = Wrapped((3,), RuntimeError("broken"))
    port.parameters = lambda: (_ for _ in ()).throw(AttributeError("none yet"))
    assert {} == misshapen(port, {"w": np.zeros((2, 3))})
    with pytest.raises(RuntimeError, match="broken"):
        loaded(port)


def test_a_port_that_takes_any_shape_is_loaded():
    """Shapes are asked for only where loading has failed: a port may have none before."""
    assert {"w": (2, 3)} == loaded(Wrapped((), None))


def test_the_names_and_shapes_of_what_is_loaded_are_checked():
    """Every missing and unknown name at once; a shape with both of them."""
    config = {"workload": "wrapped", "batch": 2, "parameters": [{"name": "w"}, {"name": "b"}]}
    check({"w": np.zeros(2), "b": np.zeros(1)}, config, {"w": (2,), "b": (1,)})
    with pytest.raises(KeyError, match=r"missing \['b'\]; unknown \['c'\]"):
        check({"w": np.zeros(2), "c": np.zeros(1)}, config, {"w": (2,), "b": (1,)})
    with pytest.raises(ShapeMismatch, match=r"w has shape \[3\] in this port, \[2\] is given"):
        check({"w": np.zeros(2), "b": np.zeros(1)}, config, {"w": (3,), "b": (1,)})
