"""The user's objects, in one setting: the dtypes that Keras is set to before they are made, and
what they then are."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import re
from typing import Any, Dict, Iterator, List, Mapping

import numpy as np
import tensorflow as tf

from backends.contract import PRECISION_TABLE, Setting, Unsupported
from backends.pair import Declared
from backends.tf2.adapter.weights import children, inner, own_variables

#: Keras' name for a policy that multiplies in a lower dtype than it keeps weights in.
MIXED = {"bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


def packages() -> List[Any]:
    """Return the packages of Keras that models may be made with in this process."""
    held: Dict[int, Any] = {id(tf.keras): tf.keras}
    for name in ("keras", "tf_keras"):
        if importlib.util.find_spec(name) is not None:
            module = importlib.import_module(name)
            held.setdefault(id(module), module)
    return [module for module in held.values() if hasattr(module, "backend")]


def set_dtypes(setting: Setting) -> None:
    """Set what Keras makes layers in, and seed what they begin with.

    Args:
        setting: how to run.
    """
    table = PRECISION_TABLE[setting.precision]
    policy = MIXED.get(table["contraction"], table["master"])
    for keras in packages():
        keras.backend.set_floatx(table["master"])
        mixed = keras.mixed_precision
        setter = getattr(mixed, "set_global_policy", None) or mixed.set_dtype_policy
        setter(policy)
        if hasattr(keras.utils, "set_random_seed"):
            keras.utils.set_random_seed(0)


def check_declared(declared: Any) -> Declared:
    """Return what the user's function gave, if it is a side made of Keras models.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(declared, Declared) or declared.framework != "keras":
        what = getattr(declared, "framework", type(declared).__name__)
        raise TypeError(
            f"a side of TensorFlow 2 has to return pair.keras(...); this one returned {what}"
        )
    for name, model in declared.models.items():
        # Of the class: a model of Keras 2 that nobody has called yet refuses to list its weights.
        if not hasattr(type(model), "trainable_weights"):
            where = f" {name!r}" if name else ""
            raise TypeError(f"the model{where} is no keras.Model but {type(model).__name__}")
    return declared


def check_dtypes(models: Mapping[str, Any], setting: Setting) -> None:
    """Raise Unsupported unless all models are in the dtypes of the setting.

    Args:
        models: by name, built. setting: how to run.
    """
    table = PRECISION_TABLE[setting.precision]
    computing = set()
    for layer in all_layers(models.values()):
        policy = getattr(layer, "compute_dtype", None)
        computing.add(str(policy))
        for variable in own_variables(layer):
            dtype = inner(variable).dtype
            if dtype.is_floating and dtype.name != table["master"]:
                raise Unsupported(
                    f"{setting.precision}: the layer {layer.name} keeps {variable.name} in"
                    f" {dtype.name} whatever Keras is set to; its code names a dtype"
                )
    low = table["contraction"]
    if low in MIXED and low not in computing:
        raise Unsupported(
            f"{setting.precision}: no layer of the model computes in {low}; the policy of Keras'"
            " that asks for it is not followed"
        )


@contextlib.contextmanager
def dtypes_refused(setting: Setting, watcher: Any) -> Iterator[None]:
    """Turn what TensorFlow says of float32 met in float64 into Unsupported: the code names a dtype.

    Args:
        setting: how to run. watcher: that knows which layer raised; or None.

    Raises:
        Unsupported: it was said in the block. Other errors pass as they are.
    """
    try:
        yield
    except (TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
        text = str(error)
        single = re.search(r"\bfloat32\b|\bfloat (tensor|vs)|is a float\b", text)
        double = re.search(r"\bfloat64\b|\bdouble\b", text)
        if setting.precision != "fp64" or not (single and double):
            raise
        where = f"the layer {watcher.failed}" if watcher and watcher.failed else "the user's code"
        line = next(line for line in text.splitlines() if line.strip())
        raise Unsupported(f"fp64: {where} computes in float32 whatever is set: {line}") from error


def all_layers(models: Any) -> List[Any]:
    """Return every layer of some models, themselves included, each once."""
    layers: Dict[int, Any] = {}
    waiting = list(models)
    while waiting:
        layer = waiting.pop(0)
        if id(layer) not in layers:
            layers[id(layer)] = layer
            waiting += children(layer)
    return list(layers.values())


def tensors(arrays: Mapping[str, np.ndarray], dtype: str) -> Dict[str, Any]:
    """Return a batch as tensors, floating-point arrays in the dtype that models are made in.

    Args:
        arrays: of the batch. dtype: of floating-point ones.
    """
    held = {}
    for name, value in arrays.items():
        array = np.asarray(value)
        held[name] = tf.constant(array, dtype if array.dtype.kind == "f" else None)
    return held


def is_built(models: Mapping[str, Any]) -> bool:
    """Return whether every layer of every model has its weights."""
    return all(getattr(layer, "built", True) for layer in all_layers(models.values()))
