"""What the tests of the adapters share: the stand-in for a framework can be imported by its name
(see `beside` of the folder above); for Keras, sides and what Keras makes layers in."""

from __future__ import annotations

import importlib.util
import os
import sys

import pytest

from backends.contract import Setting

THREADS = 2
HERE = os.path.dirname(os.path.abspath(__file__))
for _name in ("perceptron", "linear_step", "torch_copies"):
    _spec = importlib.util.spec_from_file_location(_name, os.path.join(HERE, _name + ".py"))
    sys.modules[_name] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules[_name])


@pytest.fixture
def keras(workload):
    """TensorFlow's Keras. What it makes layers in is of the whole process: it is put back."""
    import tensorflow as tf

    from backends.tf2.adapter.objects import set_dtypes

    yield tf.keras
    set_dtypes(Setting(precision="fp32", threads=THREADS))


@pytest.fixture
def make(keras):
    """A function that returns the side which a function of a user's makes."""
    from backends.tf2.adapter import Side

    def side(function, precision="fp64"):
        return Side(function, Setting(precision=precision, threads=THREADS))

    return side


@pytest.fixture
def dense(keras):
    """A function that returns a small compiled model."""

    def model(**options):
        x = keras.Input((5,))
        h = keras.layers.Dense(4, "relu", name="h")(x)
        made = keras.Model(x, keras.layers.Dense(2, name="out")(h))
        made.compile(keras.optimizers.Adam(2.0**-6, **options), "mse")
        return made

    return model


@pytest.fixture
def graphs(workload, backend):
    """The graphs; imported where TensorFlow is."""
    name = "tf1_graphs"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, os.path.join(HERE, name + ".py"))
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


_SIDES = {}


@pytest.fixture
def made(graphs):
    """Return a function that makes a side, or the one that an earlier test had, reset."""
    from backends.tf1.adapter import Side

    def make(name, precision="fp64", *arguments):
        key = name, precision, arguments
        if key not in _SIDES:
            function = getattr(graphs, name)
            function = function(*arguments) if name == "classifier" else function
            side = Side(function, Setting(precision=precision, threads=THREADS))
            _SIDES[key] = side, side.snapshot()
        side, start = _SIDES[key]
        side.restore(start)
        return side

    return make
