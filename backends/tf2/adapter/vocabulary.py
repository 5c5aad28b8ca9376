"""Keras' words for attributes, activations and initial values in the vocabulary that all backends
share.

Plain values come out: numbers, words, lists of numbers. What has no word here is shown as Keras
spells it.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Sequence, Tuple

import numpy as np

#: Keras' name of an activation -> the shared one, where they differ.
ACTIVATIONS = {"swish": "silu", "linear": "linear", "hard_swish": "hard_silu"}
#: What an initializer is told, by its name, in the order in which it is shown: `normal(0.05)`.
INITIALIZER_NUMBERS: Dict[str, Tuple[str, Sequence[str]]] = {
    "random_normal": ("normal", ("stddev",)),
    "random_uniform": ("uniform", ("minval", "maxval")),
    "truncated_normal": ("truncated_normal", ("stddev",)),
    "constant": ("constant", ("value",)),
    "identity": ("identity", ("gain",)),
}
#: How losses are reduced.
REDUCTIONS = {
    "sum_over_batch_size": "mean",
    "mean": "mean",
    "mean_with_sample_weight": "weighted_mean",
    "auto": "mean",
    "sum": "sum",
    "none": "none",
}


def snake(name: str) -> str:
    """Return `GlorotUniform` as `glorot_uniform`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def activation(value: Any) -> str:
    """Return the word for an activation function, or for a layer in its place."""
    if value is None:
        return "linear"
    name = getattr(value, "__name__", None) or snake(type(value).__name__)
    return ACTIVATIONS.get(name, name)


def plain(value: Any) -> Any:
    """Return an attribute of a layer as a number, a word, or a list of these."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if callable(value) and not hasattr(value, "numpy"):
        return activation(value)
    array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    if array.dtype.kind in "biufc":
        return array.tolist()
    return str(value)


def initializer(value: Any) -> str:
    """Return the word for how a weight begins, with its numbers: `glorot_uniform`, `normal(0.05)`.

    Args:
        value: an initializer of Keras', a function, or None.
    """
    if value is None:
        return "unknown"
    if not hasattr(value, "get_config"):
        return str(getattr(value, "__name__", snake(type(value).__name__)))
    name = re.sub(r"_v[12]$", "", snake(type(value).__name__))
    word, keys = INITIALIZER_NUMBERS.get(name, (name, ()))
    config: Dict[str, Any] = value.get_config()
    if name == "variance_scaling":
        keys = [key for key in config if key not in ("seed", "dtype")]
    numbers = [f"{config[key]:.7g}" if _numeric(config[key]) else str(config[key]) for key in keys]
    return f"{word}({', '.join(numbers)})" if numbers else word


def _numeric(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def reduction(loss: Any) -> str:
    """Return how a loss, as it was compiled, is reduced: a name or a function is averaged."""
    word = getattr(loss, "reduction", None)
    if word is None:
        return "mean" if isinstance(loss, str) or callable(loss) else "unknown"
    return REDUCTIONS.get(str(word).split(".")[-1].lower(), str(word))
