"""`linear` on TF2: one Keras layer; see `harness/workloads/linear.py` for the specification."""

from __future__ import annotations

from typing import Any, Dict, Mapping

import tensorflow as tf

from backends.tf2.core import Tf2Port


class Port(Tf2Port):
    """y = x W + b with a ridge penalty on W."""

    PRODUCT = "prediction"

    def build(self) -> Dict[str, Any]:
        # Keras' l2 is s sum(w^2), without TF1's half.
        ridge = tf.keras.regularizers.l2(0.5 * self.config["l2"])
        return {
            "linear": tf.keras.layers.Dense(1, kernel_regularizer=ridge, dtype=self.policies["low"])
        }

    def inputs(self) -> Dict[str, Any]:
        return {"x": (self.dtype, [None, self.config["features"]]), "y": (self.dtype, [None, 1])}

    def variables(self) -> Dict[str, Any]:
        return {"W": self.layers["linear"].kernel, "b": self.layers["linear"].bias}

    def activations(self, arrays: Mapping[str, Any], noise: Any, training: bool) -> Dict[str, Any]:
        seen: Dict[str, Any] = self.new_record()
        seen["prediction"] = tf.cast(self.layers["linear"](arrays["x"]), self.dtype)
        return seen

    def loss_terms(self, phase: str, arrays: Mapping[str, Any], noise: Any) -> Dict[str, Any]:
        prediction = self.activations(arrays, noise, training=True)["prediction"]
        mse = tf.reduce_mean(tf.square(prediction - arrays["y"]))
        l2 = self.regularization()
        return {"mse": mse, "l2": l2, "total": mse + l2}
