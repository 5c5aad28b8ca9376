"""What a user's functions hold on to: the models, optimizers, metrics, variables and plain objects
in their closures, defaults, globals and `self`, and what these hold.

Only the user's own objects are looked into; those of installed packages are not.
"""

from __future__ import annotations

import functools
import types
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

import numpy as np
import tensorflow as tf

from backends.tf2.adapter.weights import is_variable

DEPTH = 6
#: Packages whose objects are never looked into.
FOREIGN = ("tensorflow", "keras", "tf_keras", "numpy", "backends", "builtins", "typing", "scipy")
PLAIN = (type(None), bool, int, float, complex, str, bytes, np.generic, np.ndarray)


class Holdings(NamedTuple):
    """What some functions hold.

    Attributes:
        models, optimizers, metrics, variables, generators: by the name they are held by.
        objects: of the user's own classes, whose plain attributes are state.
    """

    models: Dict[str, Any]
    optimizers: Dict[str, Any]
    metrics: Dict[str, Any]
    variables: Dict[str, Any]
    generators: Dict[str, Any]
    objects: Dict[int, Any]


def of(functions: List[Any], models: List[Any]) -> Holdings:
    """Return what functions and models hold.

    Args:
        functions: steps and the forward pass, as the user gave them.
        models: of a class of the user's own they may hold optimizers and plain state.
    """
    holdings = Holdings({}, {}, {}, {}, {}, {})
    seen: Dict[int, Any] = {}
    for model in models:
        _visit_model(model, holdings, seen, DEPTH)
    for function in functions:
        if function is not None:
            _visit("", function, holdings, seen, DEPTH)
    return holdings


def _visit_model(model: Any, holdings: Holdings, seen: Dict[int, Any], depth: int) -> None:
    seen[id(model)] = model
    if _is_own(model):
        _visit_inside(model, holdings, seen, depth)


def _is_own(value: Any) -> bool:
    """Return whether an object is of a class of the user's own."""
    return type(value).__module__.split(".")[0] not in FOREIGN


def base_names(value: Any) -> List[str]:
    """Return the names of the classes of Keras' that an object is of."""
    return [kind.__name__ for kind in type(value).__mro__ if "keras" in kind.__module__]


def is_optimizer(value: Any) -> bool:
    """Return whether it is an optimizer of Keras'."""
    return hasattr(value, "apply_gradients") and hasattr(value, "get_config")


def _visit(name: str, value: Any, holdings: Holdings, seen: Dict[int, Any], depth: int) -> None:
    if id(value) in seen or isinstance(value, (*PLAIN, types.ModuleType, type)) or depth < 0:
        return
    seen[id(value)] = value
    kinds = base_names(value)
    if is_variable(value):
        holdings.variables[_free(name, holdings.variables)] = value
    elif is_optimizer(value):
        holdings.optimizers[_free(name, holdings.optimizers)] = value
    elif "Metric" in kinds:
        holdings.metrics[_free(name, holdings.metrics)] = value
    elif "Layer" in kinds:
        holdings.models[_free(name, holdings.models)] = value
        _visit_model(value, holdings, seen, depth)
    elif "Callback" in kinds:  # one that changes a learning rate has its state in attributes
        holdings.objects[id(value)] = value
    elif isinstance(value, (np.random.RandomState, np.random.Generator, tf.random.Generator)):
        holdings.generators[_free(name, holdings.generators)] = value
    else:
        _visit_inside(value, holdings, seen, depth)


def _free(name: str, there: Dict[str, Any]) -> str:
    free, count = name or "held", 2
    while free in there:
        free, count = f"{name}_{count}", count + 1
    return free


def _visit_inside(value: Any, holdings: Holdings, seen: Dict[int, Any], depth: int) -> None:
    for name, item in _parts(value):
        _visit(name, item, holdings, seen, depth - 1)
    if hasattr(value, "__dict__") and not _is_function(value) and _is_own(value):
        holdings.objects[id(value)] = value


def _is_function(value: Any) -> bool:
    """Return whether something is a function, whose attributes are no state."""
    return isinstance(value, (types.FunctionType, types.MethodType, functools.partial))


def _parts(value: Any) -> Iterator[Tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((str(key), item) for key, item in list(value.items()))
    elif isinstance(value, (list, tuple, set)):
        yield from ((str(index), item) for index, item in enumerate(value))
    elif isinstance(value, functools.partial):
        yield from _numbered([value.func, *value.args])
        yield from value.keywords.items()
    elif isinstance(value, types.MethodType):
        yield "self", value.__self__
        yield "function", value.__func__
    elif isinstance(value, types.FunctionType):
        yield from _of_function(value)
    else:
        # `tf.function` keeps what it was made of.
        python = getattr(value, "python_function", None)
        if python is not None:
            yield "function", python
        elif _is_own(value):
            yield from list(getattr(value, "__dict__", {}).items())


def _numbered(values: List[Any]) -> Iterator[Tuple[str, Any]]:
    """Yield values by their number as a word."""
    yield from ((str(index), value) for index, value in enumerate(values))


def _of_function(function: Any) -> Iterator[Tuple[str, Any]]:
    code = function.__code__
    for name, cell in zip(code.co_freevars, function.__closure__ or ()):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not filled yet
            continue
    yield from _numbered(list(function.__defaults__ or ()))
    yield from (function.__kwdefaults__ or {}).items()
    for names in _names_of(code):
        if names in function.__globals__:
            yield names, function.__globals__[names]


def _names_of(code: Any) -> Iterator[str]:
    """Yield the global names that a function's code and the functions inside it use."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_of(constant)
