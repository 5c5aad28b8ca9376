"""`zoo_scaling` on TF2: Keras' SGD with its schedule and its clipping, under a dynamic loss
scale."""

import tensorflow as tf

from backends.tf2.core import Tf2Port
from backends.tf2.optimizers import KerasOptimizer, Scaled
from backends.tf2.training import Trainer


class ScalingTrainer(Trainer):
    """A trainer that scales in every precision."""

    def __init__(self, port, named):
        super().__init__(port, named)
        config, self.scaled = self.config, True
        rates = [config["rate"], config["rate"] * config["factor"]]
        # A boundary is the last step of the old rate, counted from 0; steps that are passed over do
        # not count.
        schedule = tf.keras.optimizers.schedules.PiecewiseConstantDecay(
            [config["updates_at_first"] - 1], rates
        )
        sgd = KerasOptimizer(
            tf.keras.optimizers.SGD(schedule, global_clipnorm=config["clip_norm"]), named
        )
        self.optimizers["sgd"] = Scaled(sgd, config["loss_scale"], config["growth"])


class Port(Tf2Port):
    """A regressor."""

    PRODUCT = "prediction"

    def __init__(self, config, setting):
        super().__init__(config, setting)
        self.trainer = ScalingTrainer(self, self.variables())
        self.weights = self.trainer.weights

    def build(self):
        """Return both layers."""
        dense, low = tf.keras.layers.Dense, self.policies["low"]
        return {
            "hidden": dense(self.config["units"], activation="relu", dtype=low),
            "output": dense(1, dtype=low),
        }

    def inputs(self):
        """Return what goes in."""
        return {"x": (self.dtype, [None, self.config["features"]]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return both layers."""
        hidden = self.layers["hidden"](arrays["x"])
        return {"hidden": hidden, "prediction": tf.cast(self.layers["output"](hidden), self.dtype)}

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": tf.reduce_mean(
                tf.square(self.activations(arrays, noise, True)["prediction"] - arrays["y"])
            )
        }
