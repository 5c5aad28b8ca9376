"""`zoo_schedule` on TF2: Keras' SGD, its schedule by steps, and its callback for plateaus."""

import types

import tensorflow as tf

from backends.tf2.core import Tf2Port
from backends.tf2.optimizers import KerasOptimizer, inner
from backends.tf2.training import Trainer


class Stepped(KerasOptimizer):
    """SGD with momentum, whose rate changes at a step."""

    def __init__(self, config, variables):
        rates = [config["rate"], config["rate"] * config["factor"]]
        # A boundary is the last step of the old rate, counted from 0.
        schedule = tf.keras.optimizers.schedules.PiecewiseConstantDecay(
            [config["updates_at_first"] - 1], rates
        )
        super().__init__(tf.keras.optimizers.SGD(schedule, momentum=config["momentum"]), variables)

    def slots(self):
        """Return the velocities: rate times momentum, with the rates of their time."""
        return {
            name + "/velocity": inner(value)
            for name, value in zip(self.updated, self.optimizer.momentums, strict=True)
        }


class Plateau(KerasOptimizer):
    """SGD whose rate changes where the loss has stopped falling."""

    def __init__(self, config, variables):
        self.rate = config["rate"]
        super().__init__(tf.keras.optimizers.SGD(self.rate), variables)
        self.callback = tf.keras.callbacks.ReduceLROnPlateau(
            "loss",
            factor=config["factor"],
            patience=config["patience"],
            mode="min",
            min_delta=config["min_delta"],
        )
        self.callback.set_model(types.SimpleNamespace(optimizer=self.optimizer))
        self.callback.on_train_begin()

    def reset(self):
        """Return to the state before the first update."""
        super().reset()
        self.optimizer.learning_rate = self.rate
        self.callback.on_train_begin()


class EpochTrainer(Trainer):
    """A trainer that tells the callback of each update."""

    def update(self, phase, arrays, noise):
        """Run one update; return the loss terms before it."""
        found = super().update(phase, arrays, noise)
        if phase == "plateau":
            self.optimizers[phase].callback.on_epoch_end(0, {"loss": float(found[-1])})
        return found


class Port(Tf2Port):
    """Two regressors."""

    PRODUCT = "sum"

    def __init__(self, config, setting):
        super().__init__(config, setting)
        named = self.variables()
        self.trainer = EpochTrainer(self, named)
        self.weights = self.trainer.weights
        for phase, kind in (("stepped", Stepped), ("plateau", Plateau)):
            self.trainer.optimizers[phase] = kind(
                config, {name: named[name] for name in self.trainer.updates[phase]["parameters"]}
            )

    def build(self):
        """Return a layer for each phase."""
        return {
            phase: tf.keras.layers.Dense(1, dtype=self.policies["low"])
            for phase in self.config["phases"]
        }

    def inputs(self):
        """Return what goes in."""
        return {"x": (self.dtype, [None, self.config["features"]]), "y": (self.dtype, [None, 1])}

    def activations(self, arrays, noise, training):
        """Return both predictions and their sum."""
        found = {
            phase: tf.cast(layer(arrays["x"]), self.dtype) for phase, layer in self.layers.items()
        }
        return dict(found, sum=tf.add_n(list(found.values())))

    def loss_terms(self, phase, arrays, noise):
        """Return the squared error."""
        return {
            "total": tf.reduce_mean(
                tf.square(tf.cast(self.layers[phase](arrays["x"]), self.dtype) - arrays["y"])
            )
        }
