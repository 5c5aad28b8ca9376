"""`meta_power` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """Spectral normalisation."""

    PRODUCT = "output"

    def build(self):
        """Return no layers."""
        return {}

    def create(self):
        """Return the variables; the vector is not among them."""
        self.w = {
            item["name"]: tf.Variable(tf.zeros(item["shape"], self.dtype))
            for item in self.config["parameters"]
        }
        self.u = tf.Variable(tf.fill([4, 1], tf.constant(0.5, self.dtype)), trainable=False)
        return self.w

    def inputs(self):
        """Return rows and targets."""
        return {"x": (self.dtype, [None, 5]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return the normalised product and the output."""
        seen, kernel, u = (
            self.new_record(),
            tf.convert_to_tensor(self.w["kernel"]),
            tf.convert_to_tensor(self.u),
        )
        frozen = tf.stop_gradient(kernel)
        v = tf.math.l2_normalize(frozen @ u)
        if training:
            u = tf.math.l2_normalize(tf.matmul(frozen, v, transpose_a=True))
            self.u.assign(u)
        largest = tf.reduce_sum(tf.matmul(v, kernel @ u, transpose_a=True))
        seen["hidden"] = tf.tanh(arrays["x"] @ (kernel / largest))
        seen["output"] = seen["hidden"] @ self.w["out"]
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": tf.reduce_mean(
                tf.square(self.activations(arrays, noise, True)["output"] - arrays["y"])
            )
        }
