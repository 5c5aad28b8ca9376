"""`zoo_vision` on TF2."""

import tensorflow as tf

from backends.tf2.core import Tf2Port


def bilinear(x, size):
    """Return images [batch, height, width, channels] resized to [batch, size, size, channels].

    `tf.image.resize` answers in float32 whatever it is given; other dtypes are multiplied by its
    matrix.
    """
    if x.dtype == tf.float32:
        return tf.image.resize(x, [size, size])
    unit = tf.eye(x.shape[1])[tf.newaxis, :, :, tf.newaxis]
    matrix = tf.cast(tf.image.resize(unit, [size, x.shape[1]])[0, :, :, 0], x.dtype)
    return tf.einsum("hi,bijc,wj->bhwc", matrix, x, matrix)


class Port(Tf2Port):
    """Every kind of layer that pads, crops, resizes or lays out."""

    PRODUCT = "logits"

    def build(self):
        """Return the layers."""
        config, low, layers = self.config, self.policies["low"], tf.keras.layers
        filters, multiplier = config["filters"], config["multiplier"]
        return {
            "stem": layers.Conv2D(filters, 3, strides=2, padding="same", dtype=low),
            "max_pool": layers.MaxPooling2D(3, strides=2, padding="same", dtype=low),
            "leaky": layers.LeakyReLU(config["slope"], dtype=low),
            "average_pool": layers.AveragePooling2D(3, strides=1, padding="same", dtype=low),
            "depthwise": layers.DepthwiseConv2D(
                3, padding="same", depth_multiplier=multiplier, dtype=low
            ),
            "transposed": layers.Conv2DTranspose(
                filters * multiplier, 3, strides=2, padding="same", dtype=low
            ),
            "flatten": layers.Flatten(dtype=low),
            "head": layers.Dense(config["classes"], dtype=low),
        }

    def inputs(self):
        """Return what goes in."""
        return {"x": (self.dtype, [None, *self.config["image"]]), "y": (tf.int64, [None])}

    def activations(self, arrays, noise, training):
        """Return every layer's output."""
        small = self.config["thumbnail"]
        x = bilinear(arrays["x"], self.config["enlarged"])
        seen = self.new_record()
        seen["enlarged"] = x
        x = seen["enlarged"]
        for name in ("stem", "max_pool", "leaky", "average_pool", "depthwise", "transposed"):
            seen[name] = self.layers[name](x)
            x = seen[name]
        seen["nearest"] = tf.image.resize(x, [small, small], method="nearest")
        seen["thumbnail"] = bilinear(arrays["x"], small)
        seen["flatten"] = self.layers["flatten"](
            tf.concat([seen["nearest"], seen["thumbnail"]], -1)
        )
        seen["logits"] = self.layers["head"](seen["flatten"])
        return seen

    def loss_terms(self, phase, arrays, noise):
        """Return the cross-entropy."""
        logits = self.activations(arrays, noise, training=True)["logits"]
        return {
            "total": tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(arrays["y"], logits)
            )
        }
