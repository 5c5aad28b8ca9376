"""Small TF1 ports with a peculiarity each, for the tests of what the base class makes of it.
Loaded by path, on TF1's interface alone."""

from __future__ import annotations

import tensorflow.compat.v1 as tf

from backends.contract import Setting
from backends.tf1.core import Tf1Port


class Stateful(Tf1Port):
    """x [n, 6] -> a [n, 5] -> logits [n, 3], with a variable that every pass moves, and a copy
    that two layers share."""

    PRODUCT = "logits"

    def inputs(self):
        return {"x": (self.dtype, [None, 6]), "y": (tf.int64, [None])}

    def activations(self, arrays, noise, training):
        with tf.variable_scope("a"):
            a = tf.matmul(self.low(arrays["x"]), self.low(self.variable("kernel")))
        seen = tf.get_variable(
            "seen", [5], self.dtype, tf.zeros_initializer(), trainable=False, use_resource=True
        )
        state = seen.read_value()
        if training:
            with tf.control_dependencies([state]):
                moved = seen.assign_add(tf.reduce_mean(tf.cast(a, self.dtype), 0))
            with tf.control_dependencies([moved]):
                a = tf.identity(a)
        copy = tf.identity(a)
        shown = {
            "a": a,
            "place": tf.argmax(copy, 1),
            "complex": tf.complex(copy, -copy),
            "other": tf.tanh(copy) + state,
        }
        with tf.variable_scope("b"):
            shown["logits"] = tf.matmul(shown["other"], self.low(self.variable("kernel")))
        return shown

    def loss_terms(self, phase, arrays, noise):
        logits = self.activations(arrays, noise, True)["logits"]
        return {
            "total": tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=arrays["y"], logits=logits)
            )
        }


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


def port(kind, precision="fp64"):
    """Return a port on two threads, as all tests have it."""
    return kind(config(), Setting(precision=precision, threads=2))
