"""Averages of weights that Keras keeps are slots; those that a step keeps by itself are told."""

from __future__ import annotations

import pytest

from backends import pair

pytestmark = [pytest.mark.backends("tf2"), pytest.mark.workloads("linear")]
KEPT = 0.75


@pytest.fixture
def rows():
    import numpy as np

    generator = np.random.RandomState(1)
    return {"x": generator.normal(size=(8, 5)), "y": generator.normal(size=(8, 2))}


@pytest.fixture
def program(keras, make):
    """A function that makes a side whose step does something after the update."""
    import tensorflow as tf

    def side(after):
        def function():
            model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2, name="out")])
            optimizer = keras.optimizers.SGD(0.125)
            update = after(tf, model)

            def step(batch):
                with tf.GradientTape() as tape:
                    errors = model(batch["x"], training=True) - batch["y"]
                    loss = tf.reduce_mean(tf.square(errors))
                weights = model.trainable_variables
                optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
                update(model)
                return loss

            return pair.keras(model, optimizer, step=step)

        return make(function)

    return side


@pytest.mark.keras(2, 10)
def test_its_own_is_told_with_its_parameters(keras, make, rows):
    places = getattr(keras.optimizers, "experimental", keras.optimizers)

    def function():
        model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2, name="out")])
        model.compile(places.SGD(0.125, use_ema=True, ema_momentum=KEPT), "mse")
        return pair.keras(model)

    survey = make(function).survey(rows)
    (optimizer,) = survey.optimizers
    assert "average" in optimizer.slots and optimizer.pieces == optimizer.averages
    assert optimizer.hyperparameters["average_weights"] is True
    assert () == survey.hidden_averages


def kept_by_hand(tf, model):
    kept = [tf.Variable(value, dtype=value.dtype) for value in model.trainable_variables]

    def update(now):
        for mean, value in zip(kept, now.trainable_variables):
            mean.assign(KEPT * mean + (1.0 - KEPT) * tf.convert_to_tensor(value))

    return update


def test_one_that_a_step_keeps_by_itself_is_told(program, rows):
    survey = program(kept_by_hand).survey(rows)
    assert () == survey.optimizers[0].averages
    (said,) = survey.hidden_averages
    assert "as an average of out/kernel" in said and said in survey.remarks


def test_a_step_without_one_tells_none(program, rows):
    survey = program(lambda tf, model: lambda now: None).survey(rows)
    assert () == survey.hidden_averages == survey.unseen_averages
