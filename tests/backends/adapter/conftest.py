"""What the tests of the adapters share: the stand-in for a framework can be imported by its name
(see `beside` of the folder above); for Keras, sides and what Keras makes layers in."""

from __future__ import annotations

import importlib.util
import os
import sys

import pytest

from backends.contract import Setting

THREADS = 2
NAME = "perceptron"
_spec = importlib.util.spec_from_file_location(
    NAME, os.path.join(os.path.dirname(os.path.abspath(__file__)), NAME + ".py")
)
sys.modules[NAME] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules[NAME])


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
