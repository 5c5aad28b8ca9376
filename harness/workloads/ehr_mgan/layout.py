"""Names and shapes of EHR-M-GAN's parameters, and the sites at which noise enters it.

Layouts are TF1's: an LSTM's kernel is [inputs + units, 4 units] with the gates in the order i, j
(the candidate), f, o; the constant 1 that is added to the forget gate is not part of its bias. A
bilateral cell has `W` [inputs, 4 units], `U` and `V` [units, 4 units] with the gates in the order
i, f, o, c and no biases (the original keeps twelve separate matrices).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.workloads.spec import FORWARD, GENERATE, Noise, Parameter

STREAMS = ("continuous", "discrete")
LAYERS = 3  # of encoders, decoders, generators and discriminators alike
CLASSES, SEMANTIC_UNITS = 4, 24


def parameters(hyper: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """Return every parameter in canonical order: the VAEs, the generators, the discriminators."""
    weights: list[Parameter] = []
    encoder, decoder, latent = hyper["encoder_units"], hyper["decoder_units"], hyper["latent"]
    label = int(hyper["conditional"])
    for stream in STREAMS:
        channels = hyper["channels"][stream]
        weights += _lstm(f"vae/{stream}/encoder/layer1", 2 * channels + label, encoder)
        weights += _lstm(f"vae/{stream}/encoder/layer2", encoder, encoder)
        weights += _lstm(f"vae/{stream}/decoder/layer2", decoder, decoder)
        weights += _lstm(f"vae/{stream}/decoder/layer3", decoder, decoder)
        weights += _dense(f"vae/{stream}/output", decoder, channels, bias="glorot_uniform")
    weights += _lstm("vae/shared/encoder/layer3", encoder, encoder)
    weights += _dense("vae/shared/mu", encoder, latent, bias="glorot_uniform")
    weights += _dense("vae/shared/sigma", encoder, latent, bias="glorot_uniform")
    weights += _lstm("vae/shared/decoder/layer1", latent + label, decoder)
    if hyper["conditional"]:
        weights += _dense("vae/shared/semantic/hidden", 2 * hyper["hours"] * latent, SEMANTIC_UNITS)
        weights += _dense("vae/shared/semantic/logits", SEMANTIC_UNITS, CLASSES)
    for stream in STREAMS:
        weights += _generator(hyper, stream)
    for stream in STREAMS:
        weights += _discriminator(hyper, stream)
    return tuple(weights)


def _lstm(name: str, inputs: int, units: int) -> list[Parameter]:
    return [
        Parameter(f"{name}/kernel", (inputs + units, 4 * units), "glorot_uniform"),
        Parameter(f"{name}/bias", (4 * units,)),
    ]


def _dense(name: str, inputs: int, units: int, bias: str = "zeros") -> list[Parameter]:
    return [
        Parameter(f"{name}/kernel", (inputs, units), "glorot_uniform"),
        Parameter(f"{name}/bias", (units,), bias),
    ]


def _generator(hyper: Mapping[str, Any], stream: str) -> list[Parameter]:
    weights: list[Parameter] = []
    units = hyper["generator_units"]
    for layer in range(1, LAYERS + 1):
        inputs = hyper["noise_size"][stream] + int(hyper["conditional"]) if layer == 1 else units
        for matrix, rows in (("W", inputs), ("U", units), ("V", units)):
            name = f"generator/{stream}/layer{layer}/{matrix}"
            weights.append(Parameter(name, (rows, 4 * units), "normal", deviation=0.1))
    return weights + _dense(f"generator/{stream}/output", units, hyper["latent"])


def _discriminator(hyper: Mapping[str, Any], stream: str) -> list[Parameter]:
    weights: list[Parameter] = []
    units = hyper["discriminator_units"]
    for layer in range(1, LAYERS + 1):
        name = f"discriminator/{stream}/layer{layer}"
        weights += _lstm(name, hyper["channels"][stream] if layer == 1 else units, units)
        weights += [
            Parameter(f"{name}/initial_{state}", (1, units), "normal", deviation=0.02)
            for state in "ch"
        ]
    return weights + _dense(f"discriminator/{stream}/logit", hyper["hours"] * units, 1)


def noise(hyper: Mapping[str, Any], phases: Sequence[str]) -> tuple[Noise, ...]:
    """Return all sites: dropout masks, latent noise and noisy labels are redrawn at every update,
    the generators' noise is drawn once for the ten updates of a joint step."""
    joint = tuple(phase for phase in phases if phase.startswith("joint/"))
    sites: list[Noise] = []
    for users in (joint, (FORWARD,), (GENERATE,)):
        for stream in STREAMS:
            shape = (hyper["batch"], hyper["hours"], hyper["noise_size"][stream])
            sites.append(Noise(users, f"generator/{stream}", shape, "uniform"))
    for phase in [*phases, FORWARD, GENERATE]:
        network = phase.split("/")[-2] if "/" in phase else phase
        if phase == FORWARD or network in ("pretrain", "vae"):
            sites += _vae_noise(hyper, phase)
        if phase in (FORWARD, GENERATE):
            for stream in STREAMS:
                sites += _decoding_noise(hyper, phase, stream)
        if phase == FORWARD:
            for stream in STREAMS:
                sites += _judging_noise(hyper, phase, stream)
        elif phase != GENERATE and network not in ("pretrain", "vae"):
            stream = phase.split("/")[-1]
            sites += _decoding_noise(hyper, phase, stream)
            # The discrete generator matches the moments of the data itself, not of what the
            # discriminator makes of real data.
            matches_data = network.startswith("generator") and stream == "discrete"
            sides = ("fake",) if matches_data else ("real", "fake")
            sites += _judging_noise(hyper, phase, stream, sides)
            if network == "discriminator":
                sites += _labels(hyper, phase, stream)
    return tuple(sites)


def _masks(hyper: Mapping[str, Any], phase: str, prefix: str, units: int) -> list[Noise]:
    """Return the dropout masks of the outputs of three layers, fresh at each hour."""
    shape = (hyper["batch"], hyper["hours"], units)
    return [
        Noise((phase,), f"{prefix}/layer{layer}", shape, "keep_mask", keep=hyper["keep"])
        for layer in range(1, LAYERS + 1)
    ]


def _vae_noise(hyper: Mapping[str, Any], phase: str) -> list[Noise]:
    sites: list[Noise] = []
    for stream in STREAMS:
        sites += _masks(hyper, phase, f"encoder/{stream}", hyper["encoder_units"])
        # One draw for all hours; each stream has its own.
        sites.append(Noise((phase,), f"e/{stream}", (hyper["batch"], hyper["latent"]), "normal"))
        sites += _masks(hyper, phase, f"decoder/{stream}", hyper["decoder_units"])
    return sites


def _decoding_noise(hyper: Mapping[str, Any], phase: str, stream: str) -> list[Noise]:
    return _masks(hyper, phase, f"generated/{stream}", hyper["decoder_units"])


def _judging_noise(
    hyper: Mapping[str, Any], phase: str, stream: str, sides: Sequence[str] = ("real", "fake")
) -> list[Noise]:
    return [
        site
        for side in sides
        for site in _masks(hyper, phase, f"{side}/{stream}", hyper["discriminator_units"])
    ]


def _labels(hyper: Mapping[str, Any], phase: str, stream: str) -> list[Noise]:
    """Return the noisy labels; the discrete stream's fake label is the constant
    `discrete_fake_label`."""
    shape = (hyper["batch"], 1)
    if stream == "discrete":
        return [Noise((phase,), "label/real", shape, "uniform", low=0.8, high=0.9)]
    return [
        Noise((phase,), "label/real", shape, "uniform", low=0.7, high=1.2),
        Noise((phase,), "label/fake", shape, "uniform", low=0.1, high=0.3),
    ]
