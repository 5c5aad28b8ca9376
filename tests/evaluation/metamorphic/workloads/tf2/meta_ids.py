"""`meta_ids` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """Tables of hashed keys."""

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
        """Return keys and targets."""
        return {"key": (tf.int64, [None]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return what becomes of a key, and the output."""
        seen = self.new_record()
        seen["mixed"] = arrays["key"] * 3 + 1
        seen["bucket"] = tf.math.floormod(seen["mixed"], 7)
        seen["group"] = tf.math.floormod(tf.math.floordiv(arrays["key"], 10), 5)
        seen["share"] = tf.cast(tf.math.floormod(arrays["key"], 300), self.dtype)[:, None] / 300.0
        rows = [
            tf.gather(self.w["buckets"], seen["bucket"]),
            tf.gather(self.w["groups"], seen["group"]),
            seen["share"],
        ]
        seen["output"] = tf.concat(rows, 1) @ self.w["out"]
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": tf.reduce_mean(
                tf.square(self.activations(arrays, noise, True)["output"] - arrays["y"])
            )
        }
