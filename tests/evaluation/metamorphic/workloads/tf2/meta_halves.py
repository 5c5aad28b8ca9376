"""`meta_halves` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """A cast to half precision between two products."""

    PRODUCT = "output"

    def build(self):
        """Return no layers."""
        return {}

    def create(self):
        """Return the variables."""
        self.w = {
            item["name"]: tf.Variable(tf.zeros(item["shape"], self.dtype))
            for item in self.config["parameters"]
        }
        return self.w

    def inputs(self):
        """Return rows and targets."""
        return {"x": (self.dtype, [None, 32]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return the hidden values and the output."""
        seen = self.new_record()
        hidden = tf.tanh(arrays["x"] @ self.w["kernel"])
        seen["hidden"] = tf.cast(tf.cast(hidden, tf.float16), self.dtype)
        seen["output"] = seen["hidden"] @ self.w["out"]
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": tf.reduce_mean(
                tf.square(self.activations(arrays, noise, True)["output"] - arrays["y"])
            )
        }
