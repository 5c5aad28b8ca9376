"""Where a TF1 graph comes from, and where its start values do."""

from __future__ import annotations

import importlib.util
import os
import sys

import numpy as np
import pytest

from backends.contract import Setting, Unsupported

pytestmark = [pytest.mark.backends("tf1"), pytest.mark.workloads("linear")]
HERE = os.path.dirname(os.path.abspath(__file__))
#: As in `conftest`: sessions share the threads of the process.
THREADS = 2


@pytest.fixture
def graphs(workload, backend):
    """The graphs; imported where TensorFlow is."""
    name = "tf1_graphs"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, os.path.join(HERE, name + ".py"))
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


def side_of(function, precision="fp64"):
    from backends.tf1.adapter import Side

    return Side(function, Setting(precision=precision, threads=THREADS))


def draws(phase):
    from backends.adapter.draws import Draws

    return Draws(phase)


def test_weights_of_a_checkpoint_under_the_savers_names(graphs, tmp_path):
    import tensorflow.compat.v1 as tf

    prefix = str(tmp_path / "other.ckpt")
    with tf.Graph().as_default(), tf.Session() as session:
        graphs.recurrent().graph()
        session.run(tf.global_variables_initializer())
        variables = {variable.op.name: variable for variable in tf.global_variables()}
        expected = session.run(variables)
        tf.train.Saver().save(session, prefix, write_meta_graph=False)

    def function():
        declared = graphs.recurrent()
        declared.weights = prefix
        return declared

    side = side_of(function)
    for name, value in side.parameters().items():
        np.testing.assert_array_equal(value, expected[name])

    def foreign():
        declared = graphs.adversarial()
        declared.weights = prefix
        return declared

    with pytest.raises(ValueError, match="has no variable g/hidden/kernel"):
        side_of(foreign)


def test_a_saved_model_brings_its_weights(graphs, tmp_path):
    import tensorflow.compat.v1 as tf

    from backends import pair

    folder = str(tmp_path / "saved")
    with tf.Graph().as_default() as graph, tf.Session() as session:
        named = graphs.recurrent().graph()
        session.run(tf.global_variables_initializer())
        kernel = next(v for v in tf.trainable_variables() if v.op.name == "out/kernel")
        expected = session.run(kernel)
        tf.saved_model.simple_save(
            session,
            folder,
            {"x": graph.get_tensor_by_name("x:0")},
            {"prediction": named["prediction"]},
        )
        product = named["prediction"].name

    side = side_of(lambda: pair.tf1(folder, feeds={"x": "x:0"}, product=product))
    np.testing.assert_array_equal(side.parameters()["out/kernel"], expected)
    survey = side.survey({"x": graphs.SERIES["x"]})
    assert (["lstm", "dense"], ()) == ([layer.kind for layer in survey.layers], survey.phases)
    shown = side.look({"x": graphs.SERIES["x"]}, False, draws("generate"), ())
    assert (4, 2) == shown["output"].shape


def test_initial_values_are_the_same_every_time(graphs):
    first, second = side_of(graphs.recurrent), side_of(graphs.recurrent)
    for name, value in first.parameters().items():
        np.testing.assert_array_equal(value, second.parameters()[name])


def test_patches_are_gone_and_errors_come_through(graphs):
    import tensorflow.compat.v1 as tf
    from tensorflow.python.framework import tensor_util
    from tensorflow.python.ops import gradients_util, nn

    def patched():
        return (
            gradients_util._GradientsHelper,
            tensor_util.make_tensor_proto,
            nn.fused_batch_norm,
            tf.nn.fused_batch_norm,
        )

    def broken():
        assert before != patched()
        raise RuntimeError("the user's own")

    before = patched()
    with pytest.raises(RuntimeError, match="the user's own"):
        side_of(broken)
    assert before == patched()
    with pytest.raises(TypeError, match="returns pair"):
        side_of(lambda: None)


def test_a_program_of_its_own_ways(graphs, tmp_path):
    """It resets the graph, reads a loss twice, and shows another one than it differentiates."""
    import tensorflow.compat.v1 as tf

    from backends import pair

    def build():
        tf.reset_default_graph()
        x = tf.placeholder(tf.float32, [None, 6], "x")
        kernel = tf.Variable(tf.random_normal([6, 2]), name="W1", use_resource=False)
        bias = tf.Variable(tf.constant(0.1, shape=[2]), name="b1", use_resource=False)
        out = tf.nn.xw_plus_b(x, kernel, bias, name="out")
        loss = tf.reduce_mean(tf.square(out))
        total = loss + 0.01 * tf.nn.l2_loss(kernel)
        step = tf.train.get_or_create_global_step()
        train = tf.train.GradientDescentOptimizer(0.1).minimize(total, global_step=step)
        average = tf.train.ExponentialMovingAverage(0.9)
        with tf.control_dependencies([train]):
            train = average.apply([kernel])
        return {"train": train, "loss": loss}

    def function():
        return pair.tf1(build, {"x": "x"}, product="out", loss="loss", train=["train"])

    arrays = {"x": graphs.ROWS["x"]}
    for precision in ("fp64", "fp32"):
        side = side_of(function, precision)
        survey = side.survey(arrays)
        assert ("loss", "total") == survey.phases[0].losses
        assert ["W1/kernel", "W1/bias"] == [piece.name for piece in survey.pieces]
        own = side.parameters()
        start = side.snapshot()[0]
        result = side.step("train", arrays, draws("train"))
        out = graphs.ROWS["x"] @ own["W1"] + own["b1"]
        decay = 0.005 * (own["W1"] ** 2).sum()
        expected = np.mean(out**2)
        tolerance = {"fp64": 1e-13, "fp32": 1e-5}[precision]
        np.testing.assert_allclose(result.losses["loss"], expected, tolerance)
        # The loss is the one before the update, though a session may read variables after it.
        np.testing.assert_allclose(result.losses["total"], expected + decay, tolerance)
        moved = own["W1"] - 0.1 * result.gradients["W1"]
        np.testing.assert_allclose(side.parameters()["W1"], moved, tolerance, tolerance)
        after = side.snapshot()[0]
        copies = [name for name in after if "ExponentialMovingAverage" in name]
        assert copies and not np.array_equal(after[copies[0]], start[copies[0]])
        side.assign(own)
        side.reset()
        for name, value in start.items():
            np.testing.assert_array_equal(side.snapshot()[0][name], value)


def test_a_name_that_is_not_there_is_said(graphs):
    def function():
        declared = graphs.recurrent()
        declared.product = "nothing"
        return declared

    with pytest.raises(ValueError, match="has no tensor nothing:0"):
        side_of(function)


def test_a_fused_batch_norm_of_a_loaded_graph_has_no_float64(workload, backend, tmp_path):
    import tensorflow.compat.v1 as tf

    from backends import pair

    path = str(tmp_path / "fused.meta")
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 4, 4, 2], "x")
        ones = tf.ones([2])
        y, _, _ = tf.nn.fused_batch_norm(x, ones, 0.0 * ones)
        tf.identity(y, name="y")
        tf.train.export_meta_graph(path)

    def function():
        return pair.tf1(path, feeds={"x": "x"}, product="y")

    with pytest.raises(Unsupported, match="fused batch norm has no float64"):
        side_of(function)
    arrays = {"x": np.random.RandomState(0).normal(size=(3, 4, 4, 2))}
    loaded = side_of(function, "fp32").look(arrays, True, draws("forward"), ())["output"]
    assert np.float32 == loaded.dtype


def test_unfused_batch_norm_is_the_fused_one(workload, backend):
    """Its outputs, the unbiased variance, and its gradients."""
    import tensorflow.compat.v1 as tf

    from backends.tf1.adapter.graph_source import unfused_batch_norm

    value = np.random.RandomState(0).normal(size=(3, 4, 4, 2))
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant(value, tf.float32)
        scale, offset = tf.constant([1.5, 0.5]), tf.constant([0.1, -0.2])
        results = []
        for function in (tf.nn.fused_batch_norm, unfused_batch_norm):
            y, mean, variance = function(x, scale, offset, epsilon=1e-3)
            gradients = tf.gradients(tf.reduce_sum(y**3), [x, scale, offset])
            results.append(session.run([y, mean, variance, *gradients]))
    for fused, unfused in zip(*results):
        np.testing.assert_allclose(unfused, fused, 2e-4, 2e-4)


def test_a_gru_is_that_of_its_equations(graphs):
    """Kernels of gates and candidate beside each other, in Keras' order; tied weights are one
    piece."""
    import tensorflow.compat.v1 as tf

    from backends.adapter import pieces

    if not graphs.OLD:
        assert not hasattr(tf, "contrib")
        return
    side = side_of(graphs.gated)
    survey = side.survey(graphs.TOKENS)
    assert [("table", "embedding"), ("rnn/gru_cell", "gru")] == [
        (layer.name, layer.kind) for layer in survey.layers
    ]
    assert {"output/logits": (4, 7), "output/outputs": (4, 5, 4)} == survey.outputs
    assert 0.01 == survey.optimizers[0].hyperparameters["clip_value"]
    own = side.parameters()
    values = {piece.role: pieces.canonical(piece, own) for piece in survey.pieces}
    assert ["embeddings", "kernel", "recurrent_kernel", "bias"] == list(values)
    x, h, outputs = values["embeddings"][graphs.TOKENS["x"]], np.zeros((4, 4)), []
    kernel, recurrent, bias = (values[key] for key in ("kernel", "recurrent_kernel", "bias"))
    for step in range(5):
        ours = x[:, step] @ kernel + bias
        gates = 1.0 / (1.0 + np.exp(-(ours[:, :8] + h @ recurrent[:, :8])))
        z, r = gates[:, :4], gates[:, 4:]
        new = z * h + (1 - z) * np.tanh(ours[:, 8:] + (r * h) @ recurrent[:, 8:])
        there = (step < graphs.TOKENS["length"])[:, np.newaxis]
        h = np.where(there, new, h)
        outputs.append(np.where(there, new, 0.0))
    shown = side.look(graphs.TOKENS, False, draws("generate"), ())
    np.testing.assert_allclose(shown["output/outputs"], np.stack(outputs, 1), 1e-12, 1e-14)
    logits = h @ values["embeddings"].T
    np.testing.assert_allclose(shown["output/logits"], logits, 1e-12, 1e-14)
    moved = {piece.name: 1.0 + pieces.canonical(piece, own) for piece in survey.pieces}
    side.assign(pieces.own_values(survey.pieces, moved, own))
    for piece in survey.pieces:
        result = pieces.canonical(piece, side.parameters())
        np.testing.assert_allclose(result, moved[piece.name], 1e-13)
