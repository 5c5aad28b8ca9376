"""The names that the original's program gives its variables (github.com/jli0117/ehrMGAN at 62af0d7,
TensorFlow 1.15).

They follow from its scopes and from TF1's rules: `MultiRNNCell` counts its cells, `tf.layers.dense`
is called `dense`, and both discriminators open a scope `continuous_discriminator` for their
trainable states. A bilateral cell has twelve matrices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.workloads.ehr_mgan.layout import LAYERS, STREAMS

#: Eight Adam optimizers without names, in the order in which the program builds them.
OPTIMIZERS = [
    f"{kind}/{stream}"
    for kind in ("pretrain", "joint/vae", "joint/generator", "joint/discriminator")
    for stream in STREAMS
]
GATES = {"Input": "i", "Forget": "f", "Output": "o", "Cell": "c"}


def naming(hyper: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document that `harness/models/foreign_names.py` describes."""
    weights: dict[str, str | list[str]] = {}
    for stream in STREAMS:
        weights |= (
            _vae(f"vae/{stream}", f"{stream.capitalize()}_VAE")
            | _generator(stream)
            | _discriminator(stream)
        )
    for name in ("mu", "sigma"):
        for word, letter in (("kernel", "w"), ("bias", "b")):
            weights[f"vae/shared/{name}/{word}"] = f"Sampling_layer/Shared_VAE/{letter}_{name}"
    weights |= _cell("vae/shared/encoder/layer3", "Encoder/multi_rnn_cell/cell_2/Shared_VAE")
    weights |= _cell("vae/shared/decoder/layer1", "Decoder/multi_rnn_cell/cell_0/Shared_VAE")
    if hyper["conditional"]:
        for name, layer in (("hidden", "dense"), ("logits", "dense_1")):
            scope = f"Shared_VAE/semantic_classifier/{layer}"
            weights |= _cell(f"vae/shared/semantic/{name}", scope)
    return {"kind": "naming", "schema": 1, "weights": weights, "optimizers": OPTIMIZERS}


def _cell(name: str, scope: str) -> dict[str, str | list[str]]:
    return {f"{name}/{word}": f"{scope}/{word}" for word in ("kernel", "bias")}


def _vae(name: str, scope: str) -> dict[str, str | list[str]]:
    names: dict[str, str | list[str]] = {
        f"{name}/output/kernel": f"Decoder/Linear/{scope}/w_h_dec",
        f"{name}/output/bias": f"Decoder/Linear/{scope}/b_h_dec",
    }
    for network, layers in (("encoder", (1, 2)), ("decoder", (2, 3))):
        for layer in layers:
            cell = f"{network.capitalize()}/multi_rnn_cell/cell_{layer - 1}/{scope}"
            names |= _cell(f"{name}/{network}/layer{layer}", cell)
    return names


def _generator(stream: str) -> dict[str, str | list[str]]:
    scope = f"{stream.capitalize()}_generator"
    names: dict[str, str | list[str]] = {}
    for layer in range(LAYERS):
        cell = f"{scope}/cell_{layer}/{scope}/RNNCell_{layer}"
        for matrix in "WUV":
            names[f"generator/{stream}/layer{layer + 1}/{matrix}"] = [
                f"{cell}{gate}_gate/{matrix}{letter}" for gate, letter in GATES.items()
            ]
    return names | _cell(f"generator/{stream}/output", f"{scope}/dense")


def _discriminator(stream: str) -> dict[str, str | list[str]]:
    scope = f"{stream.capitalize()}_discriminator"
    names: dict[str, str | list[str]] = {}
    for layer in range(LAYERS):
        name = f"discriminator/{stream}/layer{layer + 1}"
        names |= _cell(name, f"{scope}/rnn/multi_rnn_cell/cell_{layer}/lstm_cell")
        for number, state in enumerate("ch", 1):
            names[f"{name}/initial_{state}"] = (
                f"{scope}/continuous_discriminator/layer{layer}_initial_state{number}"
            )
    return names | _cell(f"discriminator/{stream}/logit", f"{scope}/dense")
