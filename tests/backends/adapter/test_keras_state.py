"""State in objects of the users' own, and in optimizers of every kind: found, put back, named."""

from __future__ import annotations

import numpy as np
import pytest

from backends import pair
from backends.adapter.draws import Draws

pytestmark = [pytest.mark.backends("tf2"), pytest.mark.workloads("linear")]
GENERATOR = np.random.RandomState(4)
ROWS = {"x": GENERATOR.normal(size=(8, 5)), "y": GENERATOR.normal(size=(8, 2))}


def test_a_models_own_train_step(keras, make):
    """A VAE as in Keras' examples: a step of its own with an optimizer under another name, noise in
    a layer, two losses kept in metrics; the optimizer that Keras gives to all is left out."""
    import tensorflow as tf

    class Vae(keras.Model):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = keras.layers.Dense(6), keras.layers.Dense(5)
            self.main = keras.metrics.Mean(name="main_loss")
            self.seen = 0

        @property
        def metrics(self):
            return [self.main]

        def compile(self, rule):
            super().compile()
            self.rule = rule

        def call(self, x, training=None):
            mean, log_var = tf.split(self.encoder(x), 2, 1)
            noise = tf.random.normal(tf.shape(mean), dtype=mean.dtype)
            return self.decoder(mean + tf.exp(0.5 * log_var) * noise)

        def train_step(self, data):
            x = data[0]
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self(x, training=True) - x) ** 2)
            weights = self.trainable_weights
            self.rule.apply_gradients(zip(tape.gradient(loss, weights), weights))
            self.main.update_state(loss)
            self.seen += 1
            return {"main_loss": self.main.result()}

    def function():
        model = Vae()
        model.compile(keras.optimizers.Adam(2.0**-6))
        return pair.keras(model)

    side = make(function)
    survey = side.survey(ROWS)
    (phase,) = survey.phases
    assert phase.losses == ("main_loss", "total") and phase.optimizers == ("",)
    assert survey.optimizers[0].type == "Adam" and len(survey.optimizers[0].pieces) == 4
    noise = [draw for draw in survey.draws if draw.kind == "normal"]
    assert {draw.phase for draw in noise} == {"generate", "forward", "train"}
    losses = [side.step("train", ROWS, Draws("train")).losses for _ in range(2)]
    assert all(item["main_loss"] == pytest.approx(item["total"], rel=1e-6) for item in losses)
    assert losses[0]["total"] != losses[1]["total"]
    assert side.models[""].seen == 2
    side.reset()
    assert side.models[""].seen == 0


def test_state_in_objects_of_the_users_own(keras, make, dense):
    """A trainer that counts, keeps an average of the weights, decays its rate by hand, and draws
    from a generator: all of it is put back."""
    import tensorflow as tf

    class Trainer:
        def __init__(self):
            self.model = dense()
            self.rule = keras.optimizers.SGD(2.0**-4, momentum=0.5)
            self.count, self.history = 0, []
            self.average = tf.Variable(tf.zeros([5, 4], tf.float64), trainable=False)
            self.generator = np.random.RandomState(3)
            self.state = {"best": 1e9}

        def step(self, batch):
            self.count += 1
            self.rule.learning_rate.assign(2.0**-4 / (1 + self.count))
            x = batch["x"] + self.generator.normal() * 1e-3
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self.model(x, training=True) - batch["y"]) ** 2)
            weights = self.model.trainable_variables
            self.rule.apply_gradients(zip(tape.gradient(loss, weights), weights))
            self.average.assign(0.5 * self.average + 0.5 * self.model.layers[1].kernel)
            self.history.append(float(loss))
            self.state["best"] = min(self.state["best"], float(loss))
            return loss

    trainer = []

    def function():
        trainer.append(Trainer())
        return pair.keras(trainer[0].model, step=trainer[0].step)

    side = make(function)
    survey = side.survey(ROWS)
    assert [rule.type for rule in survey.optimizers] == ["SGD"]
    assert (0, [], {"best": 1e9}) == (trainer[0].count, trainer[0].history, trainer[0].state)
    begun, runs = side.parameters(), []
    for _ in range(2):
        runs.append([side.step("train", ROWS, Draws("train")).losses for _ in range(3)])
        runs[-1].append(trainer[0].average.numpy().tolist())
        assert trainer[0].count == 3 and side.counts() == {"": 3}
        side.assign(begun)
        side.reset()
    assert runs[0] == runs[1] and runs[0][0] != runs[0][1]
    assert float(np.asarray(trainer[0].rule.learning_rate)) == 2.0**-4
    assert not trainer[0].average.numpy().any()


def test_optimizers_of_every_kind(keras, make, dense):
    """Old and new ones of Keras 2, those of Keras 3: words, rates, slots; `reset` clears them."""
    kinds = keras.optimizers
    rules = {
        "sgd": lambda: kinds.SGD(2.0**-4, momentum=0.5, nesterov=True, clipvalue=0.5),
        "adam": lambda: kinds.Adam(2.0**-4, amsgrad=True),
        "rmsprop": lambda: kinds.RMSprop(2.0**-4, momentum=0.5, centered=True),
        "adagrad": lambda: kinds.Adagrad(2.0**-4),
        "adadelta": lambda: kinds.Adadelta(2.0**-4),
        "adamax": lambda: kinds.Adamax(2.0**-4),
        "nadam": lambda: kinds.Nadam(2.0**-4),
    }
    newer = getattr(kinds, "experimental", None) or kinds
    if hasattr(newer, "AdamW"):
        rules["adamw"] = lambda: newer.AdamW(2.0**-4, weight_decay=2.0**-6, use_ema=True)
    slots = {
        "sgd": {"velocity"},
        "adam": {"m", "v", "vhat"},
        "rmsprop": {"v", "velocity", "mean"},
        "adamw": {"m", "v", "average"},
    }
    for word, rule in rules.items():

        def function(rule=rule):
            model = dense()
            model.compile(rule(), "mse")
            return pair.keras(model)

        side = make(function)
        (shown,) = side.survey(ROWS).optimizers
        assert shown.kind == word and shown.rates == {"0": 2.0**-4, "1": 2.0**-4, "10": 2.0**-4}
        assert set(shown.slots) == slots.get(word, set(shown.slots)) and shown.slots
        begun, start = side.parameters(), side.slots()[""]
        runs = []
        for _ in range(2):
            for _ in range(2):
                side.step("train", ROWS, Draws("train"))
            runs.append((side.parameters(), side.slots()[""]))
            side.assign(begun)
            side.reset()
        for name in begun:
            np.testing.assert_array_equal(runs[0][0][name], runs[1][0][name])
            for slot, value in start.get(name, {}).items():
                np.testing.assert_array_equal(runs[0][1][name][slot], runs[1][1][name][slot])
                np.testing.assert_array_equal(value, side.slots()[""][name][slot])
                assert np.any(value != runs[0][1][name][slot]), (word, name, slot)
        for slot in shown.slots:
            given = {
                name: 2.0 * held[slot] + 1.0
                for name, held in side.slots()[""].items()
                if slot in held
            }
            side.assign_slots("", slot, given)
            for name, value in given.items():
                np.testing.assert_array_equal(value, side.slots()[""][name][slot])
