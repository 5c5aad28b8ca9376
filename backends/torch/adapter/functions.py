"""Activations and pooling that a program calls as functions: they are layers like any other, called
by the layer that they run in, `block/relu`, the second one in it `block/relu_1`.

A `TorchFunctionMode` sees what Python calls, by whatever name it was imported. What a layer with a
rule of its own calls is that layer's affair.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, NamedTuple, Tuple

from torch.overrides import TorchFunctionMode

from backends.torch.adapter.packed import PACKS
from backends.torch.adapter.rules import Description, numbers

#: By the function's name, without the `_` of those that work in place: the word.
ACTIVATIONS = {
    "relu": "relu",
    "relu6": "relu6",
    "leaky_relu": "leaky_relu",
    "elu": "elu",
    "selu": "selu",
    "gelu": "gelu",
    "silu": "silu",
    "mish": "mish",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "softmax": "softmax",
    "log_softmax": "log_softmax",
    "softplus": "softplus",
    "softsign": "softsign",
    "hardswish": "hard_silu",
    "hardsigmoid": "hard_sigmoid",
    "logsigmoid": "log_sigmoid",
}
#: The second argument of those that have one, its default, and the word for it.
SETTINGS = {
    "leaky_relu": ("negative_slope", 0.01, "slope"),
    "elu": ("alpha", 1.0, "slope"),
    "softmax": ("dim", None, "axis"),
    "log_softmax": ("dim", None, "axis"),
}
POOLS = {"max_pool": "max_pool", "avg_pool": "average_pool"}


class Function(NamedTuple):
    """A function that is a layer: stands where a module does."""

    name: str
    description: Description


def _activation(name: str, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Function:
    attributes: Dict[str, Any] = {"activation": ACTIVATIONS[name]}
    if name in SETTINGS:
        argument, default, word = SETTINGS[name]
        attributes[word] = kwargs.get(argument, args[1] if len(args) > 1 else default)
    if name == "gelu" and kwargs.get("approximate", "none") != "none":
        attributes["activation"] = "gelu_tanh"
    return Function(name, Description(attributes, kind="activation"))


def _pool(name: str, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Function:
    word, count = name[:-2], int(name[-2])
    sizes = numbers(args[1] if len(args) > 1 else kwargs["kernel_size"], count)
    stride = args[2] if len(args) > 2 else kwargs.get("stride")
    padding = numbers(args[3] if len(args) > 3 else kwargs.get("padding", 0), count)
    attributes = {
        "kernel_size": sizes,
        "stride": sizes if not stride else numbers(stride, count),
        "padding": [[size, size] for size in padding] if any(padding) else "valid",
    }
    return Function(name, Description(attributes, first="channels", kind=POOLS[word]))


def described(func: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
    """Return the layer that a call of a function is; None where it is none.

    Args:
        func: what is called. args, kwargs: with what.
    """
    name = getattr(func, "__name__", "").rstrip("_")
    if name in ACTIVATIONS:
        return _activation(name, args, kwargs)
    if name[:-2] in POOLS and name[-2:] in ("1d", "2d", "3d"):
        return _pool(name, args, kwargs)
    return None


class Functions(TorchFunctionMode):
    """Sees calls for as long as it is entered.

    Args:
        seen: called with each function that is a layer and what it has returned; returns what it
            is to return.
        packs: called with what sequences are packed of, and the result.
    """

    def __init__(
        self,
        seen: Callable[[Function, Any], Any],
        packs: Callable[[Tuple[Any, ...], Any], None],
    ) -> None:
        super().__init__()
        self.seen, self.packs = seen, packs

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if getattr(func, "__name__", "") == PACKS:
            self.packs(args, result)
        layer = described(func, args, kwargs)
        return result if layer is None else self.seen(layer, result)
