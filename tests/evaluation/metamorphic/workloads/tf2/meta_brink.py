"""`meta_brink` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """Edges, mixed rows, a fast wave."""

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
        """Return numbers and targets."""
        return {"x": (self.dtype, [None, 5]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return each step on the way."""
        seen = self.new_record()
        seen["floored"] = tf.floor(arrays["x"])
        seen["hidden"] = tf.tanh(0.25 * seen["floored"] @ self.w["kernel"])
        seen["mixed"] = 0.75 * seen["hidden"] + 0.25 * tf.roll(seen["hidden"], 1, 0)
        seen["wave"] = tf.sin(32.0 * seen["mixed"])
        seen["output"] = seen["wave"] @ self.w["out"]
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": tf.reduce_mean(
                tf.square(self.activations(arrays, noise, True)["output"] - arrays["y"])
            )
        }
