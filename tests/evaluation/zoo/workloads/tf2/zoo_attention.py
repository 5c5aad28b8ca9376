"""`zoo_attention` on TF2."""

import math

import tensorflow as tf

from backends.tf2.core import Tf2Port

DENSE = {
    "query": "width",
    "key": "width",
    "value": "width",
    "merge": "width",
    "inner": "hidden",
    "outer": "width",
    "dense": "classes",
}


@tf.custom_gradient
def dense_gradient(table):
    """Return a table whose gradient is a tensor, not the rows that were looked up."""
    return tf.identity(table), tf.convert_to_tensor


def gelu(x):
    """Return x times the normal distribution's integral. Of `tf.nn.gelu` the root of 2 is a
    float32 for float64, too."""
    return 0.5 * x * tf.math.erfc(x * tf.constant(-math.sqrt(0.5), x.dtype))


class Port(Tf2Port):
    """A block of a transformer, ten classes."""

    PRODUCT = "probabilities"

    def build(self):
        """Return the layers."""
        config, layers = self.config, tf.keras.layers
        found = {
            name: layers.Dense(config[width], dtype=self.policies["low"])
            for name, width in DENSE.items()
        }
        for name in ("norm1", "norm2"):
            found[name] = layers.LayerNormalization(
                epsilon=config["epsilon"], dtype=self.policies["rest"]
            )
        found["embedding"] = layers.Embedding(
            config["tokens"], config["width"], dtype=self.policies["rest"]
        )
        found["embedding"].build([None])
        return found

    def inputs(self):
        """Return what goes in."""
        return {"x": (tf.int64, [None, self.config["steps"]]), "y": (tf.int64, [None])}

    def heads(self, x):
        """Return [batch, heads, steps, width of a head] of [batch, steps, width]."""
        steps, heads = self.config["steps"], self.config["heads"]
        return tf.transpose(
            tf.reshape(x, [-1, steps, heads, self.config["width"] // heads]), [0, 2, 1, 3]
        )

    def rotated(self, x):
        """Return [..., steps, width of a head] turned by angles that grow with the position; the
        halves are the coordinates."""
        positions = tf.range(self.config["steps"], dtype=self.dtype)
        angles = positions[:, None] * tf.constant(self.config["frequencies"], self.dtype)
        (x, y), cos, sin = tf.split(x, 2, axis=-1), tf.cos(angles), tf.sin(angles)
        return tf.concat([x * cos - y * sin, y * cos + x * sin], axis=-1)

    def attention(self, x, present, found):
        """Return what each position takes from those that it may see."""
        config, layers = self.config, self.layers
        query, key, value = (self.heads(layers[name](x)) for name in ("query", "key", "value"))
        scores = tf.matmul(self.rotated(query), self.rotated(key), transpose_b=True)
        found["scores"] = scores / tf.sqrt(
            tf.constant(config["width"] // config["heads"], self.dtype)
        )
        steps = tf.range(config["steps"])
        allowed = present[:, None, None, :] & (steps <= steps[:, None])
        found["attention"] = tf.nn.softmax(
            tf.where(allowed, found["scores"], tf.constant(config["masked"], self.dtype))
        )
        context = tf.transpose(tf.matmul(found["attention"], value), [0, 2, 1, 3])
        return layers["merge"](tf.reshape(context, [-1, config["steps"], config["width"]]))

    def activations(self, arrays, noise, training):
        """Return the outputs of the layers."""
        layers = self.layers
        table = dense_gradient(tf.convert_to_tensor(layers["embedding"].embeddings))
        found = self.new_record()
        found["embedding"] = tf.gather(table, arrays["x"])
        found["context"] = self.attention(found["embedding"], arrays["x"] > 0, found)
        found["norm1"] = layers["norm1"](found["embedding"] + found["context"])
        found["inner"] = layers["inner"](found["norm1"])
        found["gelu"] = gelu(found["inner"])
        found["norm2"] = layers["norm2"](found["norm1"] + layers["outer"](found["gelu"]))
        found["logits"] = layers["dense"](tf.reduce_mean(found["norm2"], axis=1))
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
