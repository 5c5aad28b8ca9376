"""A digest: some elements of a tensor and some random projections of all of it, so that references
stay small.

A change anywhere in the tensor shows in the projections; a sampled element shows the change itself.
All numbers of a digest are on the tensor's own scale (a projection is divided by the root of the
number of elements), so a digest is compared by the same measure, the same scale and the same floor
as the tensor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLES = 56
PROJECTIONS = 8
SEED = 20150


def digest(values: NDArray[Any]) -> NDArray[Any]:
    """Return the tensor itself, flat, if it is small, else SAMPLES elements and PROJECTIONS signed
    sums / sqrt(n)."""
    flat = np.asarray(values).ravel()
    if flat.size <= SAMPLES + PROJECTIONS:
        return flat
    if flat.dtype.kind != "f":
        flat = flat.astype(np.float64)  # a projection of whole numbers is not a whole number
    generator = np.random.RandomState(SEED)
    chosen = flat[np.sort(generator.permutation(flat.size)[:SAMPLES])]
    sums = [
        np.sum(
            np.where(generator.randint(0, 2, size=flat.size) == 1, flat, -flat), dtype=np.float64
        )
        / np.sqrt(flat.size)
        for _ in range(PROJECTIONS)
    ]
    return np.concatenate([chosen, np.array(sums, dtype=flat.dtype)])
