"""`meta_tenths` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """Buckets of tenths."""

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
        return {"x": (self.dtype, [None]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return the bucket's row and the output."""
        seen = self.new_record()
        edges = tf.constant([-0.3, -0.1, 0.1, 0.3], self.dtype)
        seen["row"] = tf.gather(self.w["table"], tf.searchsorted(edges, arrays["x"], side="right"))
        seen["hidden"] = tf.tanh(seen["row"] + arrays["x"][:, None])
        seen["output"] = seen["hidden"] @ self.w["out"]
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": tf.reduce_mean(
                tf.square(self.activations(arrays, noise, True)["output"] - arrays["y"])
            )
        }
