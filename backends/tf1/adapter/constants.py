"""Numbers that a graph holds as constants, and the digits that they were written with."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

#: What is computed of constants to find another one.
FOLDED = {"Sub": np.subtract, "RealDiv": np.divide, "Neg": np.negative}


def constant(tensor: Any) -> Any:
    """Return the value of a tensor that is a constant, or None.

    Args:
        tensor: of a Python graph.
    """
    while tensor.op.type in ("Identity", "Enter", "Cast") and len(tensor.op.inputs):
        tensor = tensor.op.inputs[0]
    if tensor.op.type in FOLDED:
        values = [constant(item) for item in tensor.op.inputs]
        known = all(value is not None for value in values)
        return FOLDED[tensor.op.type](*values) if known else None
    return tf.get_static_value(tensor) if tensor.op.type != "Placeholder" else None


def rounded(value: float) -> float:
    """Return a share without the digits that a subtraction in float32 adds.

    Args:
        value: a number between 0 and 1.
    """
    return float(f"{value:.7g}")


def decimal(value: Any) -> float:
    """Return the number that a float32 was written as.

    Args:
        value: a NumPy scalar of any dtype.
    """
    return float(str(value)) if isinstance(value, np.float32) else float(value)
