"""Check parameters that are about to be loaded against a workload's configuration, with messages that name the culprit."""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np


def check(values: Mapping[str, np.ndarray], config: Mapping[str, Any]) -> None:
    """Raise unless `values` has exactly the names and shapes of `config["parameters"]`.

    Raises:
        KeyError: a name is missing or unknown.
        ValueError: a shape differs.
    """
    shapes = {item["name"]: tuple(item["shape"]) for item in config["parameters"]}
    missing = sorted(set(shapes) - set(values))
    unknown = sorted(set(values) - set(shapes))
    if missing or unknown:
        raise KeyError("parameters of %s: missing %s; unknown %s" % (config["workload"], missing or "none", unknown or "none"))
    for name, shape in shapes.items():
        if np.shape(values[name]) != shape:
            raise ValueError("parameter %s has shape %s, expected %s" % (name, np.shape(values[name]), shape))
