"""`meta_range` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """A running range."""

    PRODUCT = "output"

    def build(self):
        """Return no layers."""
        return {}

    def create(self):
        """Return the variables."""
        self.w = {
            item["name"]: tf.Variable(
                tf.zeros(item["shape"], self.dtype), trainable=item["trainable"]
            )
            for item in self.config["parameters"]
        }
        return self.w

    def inputs(self):
        """Return rows and targets."""
        return {"x": (self.dtype, [None, 5]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return the values before and after the division."""
        seen = self.new_record()
        seen["hidden"] = arrays["x"] @ self.w["kernel"]
        wide = tf.convert_to_tensor(self.w["range"])
        if training:
            wide = tf.maximum(
                0.9375 * wide, tf.stop_gradient(tf.reduce_max(tf.abs(seen["hidden"])))
            )
            self.w["range"].assign(wide)
        seen["scaled"] = seen["hidden"] / wide
        seen["output"] = seen["scaled"] @ self.w["out"]
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": tf.reduce_mean(
                tf.square(self.activations(arrays, noise, True)["output"] - arrays["y"])
            )
        }
