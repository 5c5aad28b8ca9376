import tensorflow as tf
from backends.tf2.core import Tf2Port
L = tf.keras.layers


class Port(Tf2Port):
    PRODUCT = "logits"

    def build(self):
        low = self.policies["low"]
        return {"emb": L.Embedding(12, 5, dtype=low), "out": L.Dense(3, dtype=low)}

    def inputs(self):
        return {"t": (tf.int64, [None, 4]), "y": (tf.int64, [None])}

    def activations(self, arrays, noise, training):
        s = self.new_record()
        s["bag"] = tf.reduce_sum(self.layers["emb"](arrays["t"]), 1)
        s["logits"] = self.layers["out"](s["bag"])
        return s

    def loss_terms(self, phase, arrays, noise):
        s = self.activations(arrays, noise, True)
        return {"total": tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(arrays["y"], s["logits"]))}
