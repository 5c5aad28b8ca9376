"""Points of two kinds, and what they are to be mapped to."""

from __future__ import annotations

import numpy as np

from recipes.combinations import INPUTS, OUTPUTS


def load() -> dict[str, np.ndarray]:
    """Return x: [64, inputs] and y: [64, outputs]."""
    random = np.random.RandomState(7)
    x = random.normal(size=(64, INPUTS))
    mixed = random.normal(size=(INPUTS, OUTPUTS))
    return {"x": x, "y": np.tanh(x.dot(mixed)) + 0.1 * random.normal(size=(64, OUTPUTS))}
