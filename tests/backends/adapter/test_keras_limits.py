"""What cannot be served is listed, what cannot be honoured refused, and the user's own errors come
through."""

from __future__ import annotations

import numpy as np
import pytest

from backends import pair
from backends.adapter.draws import Draws
from backends.contract import Unsupported

pytestmark = [pytest.mark.backends("tf2"), pytest.mark.workloads("linear")]
GENERATOR = np.random.RandomState(4)
ROWS = {"x": GENERATOR.normal(size=(8, 5)), "y": GENERATOR.normal(size=(8, 2))}


def test_numpy_and_what_is_not_served(keras, make, dense):
    """Latent noise from NumPy's global functions is the tape's; a categorical draw is listed."""
    import tensorflow as tf

    def function():
        model = dense()
        rule = keras.optimizers.SGD(2.0**-4)

        def step(batch):
            noise = np.random.normal(0.0, 0.5, size=(8, 5)) + np.random.rand(8, 1)
            chosen = tf.random.categorical(tf.zeros([1, 4]), 2)
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(model(batch["x"] + noise, training=True) ** 2)
                loss += tf.cast(tf.reduce_sum(chosen), loss.dtype)
            weights = model.trainable_variables
            rule.apply_gradients(zip(tape.gradient(loss, weights), weights))
            return loss

        return pair.keras(model, rule, step=step)

    side = make(function)
    survey = side.survey(ROWS)
    shown = [(draw.kind, draw.shape, draw.served) for draw in survey.draws]
    assert shown[:2] == [("normal", (8, 5), True), ("uniform", (8, 1), True)]
    assert shown[2][0] == "other" and not shown[2][2] and "categorical" in survey.draws[2].reason
    assert survey.draws[0].deviation == 0.5 and survey.draws[2].reason in survey.remarks
    before = side.snapshot()
    first = side.step("train", ROWS, Draws("train")).losses
    side.restore(before)
    assert first == side.step("train", ROWS, Draws("train")).losses


def test_errors_come_through_and_nothing_stays_hooked(keras, make):
    """The user's error as it is, from within a layer; every patch is taken out."""
    import tensorflow as tf
    from tensorflow.python.ops import gen_random_ops

    broken = []

    class Layer(keras.layers.Layer):
        def call(self, x):
            if broken:
                raise ZeroDivisionError("the user's own")
            return x

    def function():
        x = keras.Input((5,))
        model = keras.Model(x, keras.layers.Dense(2)(Layer(name="mine")(x)))
        model.compile("adam", "mse")
        return pair.keras(model)

    hooks = lambda: (  # noqa: E731
        keras.layers.Layer.__call__,
        gen_random_ops.random_uniform,
        tf.GradientTape.gradient,
        keras.optimizers.Adam.apply_gradients,
        np.random.normal,
        tf.config.functions_run_eagerly(),
    )
    before = hooks()
    side = make(function)
    side.survey(ROWS)
    begun = side.parameters()
    broken.append(True)
    for run in (
        lambda: side.step("train", ROWS, Draws("train")),
        lambda: side.look(ROWS, True, Draws("forward"), ()),
    ):
        with pytest.raises(ZeroDivisionError, match="the user's own"):
            run()
        assert before == hooks()
    for name, value in side.parameters().items():
        np.testing.assert_array_equal(begun[name], value)


def test_a_cast_in_a_layer_is_named_in_float64(keras, make):
    import tensorflow as tf

    class Cast(keras.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(name="w", shape=(5, 2))

        def call(self, x):
            return tf.matmul(tf.cast(x, tf.float32), tf.convert_to_tensor(self.w))

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = Cast(name="single")

        def call(self, x):
            return self.inner(x)

    def function():
        model = Model()
        model.compile("sgd", "mse")
        return pair.keras(model)

    with pytest.raises(Unsupported, match="computes in float32 whatever is set"):
        make(function).survey(ROWS)
    make(function, "fp32").survey(ROWS)
