"""`meta_edges` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """Everything that jumps."""

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
        return {"x": (self.dtype, [None, 3]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return each feature and the output."""
        seen, x = self.new_record(), arrays["x"]
        seen["rounded"] = tf.round(x)
        seen["floored"] = tf.floor(x)
        seen["whole"] = tf.cast(tf.cast(x, tf.int64), self.dtype)
        seen["flag"] = x > 0.0
        seen["positive"] = tf.cast(seen["flag"], self.dtype)
        seen["above"] = tf.cast(x >= 1.0, self.dtype)
        seen["level"] = tf.round(x * 1.0) + tf.round(x * 3.0) / 3.0
        seen["one_hot"] = tf.one_hot(tf.cast(seen["floored"][:, 0], tf.int64), 4, dtype=self.dtype)
        edges = tf.constant([-2.0, -1.0, 1.0, 2.0], self.dtype)
        seen["bucket"] = tf.searchsorted(edges, x[:, 1], side="right", out_type=tf.int64)
        seen["row"] = tf.gather(self.w["table"], seen["bucket"])
        parts = [
            seen[name]
            for name in (
                "rounded",
                "floored",
                "whole",
                "positive",
                "above",
                "level",
                "one_hot",
                "row",
            )
        ]
        seen["output"] = tf.concat(parts, 1) @ self.w["mix"]
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": tf.reduce_mean(
                tf.square(self.activations(arrays, noise, True)["output"] - arrays["y"])
            )
        }
