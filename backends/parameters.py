"""Check parameters that are about to be loaded into a port: a name that is not there, a shape that
is another one."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence

import numpy as np

from backends.contract import ShapeMismatch


def check(
    values: Mapping[str, np.ndarray], config: Mapping[str, Any], shapes: Mapping[str, Sequence[int]]
) -> None:
    """Raise unless `values` has exactly the names of `config["parameters"]` and the shapes that the
    port's own parameters have.

    Raises:
        KeyError: a name is missing or unknown.
        ShapeMismatch: a shape differs.
    """
    names = [item["name"] for item in config["parameters"]]
    missing = sorted(set(names) - set(values))
    unknown = sorted(set(values) - set(names))
    if missing or unknown:
        raise KeyError(
            f"parameters of {config['workload']}: missing {missing or 'none'};"
            f" unknown {unknown or 'none'}"
        )
    for name, shape in shapes.items():
        if name in values and np.shape(values[name]) != tuple(shape):
            raise ShapeMismatch(name, shape, np.shape(values[name]))


def misshapen(port: Any, values: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Return the parameters that a port has in another shape than the values that it is to be
    given, as the port has them; empty if it cannot tell.

    What a port's own assignment raises at another shape can be anything: only the shapes decide
    what it means.
    """
    # A port may raise what it likes; some have no parameters before the first are loaded.
    try:
        own = port.parameters()
    except Exception:  # noqa: BLE001  (see above)
        return {}
    return {
        name: value
        for name, value in own.items()
        if name in values and np.shape(value) != np.shape(values[name])
    }
