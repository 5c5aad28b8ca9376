"""`meta_knots` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """Ties in mixed rows."""

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
        """Return tokens and targets."""
        return {"x": (self.dtype, [None, 3]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return each feature and the output."""
        seen = self.new_record()
        value = arrays["x"] * self.w["gain"] + self.w["place"]
        seen["value"] = 0.5 * value + 0.5 * tf.roll(value, 1, 0)
        seen["lowest"] = tf.reduce_min(seen["value"], 1, keepdims=True)
        seen["rectified"] = tf.nn.relu(seen["value"])
        seen["clipped"] = tf.clip_by_value(seen["value"], -1.0, 1.0)
        parts = [seen[name] for name in ("lowest", "rectified", "clipped")]
        seen["output"] = tf.concat(parts, 1) @ self.w["mix"]
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": tf.reduce_mean(
                tf.square(self.activations(arrays, noise, True)["output"] - arrays["y"])
            )
        }
