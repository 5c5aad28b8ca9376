"""`meta_rounded` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """Casts at the same places."""

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

    def single(self, value):
        """Return a value rounded to float32."""
        return tf.cast(tf.cast(value, tf.float32), self.dtype)

    def activations(self, arrays, noise, training):
        """Return the hidden values and the output."""
        seen = self.new_record()
        seen["input"] = self.single(arrays["x"])
        hidden = tf.tanh(seen["input"] @ self.w["kernel"])
        seen["hidden"] = self.single(hidden)
        seen["level"] = seen["hidden"] + tf.stop_gradient(
            tf.round(seen["hidden"] * 64.0) / 64.0 - seen["hidden"]
        )
        seen["output"] = seen["level"] @ self.w["out"]
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": self.single(
                tf.reduce_mean(
                    tf.square(self.activations(arrays, noise, True)["output"] - arrays["y"])
                )
            )
        }
