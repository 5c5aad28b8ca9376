"""What releases of TensorFlow 2 call by other names, or do not have: 2.4 is the oldest that is
tried."""

from __future__ import annotations

import importlib
import inspect
import operator
import os
from typing import Any, Dict

import tensorflow as tf

from backends.contract import Setting, Unsupported

#: What `tf.function` calls the option for XLA, `experimental_compile` before 2.5.
_XLA = next(
    name
    for name in ("jit_compile", "experimental_compile")
    if name in inspect.signature(tf.function).parameters
)
_HASHABLE = tf.TensorShape.__hash__ is not None  # since 2.5

#: Return the shape of a tensor as a part of a dict's key. It is called several times in every step:
#: so no test of the release in it.
shape_key = (
    operator.attrgetter("shape") if _HASHABLE else lambda tensor: tuple(tensor.shape.as_list())
)


def xla(wanted: bool) -> Dict[str, bool]:
    """Return the arguments of `tf.function` that have XLA compile a function where it is wanted,
    else none."""
    return {_XLA: True} if wanted else {}


def compiles(function: Any) -> bool:
    """Return whether XLA compiles what `tf.function` made, as that itself knows."""
    return bool(getattr(function, "_" + _XLA, False))


def keras_version(package: Any) -> str:
    """Return the version of a package of Keras; TensorFlow's own has none from 2.13 to 2.15.

    Args:
        package: `tf.keras`, `keras` or `tf_keras`.
    """
    version = getattr(package, "__version__", None)
    if version is None:  # the package that this one hands on
        version = importlib.import_module("keras").__version__
    return str(version)


def ask_determinism(setting: Setting) -> None:
    """Ask for deterministic kernels. Before 2.8 there is a variable for CUDA's alone; the CPU's
    need none with one thread."""
    enable = getattr(tf.config.experimental, "enable_op_determinism", None)
    if enable is not None:
        enable()
    elif setting.device == "gpu":
        raise Unsupported(f"TensorFlow {tf.__version__} cannot promise deterministic GPU kernels")
    else:
        os.environ["TF_DETERMINISTIC_OPS"] = os.environ["TF_CUDNN_DETERMINISTIC"] = "1"


def deterministic() -> bool:
    """Return whether deterministic kernels are asked for; the function that tells is not part of
    the public interface."""
    if not hasattr(tf.config.experimental, "enable_op_determinism"):
        return os.environ.get("TF_DETERMINISTIC_OPS") == "1"
    from tensorflow.python.framework import config

    return bool(config.is_op_determinism_enabled())
