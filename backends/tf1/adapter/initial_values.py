"""How variables begin, in the words that all backends share, read from their initial values; and
what a checkpoint has for them."""

from __future__ import annotations

import math
from typing import Any, Dict, Optional, Sequence, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from backends.tf1.adapter.constants import constant, decimal

#: A truncated normal distribution of deviation 1 has this deviation after it is cut at 2.
TRUNCATED = 0.87962566103423978


def initializer(graph: Any, variable: str, shape: Tuple[int, ...]) -> str:
    """Return the word of a variable's initial value, or an empty one.

    Args:
        graph: the user's. variable: name of its operation. shape: its.
    """
    try:
        value = graph.get_operation_by_name(variable + "/Assign").inputs[1]
    except (KeyError, IndexError):
        return ""
    while value.op.type == "Identity":
        value = value.op.inputs[0]
    if value.op.type == "Fill":
        value = value.op.inputs[1]
    fixed = constant(value) if value.op.type == "Const" else None
    if fixed is not None:
        numbers = set(fixed.reshape(-1).tolist()[:1000])
        words = {(0.0,): "zeros", (1.0,): "ones"}
        if len(numbers) == 1:
            return words.get(tuple(numbers), f"constant {decimal(fixed.reshape(-1)[0]):g}")
        return "constant"
    return _random(value, shape)


def _random(value: Any, shape: Tuple[int, ...]) -> str:
    shift: Any = 0.0
    factor: Any = 1.0
    draw = value
    if draw.op.type in ("Add", "AddV2"):
        shift, draw = _number(draw.op.inputs[1]), draw.op.inputs[0]
    if draw.op.type == "Mul":
        factor, draw = _number(draw.op.inputs[1]), draw.op.inputs[0]
    kind = draw.op.type
    if shift is None or factor is None:
        return ""
    if "Uniform" in kind:
        if abs(shift + factor / 2) > 1e-6 * factor:
            return f"uniform {shift:g} {shift + factor:g}"
        return _scaled(factor / 2 / math.sqrt(3), shape, "uniform") or f"uniform {factor / 2:g}"
    if "TruncatedNormal" in kind:
        word = _scaled(factor * TRUNCATED, shape, "normal")
        return word or f"truncated_normal {factor:g}"
    if "Normal" in kind:
        return f"normal {factor:g}"
    return "orthogonal" if "Qr" in kind or "orthogonal" in value.op.name.lower() else ""


def _number(tensor: Any) -> Any:
    value = constant(tensor)
    if value is not None and value.size == 1:
        return float(value)
    if tensor.op.type == "Sub":  # the width of a uniform distribution
        high, low = _number(tensor.op.inputs[0]), _number(tensor.op.inputs[1])
        return None if high is None or low is None else high - low
    return None


def _scaled(deviation: float, shape: Tuple[int, ...], ending: str) -> Optional[str]:
    """Return the word of a deviation that follows from the shape of a kernel."""
    if len(shape) < 2:
        return None
    field = 1
    for size in shape[:-2]:
        field *= size
    inside, outside = field * shape[-2], field * shape[-1]
    known = {
        "glorot": 2.0 / (inside + outside),
        "he": 2.0 / inside,
        "lecun": 1.0 / inside,
    }
    for word, variance in known.items():
        if abs(deviation - math.sqrt(variance)) < 1e-4 * deviation:
            return f"{word}_{ending}"
    return None


def saved(prefix: str, names: Sequence[str], parameters: Sequence[str]) -> Dict[str, np.ndarray]:
    """Return the values that a checkpoint has.

    Args:
        prefix: of its files. names: of variables; those that it has not are left out.
        parameters: those that it has to have.

    Raises:
        ValueError: it lacks a parameter.
    """
    reader = tf.train.NewCheckpointReader(prefix)
    there = reader.get_variable_to_shape_map()
    missing = [name for name in parameters if name not in there]
    if missing:
        raise ValueError(
            f"the checkpoint {prefix} has no variable {missing[0]}; it has"
            f" {', '.join(sorted(there)[:5])}, ..."
        )
    return {name: reader.get_tensor(name) for name in names if name in there}
