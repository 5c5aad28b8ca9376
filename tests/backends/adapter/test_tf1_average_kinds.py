"""Which averages of a graph are slots, which are weights of a model, and which are only told."""

from __future__ import annotations

import numpy as np
import pytest

from backends import pair
from backends.adapter.draws import Draws
from backends.contract import Setting

pytestmark = [pytest.mark.backends("tf1"), pytest.mark.workloads("linear")]
#: As in `conftest`: sessions share the threads of the process.
THREADS = 2
KEPT = 0.75


@pytest.fixture
def make(graphs):
    """A function that makes a side of a regression: `shown` gives what the model gives and what the
    loss is towards; `after`, what runs after the update, of the averages' operations."""
    import tensorflow.compat.v1 as tf

    from backends.tf1.adapter import Side

    def build(after, shown):
        x = tf.placeholder(tf.float32, [None, 6], "x")
        y = tf.placeholder(tf.float32, [None], "y")
        out = graphs.dense(x, 1, "out")
        weights = tf.trainable_variables()
        averages = [tf.train.ExponentialMovingAverage(KEPT, name=name) for name in ("one", "two")]
        applied = [average.apply(weights) for average in averages]
        kernel, bias = (averages[0].average(weight) for weight in weights)
        behind = tf.matmul(x, kernel) + bias
        product, aim = shown(tf, out, behind, y)
        loss = tf.reduce_mean(tf.square(out[:, 0] - aim))
        train = tf.train.GradientDescentOptimizer(0.125).minimize(loss)
        return {"out": product, "loss": loss, "train": after(tf, train, applied)}

    def side(after, shown=lambda tf, out, behind, y: (out, y)):
        declared = pair.tf1(
            lambda: build(after, shown), {"x": "x", "y": "y"}, "out", "loss", "train"
        )
        return Side(lambda: declared, Setting(precision="fp64", threads=THREADS))

    return side


def one(tf, train, applied):
    return tf.group(train, applied[0])


def test_of_several_averages_the_first_of_the_graph_is_the_slot(make, graphs):
    """In every run, in whatever order a set has them; the others are named."""
    side = make(lambda tf, train, applied: tf.group(train, *reversed(applied)))
    assert ["out/bias/one", "out/kernel/one"] == sorted(
        side.optimizers.places("", "average").values()
    )
    survey = side.survey(graphs.ROWS)
    (optimizer,) = survey.optimizers
    assert {"out/kernel", "out/bias"} == set(optimizer.averages)
    told = [remark for remark in survey.remarks if "several averages" in remark]
    assert ["out/kernel/two", "out/bias/two"] == [text.split(", ")[1].split()[0] for text in told]
    assert () == survey.hidden_averages


def test_an_average_that_the_loss_is_computed_from_is_a_parameter(make, graphs):
    """A target network: the update is towards what it gives."""
    side = make(one, lambda tf, out, behind, y: (out, y + 0.5 * tf.stop_gradient(behind)[:, 0]))
    names = {"out/kernel", "out/bias", "out/kernel/one", "out/bias/one"}
    assert names == set(side.parameters())
    survey = side.survey(graphs.ROWS)
    assert {"average"}.isdisjoint(survey.optimizers[0].slots)
    assert "average_weights" not in survey.optimizers[0].hyperparameters
    assert {"out/kernel/one", "out/bias/one"} <= {
        each for part in survey.pieces for each in part.sources
    }
    assert any("is compared as a parameter" in remark for remark in survey.remarks)
    values = {name: np.full(value.shape, 0.5) for name, value in side.parameters().items()}
    values["out/kernel/one"] += 1.0
    side.assign(values)
    side.reset()  # begins where it was set, and not at the weight
    np.testing.assert_array_equal(side.parameters()["out/kernel/one"], 1.5)
    side.step("train", graphs.ROWS, Draws("train"))
    now = side.parameters()
    assert not np.array_equal(now["out/kernel/one"], values["out/kernel/one"])


def test_an_average_that_the_product_is_computed_from_beside_the_weight_is_a_parameter(make):
    side = make(one, lambda tf, out, behind, y: (out + behind, y))
    assert {"out/kernel/one", "out/bias/one"} <= set(side.parameters())


def test_an_average_in_the_place_of_the_weight_in_inference_is_a_slot(make):
    """It is what an average is for."""
    side = make(one, lambda tf, out, behind, y: (behind, y))
    assert {"out/kernel", "out/bias"} == set(side.parameters())
    assert {"out/kernel", "out/bias"} == set(side.optimizers.places("", "average"))


def test_an_average_that_only_runs_before_the_loss_is_a_slot(make, graphs):
    """Nothing of it goes into the loss."""

    def after(tf, train, applied):
        with tf.control_dependencies([train, applied[0]]):
            return tf.no_op()

    def shown(tf, out, behind, y):
        ops = [op for op in tf.get_default_graph().get_operations() if op.name.startswith("one")]
        moves = [op for op in ops if op.type.startswith("AssignSub")]
        with tf.control_dependencies(moves or ops[-1:]):
            return out, tf.identity(y)

    side = make(after, shown)
    assert {"out/kernel", "out/bias"} == set(side.optimizers.places("", "average"))


def test_an_average_that_no_training_moves_is_named(make, graphs):
    survey = make(lambda tf, train, applied: train).survey(graphs.ROWS)
    (said,) = survey.unseen_averages
    assert "moved by no part of the training operation" in said and said in survey.remarks
    assert () == survey.optimizers[0].averages


def test_an_average_by_hand_is_seen_by_how_it_moves(make, graphs):
    """It is no slot: that it is kept is told, so that nothing passes without it."""

    def by_hand(tf, train, applied):
        weights = tf.trainable_variables()
        kept = [tf.Variable(tf.zeros(weight.shape), trainable=False) for weight in weights]
        with tf.control_dependencies([train]):
            moves = [
                tf.assign(mean, KEPT * mean + (1 - KEPT) * weight.read_value())
                for mean, weight in zip(kept, weights)
            ]
        return tf.group(train, *moves)

    survey = make(by_hand).survey(graphs.ROWS)
    (said,) = survey.hidden_averages
    assert "as an average of out/kernel" in said
