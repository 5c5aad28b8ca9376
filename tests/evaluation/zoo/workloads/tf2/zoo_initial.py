"""`zoo_initial` on TF2: Keras' initialisers, fed with numbers from the tape."""

import math

import tensorflow as tf

from backends.tf2.core import Tf2Port

#: Standard deviation of a standard normal distribution that is cut off at 2 and -2; Keras divides
#: by it.
CUT_OFF = 0.87962566103423978


@tf.custom_gradient
def dense_gradient(table):
    """Return a table whose gradient is a tensor, not the rows that were looked up."""
    return tf.identity(table), tf.convert_to_tensor


class Port(Tf2Port):
    """The mean of embedded pixels, a residual block, ten classes."""

    PRODUCT = "probabilities"

    def build(self):
        """Return the layers."""
        config, layers, low, rest = (
            self.config,
            tf.keras.layers,
            self.policies["low"],
            self.policies["rest"],
        )
        found = {
            "embedding": layers.Embedding(config["tokens"], config["width"], dtype=rest),
            "block": layers.Dense(config["width"], dtype=low),
            "norm": layers.LayerNormalization(epsilon=config["epsilon"], dtype=rest),
            "dense": layers.Dense(config["classes"], dtype=low),
        }
        found["embedding"].build([None])
        return found

    def inputs(self):
        """Return what goes in."""
        return {"x": (tf.int64, [None, self.config["steps"]]), "y": (tf.int64, [None])}

    def load_parameters(self, values):
        """Initialise every weight from the numbers given."""
        numbers = {name: tf.constant(value, tf.float64) for name, value in values.items()}
        super().load_parameters(
            {name: self.initial(name, value).numpy() for name, value in numbers.items()}
        )

    def initial(self, name, numbers):
        """Return a weight: `RandomUniform`, `HeNormal`, `GlorotUniform`, ones or zeros."""
        if name == "embedding/embeddings":
            return (2.0 * numbers - 1.0) * 0.05
        if name == "block/kernel":
            deviation = math.sqrt(2.0 / numbers.shape[0]) / CUT_OFF
            return tf.clip_by_value(numbers * deviation, -2.0 * deviation, 2.0 * deviation)
        if name == "dense/kernel":
            return (2.0 * numbers - 1.0) * math.sqrt(6.0 / sum(numbers.shape))
        return tf.ones_like(numbers) if name == "norm/gamma" else tf.zeros_like(numbers)

    def activations(self, arrays, noise, training):
        """Return the outputs of the layers."""
        layers = self.layers
        table = dense_gradient(tf.convert_to_tensor(layers["embedding"].embeddings))
        found = {"embedding": tf.reduce_mean(tf.gather(table, arrays["x"]), axis=1)}
        found["norm"] = layers["norm"](layers["block"](found["embedding"]))
        found["logits"] = layers["dense"](found["embedding"] + found["norm"])
        found["probabilities"] = tf.nn.softmax(found["logits"])
        return found

    def loss_terms(self, phase, arrays, noise):
        """Return the cross-entropy."""
        logits = self.activations(arrays, noise, training=True)["logits"]
        return {
            "total": tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=arrays["y"], logits=logits)
            )
        }
