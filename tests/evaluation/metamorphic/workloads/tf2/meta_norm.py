"""`meta_norm` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """Statistics of the batch."""

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
        """Return what each row is beside the others."""
        seen = self.new_record()
        seen["hidden"] = arrays["x"] @ self.w["kernel"] + self.w["offset"]
        mean, variance = tf.nn.moments(seen["hidden"], [0])
        seen["standard"] = (seen["hidden"] - mean) / tf.sqrt(variance + 2.0**-10)
        seen["below"] = seen["hidden"] - tf.reduce_max(seen["hidden"], 0)
        seen["output"] = (seen["standard"] + seen["below"]) @ self.w["out"]
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": tf.reduce_mean(
                tf.square(self.activations(arrays, noise, True)["output"] - arrays["y"])
            )
        }
