"""`zoo_norm` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Fused(tf.keras.layers.Layer):
    """TF1's batch normalisation of images [batch, height, width, channels], without gamma, on the
    fused kernel.

    The kernel has no float64; there its formula stands: the variance that it returns is n/(n-1)
    times that of the population.
    """

    def __init__(self, epsilon, momentum, **options):
        super().__init__(**options)
        self.epsilon, self.momentum = epsilon, momentum

    def build(self, shape):
        """Make beta and the moving statistics."""
        self.beta = self.add_weight(shape=shape[-1:], name="beta")
        self.moving_mean = self.add_weight(shape=shape[-1:], name="moving_mean", trainable=False)
        self.moving_variance = self.add_weight(
            shape=shape[-1:], name="moving_variance", trainable=False
        )

    def call(self, x, training=False):
        """Return x normalised."""
        beta, mean, variance = [
            tf.convert_to_tensor(item)
            for item in (self.beta, self.moving_mean, self.moving_variance)
        ]
        if not training:
            return tf.nn.batch_normalization(x, mean, variance, beta, None, self.epsilon)
        if x.dtype == tf.float32:
            normal, mean, variance = tf.compat.v1.nn.fused_batch_norm(
                x, tf.ones_like(beta), beta, epsilon=self.epsilon
            )
        else:
            mean, variance = tf.nn.moments(x, [0, 1, 2])
            normal = tf.nn.batch_normalization(x, mean, variance, beta, None, self.epsilon)
            count = tf.cast(tf.size(x) / tf.size(beta), x.dtype)
            variance *= count / (count - 1.0)
        self.moving_mean.assign(self.momentum * self.moving_mean + (1.0 - self.momentum) * mean)
        self.moving_variance.assign(
            self.momentum * self.moving_variance + (1.0 - self.momentum) * variance
        )
        return normal


class Port(Tf2Port):
    """Three kinds of batch normalisation."""

    PRODUCT = "logits"

    def build(self):
        """Return the layers."""
        config, low, rest, layers = (
            self.config,
            self.policies["low"],
            self.policies["rest"],
            tf.keras.layers,
        )
        options = dict(config["batch_norm"], dtype=rest)
        return {
            "conv": layers.Conv2D(config["filters"], 3, strides=2, use_bias=False, dtype=low),
            "fused": Fused(**options),
            "flatten": layers.Flatten(dtype=rest),
            "dense": layers.Dense(config["units"], use_bias=False, dtype=low),
            "frozen": layers.BatchNormalization(trainable=False, **options),
            "block": layers.Dense(config["units"], use_bias=False, dtype=low),
            "last": layers.BatchNormalization(**options),
            "head": layers.Dense(config["classes"], dtype=low),
        }

    def inputs(self):
        """Return what goes in."""
        return {"x": (self.dtype, [None, *self.config["image"]]), "y": (tf.int64, [None])}

    def activations(self, arrays, noise, training):
        """Return every layer's output."""
        seen = self.new_record()
        seen["conv"] = self.layers["conv"](arrays["x"])
        seen["fused"] = self.layers["fused"](seen["conv"], training=training)
        seen["dense"] = self.layers["dense"](self.layers["flatten"](tf.nn.relu(seen["fused"])))
        seen["frozen"] = self.layers["frozen"](seen["dense"], training=training)
        hidden = tf.nn.relu(seen["frozen"])
        seen["block"] = self.layers["block"](hidden)
        seen["last"] = self.layers["last"](seen["block"], training=training)
        seen["logits"] = self.layers["head"](tf.nn.relu(hidden + seen["last"]))
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the cross-entropy."""
        logits = self.activations(arrays, noise, training=True)["logits"]
        return {
            "total": tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(arrays["y"], logits)
            )
        }
