"""`meta_storage` on TF2, where nothing is in place."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """Values that are used twice."""

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
        return {"x": (self.dtype, [None, 5]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return each value and the output."""
        seen = self.new_record()
        seen["half"] = 0.5 * arrays["x"]
        seen["hidden"] = seen["half"] @ self.w["kernel"]
        seen["rectified"] = tf.nn.relu(seen["hidden"])
        seen["doubled"] = tf.concat([2.0 * seen["rectified"][:, :2], seen["rectified"][:, 2:]], 1)
        rest = tf.reduce_sum(arrays["x"], 1, keepdims=True) + tf.reduce_sum(
            seen["hidden"], 1, keepdims=True
        )
        seen["output"] = seen["doubled"] @ self.w["out"] + rest
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": tf.reduce_mean(
                tf.square(self.activations(arrays, noise, True)["output"] - arrays["y"])
            )
        }
