"""Cells of Keras' recurrent layers that the user's own code calls, hour by hour."""

from __future__ import annotations

import numpy as np
import pytest

from backends import pair
from backends.adapter.draws import Draws
from backends.adapter.side import Tap

pytestmark = [pytest.mark.backends("tf2"), pytest.mark.workloads("linear")]
X = np.random.RandomState(5).normal(size=(4, 3, 2))


@pytest.fixture
def climbing(keras):
    """A function that makes a side: a cell run over three hours, then a dense layer."""
    import tensorflow as tf

    class Climb(keras.Model):
        def __init__(self, cell):
            super().__init__()
            self.cell, self.out = cell, keras.layers.Dense(1, name="out")

        def call(self, x):
            sizes = self.cell.state_size
            sizes = [sizes] if isinstance(sizes, int) else sizes
            state = [tf.zeros((len(x), size), x.dtype) for size in sizes]
            for hour in range(3):
                h, state = self.cell(x[:, hour], state)
            return self.out(h)

    def made(name):
        def function():
            model = Climb(getattr(keras.layers, name)(5, name="cell"))
            model.compile("sgd", "mse")
            return pair.keras(model)

        return function

    return made


@pytest.mark.parametrize(
    ("name", "kind", "roles", "attribute"),
    [
        ("LSTMCell", "lstm", {"kernel", "recurrent_kernel", "bias"}, ("unit_forget_bias", True)),
        (
            "GRUCell",
            "gru",
            {"kernel", "recurrent_kernel", "bias", "recurrent_bias"},
            ("reset_after", True),
        ),
        ("SimpleRNNCell", "rnn", {"kernel", "recurrent_kernel", "bias"}, ("activation", "tanh")),
    ],
)
def test_a_cell_is_a_recurrent_layer(make, climbing, name, kind, roles, attribute):
    """Of its kind, with the pieces that torch's cell of that name has; each call shows its
    state."""
    side = make(climbing(name))
    batch = {"x": X, "y": np.zeros((4, 1))}
    survey = side.survey(batch)
    assert [kind, "dense"] == [layer.kind for layer in survey.layers]
    cell = survey.layers[0]
    assert {"units": 5, "return_sequences": False, "cell": True}.items() <= cell.attributes.items()
    assert attribute in cell.attributes.items()
    assert roles == {piece.role for piece in survey.pieces if piece.layer == cell.name}
    taps = [Tap(f"hour {call}", cell.name, call) for call in range(3)]
    shown = side.look(batch, False, Draws("inference"), taps)
    assert {(4, 5)} == {shown[tap.name].shape for tap in taps}
    assert not np.array_equal(shown["hour 0"], shown["hour 1"])
