"""Rules of activations: their words are Keras' names, where there is one."""

from __future__ import annotations

from typing import Any, Callable, Dict

from backends.torch.adapter.rules import Description, Weight, rule

#: Classes without settings, and their words.
PLAIN = {
    "ReLU": "relu",
    "ReLU6": "relu6",
    "SiLU": "silu",
    "Mish": "mish",
    "SELU": "selu",
    "Sigmoid": "sigmoid",
    "LogSigmoid": "log_sigmoid",
    "Tanh": "tanh",
    "Hardtanh": "hard_tanh",
    "Hardswish": "hard_silu",
    "Hardsigmoid": "hard_sigmoid",
    "Softsign": "softsign",
    "Tanhshrink": "tanh_shrink",
    "Identity": "linear",
}


def _plain(word: str) -> Callable[[Any], Description]:
    return lambda _: Description({"activation": word})


for name, word in PLAIN.items():
    rule(name, "activation")(_plain(word))


@rule("LeakyReLU", "activation")
def _leaky_relu(module: Any) -> Description:
    return Description({"activation": "leaky_relu", "slope": module.negative_slope})


@rule("ELU", "activation")
def _elu(module: Any) -> Description:
    return Description({"activation": "elu", "slope": module.alpha})


@rule("CELU", "activation")
def _celu(module: Any) -> Description:
    return Description({"activation": "celu", "slope": module.alpha})


@rule("GELU", "activation")
def _gelu(module: Any) -> Description:
    return Description({"activation": "gelu" if module.approximate == "none" else "gelu_tanh"})


@rule("Softplus", "activation")
def _softplus(module: Any) -> Description:
    attributes: Dict[str, Any] = {"activation": "softplus"}
    if module.beta != 1:
        attributes["slope"] = module.beta
    return Description(attributes)


@rule("Softmax", "activation")
def _softmax(module: Any) -> Description:
    return Description({"activation": "softmax", "axis": module.dim})


@rule("LogSoftmax", "activation")
def _log_softmax(module: Any) -> Description:
    return Description({"activation": "log_softmax", "axis": module.dim})


@rule("GLU", "activation")
def _glu(module: Any) -> Description:
    return Description({"activation": "glu", "axis": module.dim})


@rule("PReLU", "activation")
def _prelu(_: Any) -> Description:
    return Description({"activation": "prelu"}, (Weight("slope", ("weight",)),))


@rule("RReLU", "activation")
def _rrelu(module: Any) -> Description:
    return Description({"activation": "rrelu", "slope": [module.lower, module.upper]})
