"""`meta_carried` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """A state from batch to batch."""

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
        """Return sequences and targets."""
        return {"x": (self.dtype, [None, 3, 3]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return the state and the output."""
        seen, x = self.new_record(), arrays["x"]
        state = (
            tf.convert_to_tensor(self.w["state"])
            if training
            else x[:, 0, :1] * tf.zeros((1, 4), self.dtype)
        )
        for hour in range(3):
            state = tf.tanh(x[:, hour] @ self.w["kernel"] + state @ self.w["recurrent"])
        seen["hidden"] = state
        if training:
            self.w["state"].assign(seen["hidden"])
        seen["output"] = seen["hidden"] @ self.w["out"]
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": tf.reduce_mean(
                tf.square(self.activations(arrays, noise, True)["output"] - arrays["y"])
            )
        }
