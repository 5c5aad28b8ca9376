"""`zoo_wide` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """A sum of many small terms and a large one."""

    PRODUCT = "prediction"

    def build(self):
        """Return the layer that sums."""
        return {"sum": tf.keras.layers.Dense(1, dtype=self.policies["low"])}

    def inputs(self):
        """Return what goes in."""
        return {"x": (self.dtype, [None, self.config["features"]]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return the sum and its share."""
        total = self.layers["sum"](arrays["x"])
        return {"sum": total, "prediction": tf.cast(total, self.dtype) * self.config["share"]}

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        prediction = self.activations(arrays, noise, training=True)["prediction"]
        return {"total": tf.reduce_mean(tf.square(prediction - arrays["y"]))}
