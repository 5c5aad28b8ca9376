"""`cnn` on TF2: Keras layers, called one by one so that every activation has a name; see
`harness/workloads/cnn.py`."""

from __future__ import annotations

from typing import Any, Dict, Mapping

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """Two convolutions, a dense layer with dropout and batch-norm, ten classes."""

    PRODUCT = "probabilities"

    def build(self) -> Dict[str, Any]:
        config, low, layers = self.config, self.policies["low"], tf.keras.layers
        first, second = config["filters"]
        stride = config["pool_stride"]
        # Keras' l2 is s sum(w^2), without TF1's half.
        ridge = tf.keras.regularizers.l2(0.5 * config["l2"])
        options = config["batch_norm"]
        return {
            "conv1": layers.Conv2D(first, 3, padding="same", activation="relu", dtype=low),
            "pool1": layers.MaxPooling2D(2, strides=stride, dtype=low),
            "conv2": layers.Conv2D(second, 3, padding="same", activation="relu", dtype=low),
            "pool2": layers.MaxPooling2D(2, strides=stride, dtype=low),
            "flatten": layers.Flatten(dtype=low),
            "dense1": layers.Dense(
                config["units"], activation="relu", kernel_regularizer=ridge, dtype=low
            ),
            # On input of rank 2 Keras takes the plain path, whose moving variance is the population
            # variance; the fused kernel of Keras 2, for images, applies Bessel's correction to it.
            "batch_norm": layers.BatchNormalization(
                momentum=options["momentum"],
                epsilon=options["epsilon"],
                dtype=self.policies["rest"],
            ),
            "dense2": layers.Dense(config["classes"], dtype=low),
        }

    def inputs(self) -> Dict[str, Any]:
        return {"x": (self.dtype, [None] + self.config["image"]), "y": (tf.int64, [None])}

    def activations(self, arrays: Mapping[str, Any], noise: Any, training: bool) -> Dict[str, Any]:
        seen: Dict[str, Any] = self.new_record()
        x = arrays["x"]
        for name in ("conv1", "pool1", "conv2", "pool2", "flatten", "dense1"):
            seen[name] = self.layers[name](x)
            x = seen[name]
        x = tf.cast(x, self.dtype)
        seen["dropout"] = (
            self.dropout(x, self.config["dropout_rate"], noise, "dropout") if training else x
        )
        seen["batch_norm"] = self.layers["batch_norm"](seen["dropout"], training=training)
        seen["logits"] = tf.cast(self.layers["dense2"](seen["batch_norm"]), self.dtype)
        seen["probabilities"] = tf.nn.softmax(seen["logits"])
        return seen

    def loss_terms(self, phase: str, arrays: Mapping[str, Any], noise: Any) -> Dict[str, Any]:
        logits = self.activations(arrays, noise, training=True)["logits"]
        # Not Keras' loss object: in Keras 3 it computes in float32 even for a float64 model.
        cross_entropy = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=arrays["y"], logits=logits)
        )
        l2 = self.regularization()
        return {"cross_entropy": cross_entropy, "l2": l2, "total": cross_entropy + l2}
