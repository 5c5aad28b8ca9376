"""`meta_spectrum` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """A filter of frequencies."""

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
        """Return signals and targets."""
        return {"x": (self.dtype, [None, 8]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return both spectra, the signal and the output."""
        seen = self.new_record()
        seen["spectrum"] = tf.signal.rfft(arrays["x"])
        seen["filtered"] = seen["spectrum"] * tf.complex(
            self.w["real"] * 1.0, self.w["imaginary"] * 1.0
        )
        seen["signal"] = tf.signal.irfft(seen["filtered"], [8])
        seen["output"] = seen["signal"] @ self.w["out"]
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": tf.reduce_mean(
                tf.square(self.activations(arrays, noise, True)["output"] - arrays["y"])
            )
        }
