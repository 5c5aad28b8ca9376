"""`wine` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """Softmax regression."""

    PRODUCT = "logits"

    def build(self):
        """Return the layer."""
        return {"dense": tf.keras.layers.Dense(self.config["classes"], dtype=self.policies["low"])}

    def inputs(self):
        """Return what goes in."""
        return {"x": (self.dtype, [None, self.config["features"]]), "y": (tf.int64, [None])}

    def variables(self):
        """Return the layer's weights."""
        return {"kernel": self.layers["dense"].kernel, "bias": self.layers["dense"].bias}

    def activations(self, arrays, noise, training):
        """Return the logits."""
        return {"logits": tf.cast(self.layers["dense"](arrays["x"]), self.dtype)}

    def loss_terms(self, phase, arrays, noise):
        """Return the cross-entropy."""
        logits = self.activations(arrays, noise, True)["logits"]
        return {
            "total": tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=arrays["y"], logits=logits)
            )
        }
