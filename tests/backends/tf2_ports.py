"""Small TF2 ports with a peculiarity each, for the tests of what the base class makes of it.
Loaded by path, on TensorFlow 2 alone."""

from __future__ import annotations

import tensorflow as tf

from backends import contract
from backends.contract import Setting
from backends.tf2.core import Tf2Port


class Dense(Tf2Port):
    """x [n, 6] -> a [n, 5] -> logits [n, 3]."""

    PRODUCT = "logits"

    def build(self):
        low = self.policies["low"]
        return {
            name: tf.keras.layers.Dense(units, use_bias=False, dtype=low)
            for name, units in (("a", 5), ("b", 3))
        }

    def inputs(self):
        return {"x": (self.dtype, [None, 6]), "y": (tf.int64, [None])}

    def activations(self, arrays, noise, training):
        seen = self.new_record()
        seen["a"] = self.layers["a"](arrays["x"])
        seen["relu"] = self.relu(seen["a"], training)
        seen["logits"] = self.layers["b"](seen["relu"])
        return seen

    def relu(self, x, training):
        return tf.nn.relu(x)

    def loss_terms(self, phase, arrays, noise):
        logits = self.activations(arrays, noise, True)["logits"]
        return {
            "total": tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=arrays["y"], logits=logits)
            )
        }


class Own(Dense):
    """A training step of its own: twice the rate, and only the first kernel. Its slots are not
    shown."""

    optimizer_state = contract.Port.optimizer_state

    def update(self, phase, arrays, noise):
        with tf.GradientTape() as tape:
            terms = self.loss_terms(phase, arrays, noise)
        kernel = self.weights["a/kernel"]
        kernel.assign_sub(0.25 * tape.gradient(terms["total"], kernel))
        return terms


class Stateful(Dense):
    """Variables of its own, of a layer, and running eagerly an attribute, which every training
    pass moves."""

    def create(self):
        self.last, self.kept = (
            None,
            {"seen": tf.Variable(tf.zeros([5], self.dtype), trainable=False)},
        )
        self.layers["norm"] = tf.keras.layers.BatchNormalization(dtype=self.policies["rest"])
        return Dense.create(self)

    def relu(self, x, training):
        if training:
            self.kept["seen"].assign_add(tf.reduce_mean(x, 0))
            if tf.executing_eagerly():
                self.last = x[:1]
        return tf.nn.relu(self.layers["norm"](x, training=training)) + self.kept["seen"]


class Shown(Dense):
    """A variable that is written to after it was shown, a complex value, an integer, and two
    layers that share a copy."""

    def create(self):
        self.held = tf.Variable(tf.zeros([5], self.dtype), trainable=False)
        return Dense.create(self)

    def activations(self, arrays, noise, training):
        seen = self.new_record()
        self.held.assign(tf.zeros_like(self.held))
        seen["held"] = self.held
        self.held.assign_add(tf.ones_like(self.held))
        seen["a"] = self.layers["a"](arrays["x"])
        copy = tf.cast(tf.identity(seen["a"]), self.dtype)
        seen["complex"] = tf.complex(copy, -copy)
        seen["place"] = tf.argmax(copy, 1)
        seen["other"] = tf.math.tanh(copy)
        seen["logits"] = self.layers["b"](seen["other"])
        return seen


def config(**changed):
    """Return a workload's configuration."""
    parameters = [
        {"name": "a/kernel", "shape": [6, 5], "trainable": True},
        {"name": "b/kernel", "shape": [5, 3], "trainable": True},
    ]
    return dict(
        {
            "workload": "dense",
            "batch": 4,
            "phases": ["train"],
            "noise": [],
            "parameters": parameters,
            "updates": [
                {"phase": "train", "optimizer": "sgd", "parameters": ["a/kernel", "b/kernel"]}
            ],
            "schedule": [{"name": "train", "steps": None, "phases": ["train"]}],
            "forward": {"phase": "train", "modes": ["training", "inference"]},
            "optimizers": {"sgd": {"kind": "sgd", "learning_rate": 0.125}},
        },
        **changed,
    )


def port(kind, precision="fp64", execution="default"):
    """Return a port on two threads, as all tests have it."""
    return kind(config(), Setting(precision=precision, execution=execution, threads=2))
