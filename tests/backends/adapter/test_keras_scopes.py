"""Keras models as Hugging Face writes them: built by their first call, with several weights of one
layer in scopes of their own, and layers whose `build` the code calls itself."""

import sys

import numpy as np
import pytest

from backends import pair
from backends.contract import Setting

pytestmark = [pytest.mark.backends("tf2"), pytest.mark.workloads("linear")]
BATCH = {"ids": np.array([[1, 2, 3], [0, 4, 1]]), "y": np.zeros((2, 2))}


def declared():
    """Embeddings of words and of places in one layer, a norm, a sum."""
    import tensorflow as tf

    keras = tf.keras

    class Embeddings(keras.layers.Layer):
        def __init__(self):
            super().__init__(name="embeddings")
            self.norm = keras.layers.LayerNormalization(name="norm")

        def build(self, shape):
            for scope, rows in (("words", 5), ("places", 3)):
                with tf.name_scope(scope):
                    made = self.add_weight(name="weight", shape=(rows, 4), initializer="uniform")
                setattr(self, scope, made)
            self.norm.build([None, None, 4])
            super().build(shape)

        def call(self, ids):
            return self.norm(tf.gather(self.words, ids) + self.places)

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.embeddings, self.out = Embeddings(), keras.layers.Dense(2)

        def call(self, ids):
            return tf.reduce_sum(self.out(self.embeddings(ids)), 1)

    net = Net()
    optimizer = keras.optimizers.SGD(0.5)

    def step(batch):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((net(batch["ids"]) - batch["y"]) ** 2)
        gradients = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(gradients, net.trainable_variables))
        return loss

    return pair.keras(net, optimizer, step=step, forward=lambda batch, training: net(batch["ids"]))


def test_a_model_that_nobody_has_called(keras):
    """Its weights are told apart, and axes counted from the end."""
    from backends.tf2.adapter import Side

    side = Side(declared, Setting(precision="fp64", threads=2))
    survey = side.survey(BATCH)
    names = {piece.role: piece.shape for piece in survey.pieces if piece.layer == "embeddings"}
    assert {(5, 4), (3, 4)} == {*names.values()}
    norm = next(layer for layer in survey.layers if layer.kind == "layer_norm")
    assert norm.attributes["axis"] in (-1, [-1])
    import tensorflow as tf

    if int(tf.__version__.split(".")[1]) < 16:  # Keras 3 keeps no scope in a variable's name
        assert {"words/weight", "places/weight"} == {*names}


def test_the_version_of_keras(keras, monkeypatch):
    """TensorFlow's own Keras has none from 2.13 to 2.15, and hands on a package that has; before
    2.6 there is no such package, and none is needed."""
    from backends.tf2 import releases

    assert "1.2" == releases.keras_version(type("keras", (), {"__version__": "1.2"}))
    monkeypatch.setitem(sys.modules, "keras", type("keras", (), {"__version__": "2.15.0"}))
    assert "2.15.0" == releases.keras_version(type("keras", (), {}))
    assert int(releases.keras_version(keras).split(".")[0]) >= 2
