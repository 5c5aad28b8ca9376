"""`centred` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """A bias directly before batch normalisation."""

    PRODUCT = "prediction"

    def build(self):
        """Return both layers."""
        dense, low = tf.keras.layers.Dense, self.policies["low"]
        return {
            "dense": dense(self.config["units"], dtype=low),
            "head": dense(1, use_bias=False, dtype=low),
        }

    def inputs(self):
        """Return what goes in."""
        return {"x": (self.dtype, [None, self.config["features"]]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return the predictions."""
        hidden = self.layers["dense"](arrays["x"])
        mean, variance = tf.nn.moments(hidden, [0])
        normal = tf.nn.batch_normalization(
            hidden, mean, variance, None, None, self.config["epsilon"]
        )
        return {"prediction": self.layers["head"](normal)}

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        prediction = self.activations(arrays, noise, training=True)["prediction"]
        return {"total": tf.reduce_mean(tf.square(prediction - arrays["y"]))}
