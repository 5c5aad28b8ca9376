"""`zoo_averages` on TF2: Keras layers and `tf.train.ExponentialMovingAverage`."""

import math

import numpy as np
import tensorflow as tf

from backends.source import Batch
from backends.tf2.core import Tf2Port
from backends.tf2.training import Trainer


class AveragingTrainer(Trainer):
    """A trainer that keeps a moving average of the trainable weights."""

    def __init__(self, port, named):
        super().__init__(port, named)
        self.averaged = [
            self.weights[item["name"]] for item in self.config["parameters"] if item["trainable"]
        ]
        # As in TF1's examples, the global step warms the decay up: min(decay, (1 + step) / (10 +
        # step)).
        self.average = tf.train.ExponentialMovingAverage(
            self.config["decay"], num_updates=self.optimizers["sgd"].step
        )
        self.average.apply(self.averaged)  # makes the averages

    def update(self, phase, arrays, noise):
        """Run one update; return the loss terms before it."""
        found = super().update(phase, arrays, noise)
        self.average.apply(self.averaged)
        return found


class Port(Tf2Port):
    """A regressor with averaged weights."""

    PRODUCT = "prediction"

    def __init__(self, config, setting):
        super().__init__(config, setting)
        self.trainer = AveragingTrainer(self, self.variables())
        self.weights = self.trainer.weights

    def build(self):
        """Return the layers."""
        layers, low = tf.keras.layers, self.policies["low"]
        return {
            "hidden": layers.Dense(self.config["units"], activation="tanh", dtype=low),
            "batch_norm": layers.BatchNormalization(
                dtype=self.policies["rest"], **self.config["batch_norm"]
            ),
            "output": layers.Dense(1, dtype=low),
        }

    def inputs(self):
        """Return what goes in."""
        return {"x": (self.dtype, [None, self.config["features"]]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return all three layers."""
        hidden = tf.cast(self.layers["hidden"](arrays["x"]), self.dtype)
        normal = self.layers["batch_norm"](hidden, training=training)
        return {
            "hidden": hidden,
            "batch_norm": normal,
            "prediction": tf.cast(self.layers["output"](normal), self.dtype),
        }

    def evaluation(self):
        """Return the mean squared error over the rows held out, a batch at a time: Keras weights
        batches by their rows."""
        x, y = [tf.constant(self.config["held_out"][name], self.dtype) for name in ("x", "y")]
        size, total = self.config["batch"], 0.0
        for start in range(0, len(y), size):
            prediction = self.activations({"x": x[start : start + size]}, None, training=False)[
                "prediction"
            ]
            error = tf.reduce_mean(tf.square(prediction - y[start : start + size]))
            total += error * len(prediction)
        return total / len(y)

    def loss_terms(self, phase, arrays, noise):
        """Return the loss of the rows held out, and of the batch."""
        evaluation = self.evaluation()
        prediction = self.activations(arrays, noise, training=True)["prediction"]
        return {
            "evaluation": evaluation,
            "total": tf.reduce_mean(tf.square(prediction - arrays["y"])),
        }

    def load_parameters(self, values):
        """Set the weights, and the averages to them."""
        super().load_parameters(values)
        for variable in self.trainer.averaged:
            self.trainer.average.average(variable).assign(variable)

    def _lockstep(self, source, phases):
        """Run one step; the last batch of an epoch is what is left of it."""
        batch, size = source.batch(source.cursor, "train"), self.config["batch"]
        place = source.cursor % math.ceil(self.config["epoch_rows"] / size)
        left = min(size, self.config["epoch_rows"] - place * size)
        kept = np.sort(np.argsort(batch.arrays["row"])[:left])
        batch = Batch({name: value[kept] for name, value in batch.arrays.items()}, batch.noise)
        return [("train", self.trainer.update("train", *self._on_device("train", batch)))]

    def generate(self, source, count):
        """Return what the averaged weights predict; moving statistics are as they are."""
        kept = [tf.identity(variable) for variable in self.trainer.averaged]
        for variable in self.trainer.averaged:
            variable.assign(self.trainer.average.average(variable))
        found = super().generate(source, count)
        for variable, value in zip(self.trainer.averaged, kept, strict=True):
            variable.assign(value)
        return found
