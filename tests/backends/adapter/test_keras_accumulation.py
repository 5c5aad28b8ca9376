"""Optimizers that gather gradients over several calls, and those that average the weights."""

from __future__ import annotations

import numpy as np
import pytest

from backends import pair
from backends.adapter.draws import Draws

pytestmark = [pytest.mark.backends("tf2"), pytest.mark.workloads("linear")]
ROWS = {"x": np.ones((8, 5)), "y": np.arange(16.0).reshape(8, 2)}
STEPS, KEPT = 4, 0.75


@pytest.fixture
def gathering(keras, make):
    """A function that makes a side whose optimizer gathers gradients, or not."""

    def side(steps):
        def function():
            model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2, name="out")])
            model.compile(keras.optimizers.SGD(0.125, gradient_accumulation_steps=steps), "mse")
            return pair.keras(model)

        made = make(function)
        made.prepare(ROWS)
        made.assign({name: np.ones(value.shape) for name, value in made.parameters().items()})
        made.reset()
        return made

    return side


@pytest.mark.keras(3)
def test_what_is_differentiated_counts_as_it_is_updated_with(gathering):
    """Keras divides by the number of calls itself: a loss that is divided by hand is the same."""
    plain = gathering(None).step("train", ROWS, Draws("train"))
    gathered = gathering(STEPS).step("train", ROWS, Draws("train"))
    assert gathered.losses["total"] == pytest.approx(plain.losses["total"] / STEPS, rel=1e-12)
    for name, value in plain.gradients.items():
        np.testing.assert_allclose(gathered.gradients[name], value / STEPS, rtol=1e-12)


@pytest.mark.keras(3)
def test_a_teachers_gradient_is_what_the_update_is_made_of(gathering):
    """Of several calls it is their sum, for each is a part of the mean."""
    side = gathering(STEPS)
    before = side.parameters()
    forced = {name: np.full(value.shape, 0.5) for name, value in before.items()}
    for _ in range(STEPS):
        side.step("train", ROWS, Draws("train"), forced)
    for name, value in side.parameters().items():
        np.testing.assert_allclose(value, before[name] - 0.125 * STEPS * 0.5, rtol=1e-12)


@pytest.mark.keras(3)
def test_it_is_surveyed(gathering):
    survey = gathering(STEPS).survey(ROWS)
    (optimizer,) = survey.optimizers
    assert optimizer.steps == STEPS == optimizer.hyperparameters["accumulation_steps"]
    assert any("divided by that" in remark for remark in survey.remarks)
    assert gathering(None).survey(ROWS).optimizers[0].steps == 1


@pytest.fixture
def two_gathering(keras, make):
    """A function that makes a side with two optimizers, a model each, that gather over so many
    calls; both know all variables if `together`."""
    import tensorflow as tf

    def side(steps, together=False):
        def function():
            models, chosen = {}, {}
            for name, own in steps.items():
                models[name] = keras.Sequential(
                    [keras.Input((5,)), keras.layers.Dense(2, name="out")]
                )
                options = {"gradient_accumulation_steps": own} if own else {}
                chosen[name] = keras.optimizers.SGD(0.125, **options)
            every = [variable for each in models.values() for variable in each.trainable_variables]
            for optimizer in chosen.values() if together else ():
                optimizer.build(every)

            def step(batch):
                losses = {}
                for name, model in models.items():
                    with tf.GradientTape() as tape:
                        error = model(batch["x"], training=True) - batch["y"]
                        losses[name] = tf.reduce_mean(error**2)
                    own = model.trainable_variables
                    chosen[name].apply_gradients(zip(tape.gradient(losses[name], own), own))
                return {**losses, "both": losses["g"] + losses["d"]}

            return pair.keras(models, chosen, step=step, forward=lambda b, t: models["g"](b["x"]))

        made = make(function)
        made.prepare(ROWS)
        made.assign({name: np.ones(value.shape) for name, value in made.parameters().items()})
        made.reset()
        return made

    return side


@pytest.mark.keras(3)
@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("steps", [{"g": 4, "d": None}, {"g": 2, "d": 4}])
def test_each_optimizers_parameters_are_divided_by_its_own_factor(two_gathering, steps, together):
    """And what the step returns is told for what it is, whatever each part is divided by."""
    plain = two_gathering(dict.fromkeys(steps)).step("train", ROWS, Draws("train"))
    side = two_gathering(steps, together)
    survey = side.survey(ROWS)
    gathered = side.step("train", ROWS, Draws("train"))
    for name, value in plain.gradients.items():
        own = steps[name.partition("/")[0]] or 1
        np.testing.assert_allclose(gathered.gradients[name], value / own, rtol=1e-12)
    shares = (plain.losses[name] / (own or 1) for name, own in steps.items())
    assert gathered.losses["total"] == pytest.approx(sum(shares), rel=1e-12)
    assert {name: own or 1 for name, own in steps.items()} == {
        optimizer.name: optimizer.steps for optimizer in survey.optimizers
    }
    side.assign({name: np.ones(value.shape) for name, value in side.parameters().items()})
    unwatched = side.step("train", ROWS, None)
    assert unwatched.losses["total"] == pytest.approx(plain.losses["both"], rel=1e-12)


@pytest.mark.keras(2, 10)
def test_the_share_that_an_average_keeps_is_told(keras, make):
    """Where there is an average: every optimizer of Keras' has a number for it."""
    places = getattr(keras.optimizers, "experimental", keras.optimizers)

    def words(**options):
        def function():
            model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2, name="out")])
            model.compile(places.SGD(0.125, **options), "mse")
            return pair.keras(model)

        return make(function).survey(ROWS).optimizers[0].hyperparameters

    assert words(use_ema=True, ema_momentum=KEPT)["average_momentum"] == KEPT
    assert "average_momentum" not in words()
