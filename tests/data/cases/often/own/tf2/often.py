import tensorflow as tf
from backends import contract
from backends.tf2.core import Tf2Port
L = tf.keras.layers


class Port(Tf2Port):
    """Trains by Keras' own Adam, which gets the gradient of the embedding as rows and their numbers."""
    PRODUCT, SUMMED = "logits", False
    optimizer_state = contract.Port.optimizer_state

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

    def load_parameters(self, values):
        super().load_parameters(values)
        self.adam = tf.keras.optimizers.Adam(2.0**-7, 0.875, 0.96875, 2.0**-23)

    def update(self, phase, arrays, noise):
        trained = [weight for layer in self.layers.values() for weight in layer.trainable_weights]
        with tf.GradientTape() as tape:
            terms = self.loss_terms(phase, arrays, noise)
        found = tape.gradient(terms["total"], trained)
        if self.SUMMED:
            found = [tf.convert_to_tensor(value) for value in found]
        self.adam.apply_gradients(list(zip(found, trained)))
        return terms
