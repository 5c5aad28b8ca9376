"""Load parameters into a port, with messages that name the culprit: a name that is not there, a shape that is another one."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence

import numpy as np

from backends.contract import ShapeMismatch


def check(values: Mapping[str, np.ndarray], config: Mapping[str, Any], shapes: Mapping[str, Sequence[int]]) -> None:
    """Raise unless `values` has exactly the names of `config["parameters"]` and the shapes that the port's own parameters have.

    Raises:
        KeyError: a name is missing or unknown.
        ShapeMismatch: a shape differs.
    """
    names = [item["name"] for item in config["parameters"]]
    missing = sorted(set(names) - set(values))
    unknown = sorted(set(values) - set(names))
    if missing or unknown:
        raise KeyError("parameters of %s: missing %s; unknown %s" % (config["workload"], missing or "none", unknown or "none"))
    compare(values, shapes)


def compare(values: Mapping[str, np.ndarray], shapes: Mapping[str, Sequence[int]]) -> None:
    """Raise ShapeMismatch for the first parameter whose value has another shape than the port's own."""
    for name, shape in shapes.items():
        if name in values and np.shape(values[name]) != tuple(shape):
            raise ShapeMismatch(name, shape, np.shape(values[name]))


def load(port: Any, values: Mapping[str, np.ndarray]) -> None:
    """Load parameters into any port: what a port's own code raises because a shape differs becomes ShapeMismatch.

    Raises:
        ShapeMismatch: the port has refused, and `parameter_shapes` shows that one of its parameters has another shape.
    """
    try:
        port.load_parameters(values)
    except ShapeMismatch:
        raise
    except Exception as error:  # whatever an assignment of a user's own raises: only the shapes decide what it means
        mismatch = _mismatch(port, values)
        if mismatch is None:
            raise
        raise mismatch from error


def _mismatch(port: Any, values: Mapping[str, np.ndarray]) -> Optional[ShapeMismatch]:
    try:
        compare(values, port.parameter_shapes())
    except ShapeMismatch as mismatch:
        return mismatch
    except Exception:  # noqa: BLE001  (a port that was never loaded may have nothing to show; what counts is why it was not)
        return None
    return None
