"""The nets in Keras: 2.10 and 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from recipes.combinations import (
    BOUNDARY,
    CLASSES,
    CLIPPING,
    DECAY,
    EVERY,
    HIDDEN,
    INPUTS,
    KEPT,
    KINDS,
    LAST,
    OUTPUTS,
    PARTS,
    Combination,
)

keras = tf.keras
#: Keras' words for hyper-parameters.
WORDS = {
    "momentum": "momentum",
    "nesterov": "nesterov",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "epsilon": "epsilon",
    "rho": "rho",
    "centered": "centered",
    "initial": "initial_accumulator_value",
    "power": "learning_rate_power",
    "l1": "l1_regularization_strength",
    "l2": "l2_regularization_strength",
}
CLIPS = {"value": "clipvalue", "norm": "clipnorm", "global": "global_clipnorm"}


def is_keras_3() -> bool:
    """Return whether this is Keras 3, whose optimizers decay weights themselves."""
    return not tf.__version__.startswith("2.10")


def made_rate(chosen: Combination) -> Any:
    """Return the rate of a combination, or its schedule."""
    rate, schedules = KINDS[chosen.kind]["rate"], keras.optimizers.schedules
    if chosen.schedule == "piecewise":
        # Keras' boundary is the last update that has the rate before it.
        return schedules.PiecewiseConstantDecay([BOUNDARY - 1], [rate, rate / 4])
    if chosen.schedule == "exponential":
        return schedules.ExponentialDecay(rate, 1, 0.9)
    if chosen.schedule == "cosine":
        return schedules.CosineDecay(rate, LAST)
    return rate


def made_optimizer(chosen: Combination) -> Any:
    """Return the optimizer of a combination."""
    hyper = KINDS[chosen.kind]
    words: dict[str, Any] = {WORDS[word]: hyper[word] for word in hyper if word != "rate"}
    if chosen.kind == "amsgrad":
        words["amsgrad"] = True
    if chosen.clipping != "none":
        words[CLIPS[chosen.clipping]] = CLIPPING[chosen.clipping]
    if chosen.kind == "adamw" or (chosen.decay == "decoupled" and is_keras_3()):
        words["weight_decay"] = DECAY
    averages = chosen.extra not in ("none", "accumulated")
    if averages:
        words.update(use_ema=True, ema_momentum=KEPT)
        if chosen.extra.endswith("overwritten"):
            words["ema_overwrite_frequency"] = EVERY
    if chosen.extra == "accumulated" and is_keras_3():
        words["gradient_accumulation_steps"] = PARTS
    places: Any = keras.optimizers
    if (chosen.kind == "adamw" or averages) and not is_keras_3():
        places = keras.optimizers.experimental
    return getattr(places, CLASSES[chosen.kind])(made_rate(chosen), **words)


class Trainer:
    """One net and its training."""

    def __init__(self, chosen: Combination) -> None:
        layers = keras.layers
        hidden, out = layers.Dense(HIDDEN, "tanh"), layers.Dense(OUTPUTS)
        self.chosen = chosen
        self.net = keras.Sequential([keras.Input((INPUTS,)), hidden, out])
        self.optimizer = made_optimizer(chosen)

    def accumulated(self, batch: Any) -> Any:
        """Make one update by the gradients of all parts of a batch. Keras 3's optimizer takes their
        mean itself."""
        variables = self.net.trainable_variables
        total, summed = 0.0, [tf.zeros_like(item) for item in variables]
        for x, y in zip(tf.split(batch["x"], PARTS), tf.split(batch["y"], PARTS)):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(self.net(x, training=True) - y))
                part = loss if is_keras_3() else loss / PARTS
            gradients = tape.gradient(part, variables)
            if is_keras_3():
                self.optimizer.apply_gradients(zip(gradients, variables))
            summed = [one + other for one, other in zip(summed, gradients)]
            total += loss / PARTS
        if not is_keras_3():
            self.optimizer.apply_gradients(zip(summed, variables))
        return total

    def step(self, batch: Any) -> Any:
        """Make one update."""
        if self.chosen.extra == "accumulated":
            return self.accumulated(batch)
        variables = self.net.trainable_variables
        with tf.GradientTape() as tape:
            difference = self.net(batch["x"], training=True) - batch["y"]
            loss = tf.reduce_mean(tf.square(difference))
            if self.chosen.decay == "loss":
                squares = [tf.reduce_sum(tf.square(item)) for item in variables]
                loss = loss + DECAY * tf.add_n(squares)
        gradients = tape.gradient(loss, variables)
        by_hand = self.chosen.decay == "decoupled" and self.chosen.kind != "adamw"
        if by_hand and not is_keras_3():
            rate = KINDS[self.chosen.kind]["rate"]
            for item in variables:
                item.assign(item * (1 - rate * DECAY))
        self.optimizer.apply_gradients(zip(gradients, variables))
        return loss


def declared(every: Sequence[Combination]) -> Any:
    """Return the side with a net for each combination."""
    from backends import pair

    trainers = {chosen.name: Trainer(chosen) for chosen in every}
    nets = {name: item.net for name, item in trainers.items()}

    def forward(batch: Any, training: bool) -> Any:
        return tf.concat([net(batch["x"], training=training) for net in nets.values()], 1)

    return pair.keras(
        nets,
        {name: item.optimizer for name, item in trainers.items()},
        step={name: item.step for name, item in trainers.items()},
        forward=forward,
    )
