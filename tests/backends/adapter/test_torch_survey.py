"""What the adapter for `nn.Module`s finds out about programs, item by item."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys

import numpy as np
import pytest

from backends.adapter import pieces
from backends.contract import Setting

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]


def programs():
    """Return the programs by name; their modules import PyTorch, and the second the first."""
    for name in ("torch_nets", "torch_generators"):
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
        spec = importlib.util.spec_from_file_location(name, path)
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module.CASES


@pytest.fixture
def survey(kit):
    """A function that returns the side and the survey of a program by its name."""
    cases = programs()
    adapter = importlib.import_module("backends.torch.adapter")

    def examine(program):
        case = cases[program]()
        side = adapter.Side(case.side, Setting(precision="fp64"))
        return side, side.survey(case.arrays)

    return examine


def layers(survey):
    return {layer.name: layer for layer in survey.layers}


def drawn(survey, phase):
    return [
        (draw.layer, draw.kind, draw.shape, round(draw.keep, 9))
        for draw in survey.draws
        if draw.phase == phase and draw.served
    ]


def test_layers_come_in_the_order_of_execution_with_functions_among_them(survey):
    found = survey("perceptron")[1]
    assert [(layer.name, layer.kind) for layer in found.layers] == [
        ("hidden", "dense"),
        ("norm", "batch_norm"),
        ("relu", "activation"),
        ("out", "dense"),
    ]
    norm = layers(found)["norm"].attributes
    assert (norm["epsilon"], norm["keep"], norm["unbiased_variance"]) == (1e-5, 0.9, True)
    assert drawn(found, "train") == [("", "dropout", (6, 8), 0.75)]
    assert not [draw for draw in found.draws if draw.phase == "generate"]


def test_an_optimizer_has_its_words_its_clipping_and_its_rates(survey):
    optimizer = survey("perceptron")[1].optimizers[0]
    assert (optimizer.kind, optimizer.slots) == ("adam", ("m", "v"))
    assert optimizer.rates == {"0": 0.01, "1": 0.01, "10": 0.01 * 0.5**5}
    assert optimizer.hyperparameters == {
        "learning_rate": 0.01,
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-8,
        "epsilon_place": "corrected",
        "clip_global_norm": 0.05,
    }


def test_convolutions_have_keras_layouts_and_names_of_paddings(survey):
    found = survey("images")[1]
    shapes = {piece.name: piece.shape for piece in found.pieces}
    assert shapes["first/kernel"] == (3, 3, 3, 4)
    assert shapes["deep/kernel"] == (3, 3, 4, 2)
    assert shapes["grouped/kernel"] == (1, 1, 4, 4)
    assert shapes["up/kernel"] == (2, 2, 4, 4)
    assert shapes["slope/slope"] == (4,)
    known = layers(found)
    assert known["first"].attributes["padding"] == "same"
    assert known["deep"].attributes["padding"] == [[1, 1], [1, 1]]
    assert known["deep"].kind == "depthwise_conv" and known["pool"].kind == "global_pool"
    assert known["relu"].calls == 2 and known["relu"].axes == (0, 2, 3, 1)
    assert found.losses == {"train": "sum"}
    assert drawn(found, "train") == [("drop", "dropout", (6, 4, 1, 1), 0.5)]
    assert not [piece.name for piece in found.pieces if "num_batches" in piece.name]


def test_recurrent_layers_have_the_canonical_gates_and_one_bias(survey):
    side, found = survey("sequences")
    by_name = {piece.name: piece for piece in found.pieces}
    own = side.parameters()
    bias = pieces.canonical(by_name["lstm/layer1/backward/bias"], own)
    both = own["lstm.bias_ih_l1_reverse"] + own["lstm.bias_hh_l1_reverse"]
    np.testing.assert_array_equal(bias, both)
    kernel = pieces.canonical(by_name["gru/kernel"], own)
    reset, update, new = np.split(own["gru.weight_ih_l0"].T, 3, 1)
    np.testing.assert_array_equal(kernel, np.concatenate([update, reset, new], 1))
    assert {"gru/bias", "gru/recurrent_bias"} <= set(by_name)
    assert layers(found)["lstm"].kind == "bidirectional"
    assert layers(found)["gru"].axes == (1, 0, 2)
    assert drawn(found, "train") == [("lstm", "dropout", (36, 8), 0.5)]
    assert found.optimizers[0].slots == ("v", "momentum", "mean")


def test_attention_is_cut_into_its_kernels_and_its_dropout_is_seen(survey):
    side, found = survey("encoder")
    own = side.parameters()
    name = "layers.layers.1.self_attn"
    for index, role in enumerate(("query", "key", "value")):
        piece = next(item for item in found.pieces if item.name == f"{name}/{role}/kernel")
        part = own[f"{name}.in_proj_weight"][8 * index : 8 * index + 8]
        np.testing.assert_array_equal(pieces.canonical(piece, own), part.T)
    assert (name, "dropout", (6, 2, 5, 5), 0.9) in drawn(found, "train")
    assert len(drawn(found, "train")) == 8
    optimizer = found.optimizers[0]
    assert optimizer.hyperparameters["weight_decay"] == [0.1, 0.0]
    assert (optimizer.kind, optimizer.hyperparameters["decay"]) == ("adamw", "decoupled")


def test_tied_weights_are_one_piece_and_frozen_ones_are_said_to_be(survey):
    found = survey("tied")[1]
    trainable = {piece.name: piece.trainable for piece in found.pieces}
    assert trainable == {
        "words/embeddings": True,
        "shared/kernel": True,
        "shared/bias": False,
        "Tied/scale": True,
        "Tied/positions": False,
    }
    assert layers(found)["shared"].calls == 2
    assert found.outputs == {"output/logits": (6, 4, 9), "output/hidden/0": (6, 4, 6)}
    # It updates at every second step.
    assert found.phases[0].optimizers == ("",) and found.optimizers[0].slots == ("sum",)


def test_a_step_with_two_optimizers_keeps_their_gradients_apart(survey):
    found = survey("gan")[1]
    phase = found.phases[0]
    assert phase.optimizers == ("critic", "generator")
    assert phase.losses == ("critic", "generator", "total")
    assert len(phase.gradients) == 8
    assert [draw.kind for draw in found.draws if draw.phase == "train"] == ["normal"] * 2
    assert layers(found)["critic.0"].calls == 0 and layers(found)["generator.0"].calls == 1


def test_phases_have_the_gradients_of_what_they_update(survey):
    found = survey("gan_phases")[1]
    updated = {phase.name: (phase.optimizers, phase.gradients) for phase in found.phases}
    assert updated["critic"][0] == ("critic",) and updated["generator"][0] == ("generator",)
    assert {name.split(".")[0] for name in updated["generator"][1]} == {"generator"}


def test_draws_that_no_tape_answers_are_named_with_their_reason(survey):
    found = survey("unserved")[1]
    reasons = [draw.reason for draw in found.draws if draw.phase == "train"]
    assert "randperm" in reasons[0] and "exponential_" in reasons[1]
    assert [remark for remark in found.remarks if "randperm" in remark]


def test_what_numpy_draws_is_remarked(survey, kit):
    adapter = importlib.import_module("backends.torch.adapter")
    torch = importlib.import_module("torch")
    pair = importlib.import_module("backends.pair")

    def function():
        net = torch.nn.Linear(3, 1)

        def step(batch):
            value = (net(batch["x"]) * np.random.rand()).mean()
            value.backward()
            return value

        return pair.torch(net, step=step)

    side = adapter.Side(function, Setting(precision="fp64"))
    found = side.survey({"x": np.ones((2, 3))})
    assert [remark for remark in found.remarks if "numpy.random" in remark]
    assert [piece.name for piece in found.pieces] == ["Linear/kernel", "Linear/bias"]
    assert found.phases[0].gradients == ("Linear/kernel", "Linear/bias")


def test_initializers_are_told_from_the_weights(kit):
    initializers = importlib.import_module("backends.torch.adapter.initializers")
    torch = importlib.import_module("torch")
    torch.manual_seed(0)
    dense = torch.nn.Linear(64, 96)
    assert initializers.word(dense.weight.detach().numpy().T) == "torch_uniform"
    for function, word in (
        ("xavier_uniform_", "glorot_uniform"),
        ("kaiming_normal_", "he_normal"),
        ("orthogonal_", "orthogonal"),
        ("ones_", "ones"),
        ("zeros_", "zeros"),
    ):
        getattr(torch.nn.init, function)(dense.weight)
        assert initializers.word(dense.weight.detach().numpy().T) == word
    torch.nn.init.normal_(dense.weight, std=0.02)
    assert initializers.word(dense.weight.detach().numpy().T) == "normal(0.02)"
    gates = np.zeros(16)
    assert initializers.word(gates) == "zeros"
    gates[4:8] = 1.0
    assert initializers.word(gates) == "zeros, forget gate 1"
    assert initializers.word(gates + 1.0) == initializers.word(gates[1:]) == "random"


def test_of_two_biases_that_are_one_a_frozen_one_is_said_so(kit):
    """A step moves their sum as far as a single one; with both trained, twice as far."""
    import torch

    from backends import pair

    adapter = importlib.import_module("backends.torch.adapter")
    for frozen in ((), ("bias_ih_l0",), ("bias_hh_l0",), ("bias_ih_l0", "bias_hh_l0")):
        net = torch.nn.LSTM(3, 4, batch_first=True)
        for name in frozen:
            getattr(net, name).requires_grad_(False)
        side = adapter.Side(
            lambda net=net: pair.torch(
                net,
                torch.optim.SGD(net.parameters(), 0.1),
                loss=lambda output, batch: output[0].mean(),
            ),
            Setting(precision="fp64", threads=1),
        )
        held = side.survey({"x": np.zeros((2, 5, 3))}).pieces
        (bias,) = (piece for piece in held if piece.role == "bias")
        assert bias.trainable == (len(frozen) < 2)
        said = [source.rpartition(".")[2] for source in bias.frozen]
        assert said == (list(frozen) if len(frozen) == 1 else [])
