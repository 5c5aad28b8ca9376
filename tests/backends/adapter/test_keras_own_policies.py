"""A dtype policy of the user's own: left aside in float32 and float64, and told; in a lower
precision the harness' is the same."""

from __future__ import annotations

import numpy as np
import pytest

from backends import pair
from backends.contract import Unsupported

pytestmark = [pytest.mark.backends("tf2"), pytest.mark.workloads("linear")]
GENERATOR = np.random.RandomState(4)
ROWS = {"x": GENERATOR.normal(size=(8, 5)), "y": GENERATOR.normal(size=(8, 2))}
DTYPES = {"fp64": "float64", "fp32": "float32", "bf16": "float32"}


def set_policy(keras, name):
    mixed = keras.mixed_precision
    (getattr(mixed, "set_global_policy", None) or mixed.set_dtype_policy)(name)


@pytest.mark.parametrize("precision", ["fp64", "fp32", "bf16"])
def test_a_policy_of_the_user_s_own(keras, make, precision):
    """And a layer that names float32, as the last one of such a model does."""
    pinned = int(keras.__version__[0]) >= 3 if hasattr(keras, "__version__") else False

    def function():
        set_policy(keras, "mixed_bfloat16")
        out = {"dtype": "float32"} if pinned else {}
        x = keras.Input((5,))
        h = keras.layers.Dense(4, "relu", name="h")(x)
        model = keras.Model(x, keras.layers.Dense(2, name="out", **out)(h))
        model.compile(keras.optimizers.SGD(2.0**-4), "mse")
        return pair.keras(model)

    side = make(function, precision)
    remarks = side.survey(ROWS).remarks
    told = f"sets Keras to mixed_bfloat16, which is left aside in {precision}"
    assert any(told in remark and "--precision bf16" in remark for remark in remarks)
    master = DTYPES[precision]
    assert all(held.dtype == master for held in side.names.variables.values())
    computed = {layer.name: str(layer.compute_dtype) for layer in side.models[""].layers}
    assert ("bfloat16" if precision == "bf16" else master) == computed["h"]
    if pinned:
        # What the user has pinned above the lower precision stays there.
        assert computed["out"] == master


def test_a_floatx_of_the_user_s_own(keras, make):
    """The package is as it was behind it."""
    before = keras.backend.set_floatx, keras.mixed_precision.__dict__.copy()

    def function():
        keras.backend.set_floatx("float32")
        model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
        model.compile(keras.optimizers.SGD(2.0**-4), "mse")
        return pair.keras(model)

    side = make(function)
    assert any("sets Keras to float32" in remark for remark in side.survey(ROWS).remarks)
    assert all(held.dtype == "float64" for held in side.names.variables.values())
    assert before == (keras.backend.set_floatx, keras.mixed_precision.__dict__.copy())
    keras.backend.set_floatx("float64")
    assert keras.backend.floatx() == "float64"


def test_what_is_computed_again_is_differentiated_once(keras, make):
    """`tf.recompute_grad` differentiates a part of the model while the whole of it is."""
    import tensorflow as tf

    totals = []
    for again in (False, True):

        def function(again=again):
            def block(rows):
                return upper(lower(rows))

            lower = keras.layers.Dense(4, "tanh", name="lower")
            upper = keras.layers.Dense(2, name="upper")
            for layer, size in ((lower, 5), (upper, 4)):
                layer.build((None, size))

            class Net(keras.Model):
                def __init__(self):
                    super().__init__()
                    self.lower, self.upper = lower, upper

                def call(self, x, training=False):
                    return tf.recompute_grad(block)(x) if training and again else block(x)

            model = Net()
            model(np.zeros((1, 5)))
            rule = keras.optimizers.SGD(2.0**-4)

            def step(batch):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean((model(batch["x"], training=True) - batch["y"]) ** 2)
                weights = model.trainable_variables
                rule.apply_gradients(zip(tape.gradient(loss, weights), weights))
                return loss

            return pair.keras(model, rule, step=step)

        side = make(function)
        survey = side.survey(ROWS)
        assert not any("several times" in remark for remark in survey.remarks)
        side.assign({name: np.full(value.shape, 0.25) for name, value in side.parameters().items()})
        result = side.step("train", ROWS, None, watch=True)
        totals.append((result.losses["total"], result.gradients))
    (plain, mine), (computed, theirs) = totals
    assert abs(plain - computed) < 1e-14
    assert [*mine] == [*theirs] and all(np.allclose(mine[name], theirs[name]) for name in mine)


def test_a_dtype_in_the_code_is_named(make):
    """A weight that is float32 whatever is asked for, and whatever its layer is in."""
    import tensorflow as tf

    class Scaled(tf.keras.layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(name="scale", shape=(5,), dtype="float32")

        def call(self, x):
            return x * tf.cast(self.scale, x.dtype)

    def function():
        x = tf.keras.Input((5,))
        return pair.keras(tf.keras.Model(x, Scaled(name="d")(x)))

    with pytest.raises(Unsupported, match="the layer d keeps"):
        make(function)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_the_loss_scale_that_a_policy_brings_is_told(keras, make, policy):
    """Keras wraps the optimizer of a model that is compiled under it; here the policy is left
    aside, and nothing is wrapped."""

    def function():
        set_policy(keras, policy)
        x = keras.Input((5,))
        model = keras.Model(x, keras.layers.Dense(2, name="out")(x))
        model.compile(keras.optimizers.SGD(2.0**-4), "mse")
        return pair.keras(model)

    words = make(function, "fp64").survey(ROWS).optimizers[0].hyperparameters
    scaled = policy == "mixed_float16"
    assert (words.get("loss_scale"), words.get("loss_scale_interval")) == (
        (2.0**15, 2000) if scaled else (None, None)
    )
