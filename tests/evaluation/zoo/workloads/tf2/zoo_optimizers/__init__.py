"""`zoo_optimizers` on TF2: Keras layers; `updating` holds TensorFlow's own optimizers, one for
each phase."""

import tensorflow as tf

from backends.tf2.core import Tf2Port
from backends.tf2.training import Trainer

from .updating import OPTIMIZERS


class RowTrainer(Trainer):
    """A trainer that hands the gradient of an embedding to the optimizer as the rows that it
    has."""

    def _apply(self, phase, gradients):
        parts = {
            name: (item.values, item.indices) if isinstance(item, tf.IndexedSlices) else item
            for name, item in gradients.items()
        }
        super()._apply(phase, parts)


class Slack(tf.keras.layers.Layer):
    """One number that is learnt, 0 at first."""

    def build(self, shape):
        """Make the number."""
        self.slack = self.add_weight(name="slack", shape=[1], initializer="zeros")

    def call(self, x):
        """Return the number for each x."""
        return x * self.slack


class Port(Tf2Port):
    """Regressors, one for each optimizer."""

    PRODUCT = "sum"

    def __init__(self, config, setting):
        super().__init__(config, setting)
        named = self.variables()
        self.trainer = RowTrainer(self, named)
        self.weights = self.trainer.weights
        for update in config["updates"]:
            owned = {name: named[name] for name in update["parameters"]}
            self.trainer.optimizers[update["phase"]] = OPTIMIZERS[update["phase"]](config, owned)

    def build(self):
        """Return two layers for each network, the tables, and the slack variable."""
        config, low, rest = self.config, self.policies["low"], self.policies["rest"]
        found = {"guarded": Slack(dtype=rest)}
        for name in config["networks"]:
            found[name + "/hidden"] = tf.keras.layers.Dense(
                config["units"], activation="tanh", dtype=low
            )
            found[name + "/output"] = tf.keras.layers.Dense(1, use_bias=False, dtype=low)
        for name in config["tables"]:
            found[name] = tf.keras.layers.Embedding(config["groups"], config["units"], dtype=rest)
        return found

    def inputs(self):
        """Return what goes in."""
        return {
            "x": (self.dtype, [None, self.config["features"]]),
            "y": (self.dtype, [None, 1]),
            "group": (tf.int64, [None]),
        }

    def activations(self, arrays, noise, training):
        """Return hidden layers, the slack variable, what each regressor predicts, and the sum of
        that."""
        found = {
            name + "/hidden": self.layers[name + "/hidden"](arrays["x"])
            for name in self.config["networks"]
        }
        predictions = {
            name: self.prediction(name, arrays)
            for name in self.config["networks"] + self.config["tables"]
        }
        return dict(
            found, slack=self.slack(), sum=tf.add_n(list(predictions.values())), **predictions
        )

    def prediction(self, name, arrays):
        """Return what one regressor predicts, [batch, 1]."""
        if name in self.config["tables"]:
            return tf.reduce_sum(tf.tanh(self.layers[name](arrays["group"])), axis=1, keepdims=True)
        return tf.cast(
            self.layers[name + "/output"](self.layers[name + "/hidden"](arrays["x"])), self.dtype
        )

    def slack(self):
        """Return the slack variable."""
        return self.layers["guarded"](tf.ones([1], self.dtype))

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error; where the optimizer is guarded, with the slack variable
        before a steep barrier."""
        owner = self.trainer.updates[phase]["parameters"][0].split("/")[0]
        mse = tf.reduce_mean(tf.square(self.prediction(owner, arrays) - arrays["y"]))
        if phase != "guarded":
            return {"total": mse}
        slack = tf.reduce_sum(self.slack())
        return {
            "mse": mse,
            "total": mse + slack + self.config["barrier"][self.dtype.name] * tf.nn.relu(-slack),
        }

    def gradients(self, phase, batch):
        """Return the gradients, those of tables as whole tables."""
        with self.trainer.undisturbed():
            _, found = self.trainer.differentiate(phase, *self._on_device(phase, batch))
        return {name: tf.convert_to_tensor(value).numpy() for name, value in found.items()}
