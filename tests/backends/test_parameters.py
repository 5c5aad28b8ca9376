"""A shape that differs is told as such, whoever found out; every other error stays what it is."""

from __future__ import annotations

import numpy as np
import pytest

from backends import parameters
from backends.contract import Port, Setting, ShapeMismatch


class Wrapped(Port):
    """A port of somebody's own, whose assignment raises what it likes."""

    def __init__(self, shape, error):
        Port.__init__(self, {"workload": "wrapped", "parameters": [{"name": "w", "shape": [2, 3]}]}, Setting())
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


@pytest.mark.parametrize("error", [RuntimeError("The size of tensor a (3) must match"), AssertionError(), KeyError("w"), ValueError("no")])
def test_what_a_port_raises_at_another_shape_is_a_mismatch(error):
    """Both shapes are told, and what was raised stays behind it."""
    with pytest.raises(ShapeMismatch, match=r"w has shape \[3\] in this port, \[2, 3\] is given") as caught:
        parameters.load(Wrapped((3,), error), {"w": np.zeros((2, 3))})
    assert error is caught.value.__cause__


def test_another_error_stays_what_it_is():
    """A port that fails at the right shape has another fault."""
    with pytest.raises(RuntimeError, match="broken"):
        parameters.load(Wrapped((2, 3), RuntimeError("broken")), {"w": np.zeros((2, 3))})


def test_a_port_that_shows_nothing_keeps_its_error():
    """Where the port cannot be asked, why it was not loaded is what counts."""
    port = Wrapped((3,), RuntimeError("broken"))
    port.own = None
    with pytest.raises(RuntimeError, match="broken"):
        parameters.load(port, {"w": np.zeros((2, 3))})


def test_a_port_that_takes_any_shape_is_loaded():
    """Shapes are asked for only where loading has failed: a port may have none before."""
    port = Wrapped((), None)
    parameters.load(port, {"w": np.ones((2, 3))})
    assert (2, 3) == port.parameter_shapes()["w"]
