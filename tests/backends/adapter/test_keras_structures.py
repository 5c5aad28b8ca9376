"""Keras models that are more than a row of layers: functions, layers around layers, tied weights,
structures as outputs, masks, weights of rows; weights that a file holds."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest

from backends import pair
from backends.adapter.draws import Draws
from backends.adapter.pieces import canonical
from backends.adapter.side import Tap

pytestmark = [pytest.mark.backends("tf2"), pytest.mark.workloads("linear")]
GENERATOR = np.random.RandomState(4)
ROWS = {"x": GENERATOR.normal(size=(8, 5)), "y": GENERATOR.normal(size=(8, 2))}


def test_functions_and_layers_around_layers(keras, make):
    """Arithmetic on tensors is listed; what a layer does inside is not; a layer at every hour is
    one layer; nothing grows with the number of looks."""

    def function():
        x = keras.Input((4, 6, 3))
        h = keras.layers.ZeroPadding2D(1, name="pad")(x) * 2.0 + 1.0
        h = keras.layers.Reshape((6, -1), name="rows")(h)
        h = keras.layers.TimeDistributed(keras.layers.Dense(2), name="hourly")(h)
        model = keras.Model(x, keras.layers.GlobalMaxPooling1D(name="top")(h))
        model.compile("sgd", "mse")
        return pair.keras(model)

    side = make(function)
    batch = {"x": GENERATOR.normal(size=(8, 4, 6, 3)), "y": ROWS["y"]}
    survey = side.survey(batch)
    kinds = ["pad", "merge", "merge", "reshape", "dense", "global_pool"]
    assert kinds == [layer.kind for layer in survey.layers]
    words = [layer.attributes.get("merge") for layer in survey.layers]
    assert ["multiply", "add"] == [word for word in words if word]
    assert [piece.name for piece in survey.pieces] == ["hourly/kernel", "hourly/bias"]
    assert survey.layers[4].attributes["units"] == 2
    assert survey.layers[4].initializers["kernel"] == "glorot_uniform"
    count = len(side.names.places)
    taps = [Tap(layer.name, layer.name) for layer in survey.layers]
    for _ in range(3):
        assert len(side.look(batch, True, Draws("forward"), taps)) == 7
    assert count == len(side.names.places)


@pytest.mark.keras(2, 10)
@pytest.mark.parametrize(
    ("equation", "shape", "bias_axes", "kernel", "bias", "turned"),
    [
        ("abc,cde->abde", (None, 2, 3), "de", (5, 6), (6,), lambda own: own.reshape(5, 6)),
        ("abc,dce->abde", (None, 2, 3), "e", (5, 6), (3,), lambda own: own.transpose(1, 0, 2)),
        ("abc,dc->abd", (None, 2), "d", (5, 2), (2,), lambda own: own.T),
        ("...c,cd->...d", 2, "d", (5, 2), (2,), lambda own: own),
        ("abc,bcd->abd", (4, 2), "d", (4, 5, 2), (2,), lambda own: own),
    ],
)
def test_kernels_of_several_axes_are_matrices(
    keras, make, equation, shape, bias_axes, kernel, bias, turned
):
    """What is summed over in front, what is made behind, in the order of inputs and outputs; a
    matrix for each place stays as it is."""

    def function():
        x = keras.Input((4, 5))
        layer = keras.layers.EinsumDense(equation, shape, bias_axes=bias_axes, name="heads")
        model = keras.Model(x, keras.layers.Flatten()(layer(x)))
        model.compile("sgd", "mse")
        return pair.keras(model)

    side = make(function)
    pieces = side.survey({"x": GENERATOR.normal(size=(8, 4, 5)), "y": np.zeros((8, 1))}).pieces
    assert [("heads/kernel", kernel), ("heads/bias", bias)] == [
        (piece.name, tuple(piece.shape)) for piece in pieces
    ]
    own = side.parameters()
    held = canonical(pieces[0], own)
    assert np.array_equal(turned(own[pieces[0].sources[0]]).reshape(kernel), held)


@pytest.mark.keras(3)
def test_a_second_table_of_an_embedding(keras, make):
    """The layer behind the model that an embedding may also be: tied, it is no parameter; else it
    is a dense kernel."""

    def function(tied):
        words = keras.layers.ReversibleEmbedding(7, 3, tie_weights=tied, name="words")
        x = keras.Input((4,), dtype="int32")
        model = keras.Model(x, words(words(x), reverse=True))
        model.compile("sgd", "mse")
        return pair.keras(model)

    batch = {"x": np.ones((8, 4), "int32"), "y": np.zeros((8, 4, 7))}
    for tied, expected in ((True, []), (False, [("words/reverse/kernel", (3, 7))])):
        pieces = make(lambda tied=tied: function(tied)).survey(batch).pieces
        assert [("words/embeddings", (7, 3)), *expected] == [
            (piece.name, tuple(piece.shape)) for piece in pieces
        ]


def test_sample_weights(make, dense):
    """A batch that has them is trained with them."""
    side = make(lambda: pair.keras(dense()))
    weighed = dict(ROWS, sample_weight=np.arange(8) / 8.0)
    side.survey(weighed)
    before = side.snapshot()
    plain = side.step("train", ROWS, Draws("train")).losses["total"]
    side.restore(before)
    assert plain != side.step("train", weighed, Draws("train")).losses["total"]


def test_tied_weights_and_structures(keras, make):
    """One variable in two layers is one piece; a tuple in a dict is flattened; a dataclass, too."""
    import tensorflow as tf

    @dataclasses.dataclass
    class Output:
        logits: object
        states: tuple

    class Untied(keras.layers.Layer):
        def __init__(self, table, **options):
            super().__init__(**options)
            self.table = table

        def call(self, x):
            return tf.matmul(x, tf.convert_to_tensor(self.table.embeddings), transpose_b=True)

    x = keras.Input((4,), dtype="int64")

    def function():
        x = keras.Input((4,), dtype="int64")
        table = keras.layers.Embedding(7, 3, mask_zero=True, name="table")
        h = keras.layers.LSTM(3, return_sequences=True, name="lstm")(table(x))
        table.build((None, 4)) if not table.built else None
        model = keras.Model(x, {"logits": Untied(table, name="untied")(h), "both": (h, h)})
        return pair.keras(
            model,
            forward=lambda batch, training: Output(
                logits=model(batch["x"], training=training)["logits"], states=(batch["x"],)
            ),
            step=lambda batch: {"value": 1.0},
        )

    assert x is not None
    side = make(function)
    batch = {"x": np.array([[1, 2, 0, 0], [3, 4, 5, 6]])}
    survey = side.survey(batch)
    assert [piece.name for piece in survey.pieces if "embed" in piece.name] == ["table/embeddings"]
    (lstm,) = (layer for layer in survey.layers if layer.name == "lstm")
    assert (lstm.initializers["kernel"], lstm.initializers["bias"]) == (
        "glorot_uniform",
        "zeros, forget gate 1",
    )
    assert list(survey.outputs) == ["output/logits", "output/states/0"]
    assert any("differentiates nothing" in remark for remark in survey.remarks)
    look = side.look(batch, False, Draws("generate"), [Tap("l", "lstm")])
    assert look["output/states/0"].dtype == np.int64 and look["l"].shape == (2, 4, 3)
    np.testing.assert_array_equal(look["l"][0, 2], look["l"][0, 1])  # masked: carried on


@pytest.mark.parametrize("kind", ["h5", "keras", "checkpoint"])
def test_weights_from_a_file(keras, tmp_path, kind, make, dense):
    import tensorflow as tf

    saved = dense()
    saved.layers[1].kernel.assign(np.full((5, 4), 0.25))
    if kind == "checkpoint":
        path = tf.train.Checkpoint(model=saved).write(str(tmp_path / "point"))
    elif kind == "keras" and int(keras.__version__.split(".")[0]) >= 3:
        path = str(tmp_path / "model.keras")
        saved.save(path)
    else:
        path = str(tmp_path / "model.weights.h5")
        saved.save_weights(path)
    side = make(lambda: pair.keras(dense(), weights=path), "fp32")
    side.survey(ROWS)
    np.testing.assert_array_equal(side.parameters()["h/kernel"], np.full((5, 4), 0.25, np.float32))
    with pytest.raises(FileNotFoundError):
        make(lambda: pair.keras(dense(), weights=os.path.join(str(tmp_path), "no.h5")))
