"""The rule of each class: its kind, its words, and pieces that fit its weights."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from backends import pair
from backends.adapter import pieces
from backends.adapter.side import Tap
from backends.contract import Setting
from backends.survey import LAYER_KINDS

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]


@pytest.fixture
def torch(kit):
    return importlib.import_module("torch")


@pytest.fixture
def rules(kit):
    importlib.import_module("backends.torch.adapter")
    return importlib.import_module("backends.torch.adapter.rules")


def test_every_rule_is_of_a_known_kind(rules):
    assert {kind for kind, _ in rules.TABLE.values()} <= set(LAYER_KINDS)


@pytest.mark.parametrize(
    ("name", "arguments", "kind", "words"),
    [
        ("Conv1d", (4, 6, 3), "conv", {"padding": "valid", "kernel_size": [3], "filters": 6}),
        ("MaxPool2d", (2,), "max_pool", {"stride": [2, 2], "padding": "valid"}),
        ("AvgPool1d", (2,), "average_pool", {"stride": [2]}),
        ("AdaptiveMaxPool2d", (3,), "max_pool", {"output_size": [3]}),
        ("ZeroPad2d", ((1, 2, 3, 4),), "pad", {"padding": [[3, 4], [1, 2]]}),
        ("LeakyReLU", (0.3,), "activation", {"activation": "leaky_relu", "slope": 0.3}),
        ("GELU", ("tanh",), "activation", {"activation": "gelu_tanh"}),
        ("Softmax", (-1,), "activation", {"activation": "softmax", "axis": -1}),
        ("GroupNorm", (2, 4), "group_norm", {"groups": 2, "epsilon": 1e-5}),
        ("LayerNorm", ((3, 4),), "layer_norm", {"axis": [-2, -1]}),
        ("RMSNorm", (4,), "rms_norm", {"axis": [-1], "scale": True, "center": False}),
        ("InstanceNorm2d", (4,), "instance_norm", {"scale": False, "keep": None}),
        ("BatchNorm1d", (4, 1e-3, None), "batch_norm", {"keep": "average", "epsilon": 1e-3}),
        ("Embedding", (7, 3, 0), "embedding", {"embeddings": 7, "padding_token": 0}),
        ("Dropout", (0.3,), "dropout", {"rate": 0.3}),
        ("LSTM", (3, 4), "lstm", {"units": 4, "layers": 1}),
        ("GRUCell", (3, 4), "gru", {"units": 4, "reset_after": True}),
        ("RNN", (3, 4, 1, "relu"), "rnn", {"activation": "relu"}),
        ("Flatten", (), "flatten", {"axis": [1, -1]}),
        ("Bilinear", (3, 4, 2), "other", {}),
    ],
)
def test_a_class_has_the_words_of_all_backends(torch, rules, name, arguments, kind, words):
    found = rules.describe(getattr(torch.nn, name)(*arguments))
    assert found.kind == kind
    assert {word: found.attributes[word] for word in words} == words


def test_a_derived_class_is_taken_by_the_rule_and_a_class_of_that_name_is_not(torch, rules):
    class Mine(torch.nn.Linear):
        """A dense layer of the user's."""

    class Linear(torch.nn.Module):
        """No dense layer at all."""

    assert rules.describe(Mine(2, 3)).kind == "dense"
    assert rules.describe(Linear()).kind == "other"


def test_a_library_s_class_is_known_by_its_package(torch, rules):
    class Conv1D(torch.nn.Module):
        """As transformers has it."""

        def __init__(self):
            super().__init__()
            self.nf, self.weight = 5, torch.nn.Parameter(torch.zeros(3, 5))
            self.bias = torch.nn.Parameter(torch.zeros(5))

    assert rules.describe(Conv1D()).kind == "other"
    Conv1D.__module__ = "transformers.pytorch_utils"
    found = rules.describe(Conv1D())
    assert (found.kind, found.attributes["units"], found.weights[0].steps) == ("dense", 5, ())


@pytest.mark.parametrize(
    ("name", "arguments", "settings"),
    [
        ("LSTM", (3, 4, 2), {"bidirectional": True, "proj_size": 2}),
        ("GRU", (3, 4), {"bidirectional": True}),
        ("RNN", (3, 4), {"bias": False}),
        ("LSTMCell", (3, 4), {}),
        ("GRUCell", (3, 4), {}),
        ("MultiheadAttention", (4, 2), {"kdim": 3, "vdim": 5}),
        ("MultiheadAttention", (4, 2), {"bias": False, "add_bias_kv": True}),
        ("Conv3d", (4, 8, 3), {"groups": 4}),
        ("ConvTranspose2d", (4, 6, 3), {"groups": 2}),
        ("Bilinear", (3, 4, 2), {}),
        ("TransformerDecoderLayer", (4, 2, 6), {}),
    ],
)
def test_pieces_cover_every_weight_and_can_be_put_back(torch, name, arguments, settings):
    """What is cut out of the weights and put back gives the same sums, and nothing is left over."""
    adapter = importlib.import_module("backends.torch.adapter")
    side = adapter.Side(
        lambda: pair.torch(getattr(torch.nn, name)(*arguments, **settings)),
        Setting(precision="fp64"),
    )
    held = side.inventory.pieces(())
    own = side.parameters()
    assert {source for piece in held for source in piece.sources} == set(own)
    assert len({piece.name for piece in held}) == len(held)
    generator = np.random.RandomState(0)
    values = {piece.name: generator.normal(size=piece.shape) for piece in held}
    side.assign(pieces.own_values(held, values, own))
    again = side.parameters()
    for piece in held:
        np.testing.assert_allclose(pieces.canonical(piece, again), values[piece.name], rtol=1e-14)


@pytest.mark.parametrize(
    ("frozen", "expected"),
    [
        ((), (True, ())),
        (("ih",), (True, ("LSTMCell.bias_ih",))),
        (("hh",), (True, ("LSTMCell.bias_hh",))),
        (("ih", "hh"), (False, ())),
    ],
)
def test_a_bias_of_two_is_trained_where_one_of_them_is(torch, frozen, expected):
    """Whichever: a port that keeps one of torch's at zero moves as one bias does."""
    adapter = importlib.import_module("backends.torch.adapter")

    def function():
        cell = torch.nn.LSTMCell(3, 4)
        for name in frozen:
            getattr(cell, f"bias_{name}").requires_grad_(False)
        return pair.torch(cell)

    held = adapter.Side(function, Setting(precision="fp64")).inventory.pieces(())
    (bias,) = (piece for piece in held if piece.role == "bias")
    assert expected == (bias.trainable, bias.frozen) and 2 == len(bias.sources)


def test_where_epsilon_is_is_said_of_torch_s_own_step_alone(torch):
    """A class derived from torch's that does not change the step is of its kind in this too."""
    optimizers = importlib.import_module("backends.torch.adapter.optimizers")

    class Same(torch.optim.Adam):
        """Torch's."""

    class Other(torch.optim.Adam):
        """With epsilon elsewhere."""

        def step(self, closure=None):
            self.param_groups[0]["eps"] *= 2.0
            return super().step(closure)

    for kind, places in ((torch.optim.Adam, 1), (Same, 1), (Other, 0)):
        optimizer = kind([torch.nn.Parameter(torch.zeros(2))])
        torch.optim.lr_scheduler.StepLR(optimizer, 5)  # wraps the step of this one
        words = optimizers.hyperparameters(optimizer)
        assert ["corrected"] * places == [words[key] for key in words if key == "epsilon_place"]
        assert "adam" == optimizers.kind(optimizer)


def test_a_module_that_runs_by_itself_inside_of_one_with_a_rule_has_no_second_name(torch):
    """Attention of one's own derived from torch's calls `out_proj`, which torch's own does not."""

    class Attention(torch.nn.MultiheadAttention):
        def forward(self, x):
            return self.out_proj(x)

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.attend = Attention(8, 2)
            self.last = torch.nn.Linear(8, 8)

        def forward(self, x):
            return self.last(self.attend(x))

    side = importlib.import_module("backends.torch.adapter").Side(
        lambda: pair.torch(Net()), Setting()
    )
    survey = side.survey({"x": np.ones((4, 8))})
    names = {piece.name for piece in survey.pieces}
    assert {"attend/output/kernel", "attend/output/bias", "last/kernel"} <= names
    assert [] == [name for name in names if "out_proj" in name]


@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("directions", [1, 2])
def test_the_last_output_of_a_recurrent_layer_is_shown_apart(torch, name, directions):
    """Of the last of its layers, both directions beside each other, whatever the lengths."""

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            make = getattr(torch.nn, name)
            self.rnn = make(3, 4, 2, batch_first=True, bidirectional=directions == 2)

        def forward(self, x):
            rnn = torch.nn.utils.rnn
            packed = rnn.pack_padded_sequence(x, [5, 3], batch_first=True)
            states, _ = rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
            return states

    side = importlib.import_module("backends.torch.adapter").Side(
        lambda: pair.torch(Net()), Setting()
    )
    arrays = {"x": np.random.RandomState(0).normal(size=(2, 5, 3))}
    survey = side.survey(arrays)
    (last,) = [layer for layer in survey.layers if layer.name.endswith("/last")]
    assert ("rnn/last", "other", ((2, 4 * directions),)) == (last.name, last.kind, last.outputs)
    shown = side.look(arrays, False, None, [Tap("end", last.name)])
    states = shown["output"]
    ends = [states[0, 4, :4], states[1, 2, :4]]
    assert np.allclose(ends, shown["end"][:, :4], rtol=0, atol=1e-12)
    if directions == 2:
        assert np.allclose(states[:, 0, 4:], shown["end"][:, 4:], rtol=0, atol=1e-12)
