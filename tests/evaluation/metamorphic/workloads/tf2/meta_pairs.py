"""`meta_pairs` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """A contrastive loss."""

    PRODUCT = "similarity"

    def build(self):
        """Return no layers: the encoder is a product."""
        return {}

    def create(self):
        """Return the variables."""
        self.w = {
            item["name"]: tf.Variable(tf.zeros(item["shape"], self.dtype))
            for item in self.config["parameters"]
        }
        return self.w

    def inputs(self):
        """Return both views."""
        return {"x": (self.dtype, [None, 5]), "z": (self.dtype, [None, 5])}

    def activations(self, arrays, noise, training):
        """Return both encodings and how alike they are."""
        seen = self.new_record()
        seen["anchor"] = tf.tanh(arrays["x"] @ self.w["kernel"])
        seen["partner"] = tf.tanh(arrays["z"] @ self.w["kernel"])
        seen["similarity"] = 4.0 * tf.matmul(seen["anchor"], seen["partner"], transpose_b=True)
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the cross-entropy of each row's own partner."""
        found = self.activations(arrays, noise, True)["similarity"]
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.range(tf.shape(found)[0]), found)
        return {"total": tf.reduce_mean(each)}
