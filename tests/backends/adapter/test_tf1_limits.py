"""The adapter of a TF1 graph: what it cannot have, what it finds in a graph that was saved, and
float64 whatever the graph says."""

from __future__ import annotations

import numpy as np
import pytest

from backends.contract import Setting, Unsupported

pytestmark = [pytest.mark.backends("tf1"), pytest.mark.workloads("linear")]
#: As in `conftest`: sessions share the threads of the process.
THREADS = 2


@pytest.fixture(scope="module", params=["fp64", "fp32"])
def precision(request):
    return request.param


def test_weights_that_decay_beside_the_update(graphs):
    """What contrib's and many programs' own AdamW do."""
    import tensorflow.compat.v1 as tf

    from backends import pair
    from backends.tf1.adapter import Side

    def build():
        x = tf.placeholder(tf.float32, [None, 6], "x")
        loss = tf.reduce_mean(tf.square(graphs.dense(x, 2, "out")), name="loss")
        train = tf.train.AdamOptimizer(0.01).minimize(loss)
        with tf.control_dependencies([train]):
            kernel = tf.trainable_variables()[0]
            decay = tf.assign_sub(kernel, 0.003 * kernel)
        return {"train": decay, "loss": loss}

    side = Side(
        lambda: pair.tf1(build, {"x": "x"}, product="loss", loss="loss", train="train"),
        Setting(precision="fp64", threads=THREADS),
    )
    words = side.survey({"x": graphs.ROWS["x"]}).optimizers[0].hyperparameters
    assert (0.003, "decoupled") == (words["weight_decay"], words["decay"])


def test_what_the_tape_does_not_have_is_listed(graphs):
    """Integers and truncated normals are the same every time all the same."""
    import tensorflow.compat.v1 as tf

    from backends import pair
    from backends.tf1.adapter import Side

    def build():
        x = tf.placeholder(tf.float32, [None, 6], "x")
        out = graphs.dense(x, 2, "out") + tf.truncated_normal([2], stddev=0.3)
        out += tf.cast(tf.random_uniform([2], 0, 5, tf.int32), tf.float32)
        out = tf.nn.dropout(out, keep_prob=0.5, name="dropped")
        sampled = tf.multinomial(tf.zeros([1, 3]), 2)
        loss = tf.reduce_mean(tf.square(out)) + 0.0 * tf.cast(sampled[0, 0], tf.float32)
        return {"out": out, "loss": loss, "train": tf.train.AdamOptimizer().minimize(loss)}

    side = Side(
        lambda: pair.tf1(build, {"x": "x"}, product="out", loss="loss", train="train"),
        Setting(precision="fp64", threads=THREADS),
    )
    arrays = {"x": graphs.ROWS["x"]}
    survey = side.survey(arrays)
    rows = [(draw.index, draw.kind, draw.served) for draw in survey.draws if draw.phase == "train"]
    others = [(index, "other", False) for index in (1, 2, 3)]
    assert [(0, "dropout", True), *others] == rows
    assert 3 == len(survey.remarks)
    start = side.snapshot()
    first = side.step("train", arrays, graphs.tape_of("train")).losses
    side.restore(start)
    assert first == side.step("train", arrays, graphs.tape_of("train")).losses


def test_a_hard_coded_float32_is_float64_in_float64(made, graphs):
    """Constants are those that the source says, to the last digit."""
    side = made("adversarial")
    survey = side.survey(graphs.PAIRS)
    assert 0.002 == survey.optimizers[1].rates["0"]
    values = side.look(graphs.PAIRS, False, graphs.tape_of("generate"), ())["output"]
    own = side.parameters()
    noisy = graphs.PAIRS["z"] + 0.5 * graphs.tape_of("generate").draw("normal", (8, 2))
    hidden = noisy @ own["g/hidden/kernel"] + own["g/hidden/bias"]
    hidden = np.where(hidden > 0, hidden, 0.2 * hidden)
    expected = np.tanh(hidden @ own["g/out/kernel"] + own["g/out/bias"])
    np.testing.assert_allclose(values, expected, 1e-14)


def test_what_cannot_be_had_is_said(graphs):
    from backends.tf1.adapter import Side

    for setting in (Setting(precision="bf16"), Setting(execution="compiled")):
        with pytest.raises(Unsupported, match="a TF1 graph"):
            Side(graphs.recurrent, setting)


def test_a_saved_graph_with_its_checkpoint(graphs, tmp_path, precision):
    """A .meta brings its weights; its gradients are those that the update applies, which is
    said."""
    import tensorflow.compat.v1 as tf

    from backends import pair
    from backends.tf1.adapter import Side

    prefix = str(tmp_path / "model.ckpt")
    with tf.Graph().as_default(), tf.Session() as session:
        graphs.recurrent().graph()
        session.run(tf.global_variables_initializer())
        kernel = next(v for v in tf.trainable_variables() if v.op.name == "out/kernel")
        expected = session.run(kernel)
        tf.train.Saver().save(session, prefix)

    def loaded():
        return pair.tf1(
            prefix + ".meta",
            feeds={"x": "x", "y": "y"},
            product="Square",
            loss="Mean:0",
            train="GradientDescent",
            training={"keep:0": (0.5, 1.0)},
        )

    side = Side(loaded, Setting(precision=precision, threads=THREADS))
    np.testing.assert_array_equal(side.parameters()["out/kernel"], expected)
    survey = side.survey(graphs.SERIES)
    assert ["lstm", "dense"] == [layer.kind for layer in survey.layers]
    assert any("loaded" in remark for remark in survey.remarks)
    tape = graphs.tape_of("train")
    result = side.step("train", graphs.SERIES, tape)
    assert 5 == len(tape.made)
    moved = side.parameters()["out/kernel"]
    np.testing.assert_allclose(moved, expected - 0.1 * result.gradients["out/kernel"], 1e-6)


def test_an_operation_that_fails_is_named_with_the_line_that_made_it(graphs):
    """The session knows no file; its own account of the operation is pages long."""
    import tensorflow.compat.v1 as tf

    from backends import pair
    from backends.tf1.adapter import Side

    def build():
        x = tf.placeholder(tf.float32, [None, 6], "x")
        rows = tf.gather(x, [0, 900], name="chosen")
        return {"out": graphs.dense(rows, 2, "out")}

    side = Side(
        lambda: pair.tf1(build, {"x": "x"}, product="out"),
        Setting(precision="fp64", threads=THREADS),
    )
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        side.look({"x": graphs.ROWS["x"]}, False, None, ())
    said = str(raised.value)
    line = build.__code__.co_firstlineno + 2
    assert "indices[1] = 900 is not in [0, 8)" in said and "; operation chosen, made at " in said
    assert said.endswith(
        f'{__file__}, line {line}, in `build`: rows = tf.gather(x, [0, 900], name="chosen")'
    )
    assert len(said) < 400 and said.startswith("indices")
