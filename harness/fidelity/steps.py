"""The first departing time step of a recurrent model, and in it the layer. Pure.

In a model that feeds its output back, the last layer of one time step departs before the first
layer of the next, and every layer's whole sequence departs: the first in order is then not where
the fault is. Where no teacher-forced run can tell the layers apart, the fault is placed in the
first time step in which anything departs, and in it in the first layer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.fidelity.verdict import TensorVerdict
from harness.results.verdicts import Fidelity

#: Axes of a sequence: rows, time, features. An image has more; its second axis is no time.
AXES, TIME = 3, 1

Distances = NDArray[np.float64]


def first_step(apart: Distances, allowed: float) -> int | None:
    """Return the first time step, counted from 0, in which a sequence [rows, time, features]
    departs; None if it is none.

    Args:
        apart: |a - b|. allowed: the largest distance that is no departure.
    """
    if apart.ndim != AXES:
        return None
    steps = np.flatnonzero((apart > allowed).any(axis=(0, AXES - 1)))
    return int(steps[0]) if len(steps) else None


def first_departure(
    tensors: Sequence[TensorVerdict], read: Callable[[str], tuple[Distances, float]]
) -> tuple[int, TensorVerdict] | None:
    """Return the first departing time step of a forward stage and the first tensor that departs in
    it; None where it has no sequences.

    Nor where a tensor that is no sequence departs before all sequences: it was computed before any
    step.

    Args:
        tensors: of the stage, in order. read: returns |a - b| of a tensor, and the largest distance
            that is no departure.
    """
    failed = [
        item
        for item in tensors
        if item.verdict == Fidelity.FAIL and item.difference is not None and item.difference.finite
    ]
    departures: list[tuple[int, int, TensorVerdict]] = []
    for item in failed:
        apart, allowed = read(item.name)
        step = first_step(apart, allowed)
        if step is None and not departures:
            return None
        if step is not None:
            departures.append((step, apart.shape[TIME], item))
    if len(departures) < 2:
        return None
    length, _ = Counter(length for _, length, _ in departures).most_common(1)[0]
    alike = [(step, item) for step, own, item in departures if own == length]
    return min(alike, key=lambda departure: departure[0])
