"""`meta_packed` on TF2: every row goes through all hours, and keeps its state where it has
ended."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """A recurrent cell with a mask."""

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
        """Return sequences, lengths and targets."""
        return {
            "x": (self.dtype, [None, 5, 3]),
            "length": (tf.int64, [None]),
            "y": (self.dtype, [None, 1]),
        }

    def activations(self, arrays, noise, training):
        """Return the last state and the output."""
        seen, x = self.new_record(), arrays["x"]
        state = x[:, 0, :1] * tf.zeros((1, 4), self.dtype)
        for hour in range(5):
            following = tf.tanh(x[:, hour] @ self.w["kernel"] + state @ self.w["recurrent"])
            state = tf.where(arrays["length"][:, None] > hour, following, state)
        seen["state"] = state
        seen["output"] = seen["state"] @ self.w["out"]
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": tf.reduce_mean(
                tf.square(self.activations(arrays, noise, True)["output"] - arrays["y"])
            )
        }
