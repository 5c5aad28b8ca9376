"""`cnn` on TF1: variable scopes and `tf.nn`; see `harness/workloads/cnn.py` for the
specification."""

from __future__ import annotations

import collections
from typing import Any, Dict, Mapping

import tensorflow.compat.v1 as tf

from backends.tf1.core import Tf1Port, ridge


class Port(Tf1Port):
    """Two convolutions, a dense layer with dropout and batch-norm, ten classes."""

    PRODUCT = "probabilities"

    def inputs(self) -> Dict[str, Any]:
        return {"x": (self.dtype, [None] + self.config["image"]), "y": (tf.int64, [None])}

    def activations(self, arrays: Mapping[str, Any], noise: Any, training: bool) -> Dict[str, Any]:
        layers: Dict[str, Any] = collections.OrderedDict()
        layers["conv1"] = self._convolution("conv1", self.low(arrays["x"]))
        layers["pool1"] = self._pool(layers["conv1"])
        layers["conv2"] = self._convolution("conv2", layers["pool1"])
        layers["pool2"] = self._pool(layers["conv2"])
        width = layers["pool2"].shape[1:].num_elements()
        layers["flatten"] = tf.reshape(layers["pool2"], [-1, width])
        dense = self._dense("dense1", layers["flatten"], ridge(self.config["l2"]))
        layers["dense1"] = tf.nn.relu(dense)
        hidden = tf.cast(layers["dense1"], self.dtype)
        if training:
            hidden = hidden * noise["dropout"] / (1.0 - self.config["dropout_rate"])
        layers["dropout"] = hidden
        layers["batch_norm"] = self._batch_norm("batch_norm", hidden, training)
        logits = self._dense("dense2", self.low(layers["batch_norm"]))
        layers["logits"] = tf.cast(logits, self.dtype)
        layers["probabilities"] = tf.nn.softmax(layers["logits"])
        return layers

    def loss_terms(self, phase: str, arrays: Mapping[str, Any], noise: Any) -> Dict[str, Any]:
        logits = self.activations(arrays, noise, training=True)["logits"]
        cross_entropy = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=arrays["y"], logits=logits)
        )
        l2 = self.regularization()
        return collections.OrderedDict(
            [("cross_entropy", cross_entropy), ("l2", l2), ("total", cross_entropy + l2)]
        )

    def _convolution(self, scope: str, x: Any) -> Any:
        with tf.variable_scope(scope):
            kernel, bias = self.low(self.variable("kernel")), self.low(self.variable("bias"))
            product = tf.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding="SAME")
            return tf.nn.relu(tf.nn.bias_add(product, bias))

    def _pool(self, x: Any) -> Any:
        stride = self.config["pool_stride"]
        return tf.nn.max_pool2d(
            x, ksize=[1, 2, 2, 1], strides=[1, stride, stride, 1], padding="VALID"
        )

    def _dense(self, scope: str, x: Any, regularizer: Any = None) -> Any:
        with tf.variable_scope(scope):
            kernel = self.low(self.variable("kernel", regularizer))
            bias = self.low(self.variable("bias"))
            return tf.nn.bias_add(tf.matmul(x, kernel), bias)

    def _batch_norm(self, scope: str, x: Any, training: bool) -> Any:
        """Normalise over the batch. The moving variance is fed the population variance that
        `tf.nn.moments` gives; the fused kernel would apply Bessel's correction to it
        (tensorflow#55545)."""
        options = self.config["batch_norm"]
        with tf.variable_scope(scope):
            gamma, beta = self.variable("gamma"), self.variable("beta")
            moving_mean = mean = self.variable("moving_mean")
            moving_variance = variance = self.variable("moving_variance")
            if training:
                mean, variance = tf.nn.moments(x, axes=[0])
                for moving, batch in ((moving_mean, mean), (moving_variance, variance)):
                    self.subtract(moving, (moving - batch) * (1.0 - options["momentum"]))
            return tf.nn.batch_normalization(x, mean, variance, beta, gamma, options["epsilon"])
