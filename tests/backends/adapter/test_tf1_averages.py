"""The averages of `tf.train.ExponentialMovingAverage` are slots, and begin at the weights."""

from __future__ import annotations

import numpy as np
import pytest

from backends import pair
from backends.adapter.draws import Draws
from backends.contract import Setting

pytestmark = [pytest.mark.backends("tf1"), pytest.mark.workloads("linear")]
#: As in `conftest`: sessions share the threads of the process.
THREADS = 2


@pytest.fixture
def averaged(graphs):
    """A regression whose weights are averaged, with a share that warms up."""
    import tensorflow.compat.v1 as tf

    from backends.tf1.adapter import Side

    def build():
        x = tf.placeholder(tf.float32, [None, 6], "x")
        y = tf.placeholder(tf.float32, [None], "y")
        out = graphs.dense(x, 1, "out")
        loss = tf.reduce_mean(tf.square(out[:, 0] - y))
        step = tf.train.get_or_create_global_step()
        train = tf.train.GradientDescentOptimizer(0.125).minimize(loss, step)
        with tf.control_dependencies([train]):
            average = tf.train.ExponentialMovingAverage(0.75, step)
            train = average.apply(tf.trainable_variables())
        return {"out": out, "loss": loss, "train": train}

    declared = pair.tf1(build, {"x": "x", "y": "y"}, "out", "loss", "train")
    return Side(lambda: declared, Setting(precision="fp64", threads=THREADS))


def test_an_average_is_a_slot_that_begins_at_the_weights(averaged, graphs):
    """Those that the harness has given to both sides, not those of the graph's initialisers."""
    side = averaged
    weights = {name: np.full(value.shape, 0.5) for name, value in side.parameters().items()}
    assert sorted(weights) == ["out/bias", "out/kernel"]
    side.assign(weights)
    side.reset()
    expected = dict(weights)
    for count in (1, 2, 3):
        side.step("train", graphs.ROWS, Draws("train"))
        kept = min(0.75, (1 + count) / (10 + count))
        held = side.slots()[""]
        for name, value in side.parameters().items():
            expected[name] = kept * expected[name] + (1 - kept) * value
            np.testing.assert_allclose(held[name]["average"], expected[name], rtol=1e-6)
    side.assign(weights)
    side.reset()
    for name, words in side.slots()[""].items():
        np.testing.assert_array_equal(words["average"], weights[name])


def test_it_is_told(averaged, graphs):
    (optimizer,) = averaged.survey(graphs.ROWS).optimizers
    assert "average" in optimizer.slots and optimizer.hyperparameters["average_weights"] is True
    assert "average_momentum" not in optimizer.hyperparameters  # it warms up
