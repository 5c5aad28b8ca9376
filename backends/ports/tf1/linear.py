"""`linear` on TF1: the low-level-variables model of the TF1 guide; see
`harness/workloads/linear.py`."""

from __future__ import annotations

from typing import Any, Dict, Mapping

import tensorflow.compat.v1 as tf

from backends.tf1.core import Tf1Port, ridge


class Port(Tf1Port):
    """y = x W + b with a ridge penalty on W."""

    PRODUCT = "prediction"

    def inputs(self) -> Dict[str, Any]:
        return {"x": (self.dtype, [None, self.config["features"]]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays: Mapping[str, Any], noise: Any, training: bool) -> Dict[str, Any]:
        weight = self.variable("W", ridge(self.config["l2"]))
        product = tf.matmul(self.low(arrays["x"]), self.low(weight))
        prediction = tf.nn.bias_add(product, self.low(self.variable("b")))
        return {"prediction": tf.cast(prediction, self.dtype)}

    def loss_terms(self, phase: str, arrays: Mapping[str, Any], noise: Any) -> Dict[str, Any]:
        prediction = self.activations(arrays, noise, training=True)["prediction"]
        mse = tf.reduce_mean(tf.square(prediction - arrays["y"]))
        l2 = self.regularization()
        return {"mse": mse, "l2": l2, "total": mse + l2}
