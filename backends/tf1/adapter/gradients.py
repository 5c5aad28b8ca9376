"""Gradients as they were differentiated: sparse ones made dense, and a teacher's in their place."""

from __future__ import annotations

from typing import Any, Dict, Sequence, Tuple

import numpy as np


def total(parts: Sequence[Sequence[np.ndarray]], shape: Tuple[int, ...]) -> np.ndarray:
    """Return the gradient of a variable: the sum over all calls that differentiated to it.

    Args:
        parts: of each call its gradient, or its values and indices. shape: of the variable.
    """
    dense = []
    for call in parts:
        if len(call) == 1:
            dense.append(np.asarray(call[0]))
            continue
        values, indices = call
        whole = np.zeros(shape, np.asarray(values).dtype)
        np.add.at(whole, np.reshape(indices, [-1]), np.reshape(values, (-1, *shape[1:])))
        dense.append(whole)
    return dense[0] if len(dense) == 1 else np.sum(dense, axis=0)


def replaced(
    places: Sequence[Sequence[str]], value: np.ndarray, indices: Sequence[np.ndarray]
) -> Dict[str, Any]:
    """Return what is fed so that a teacher's gradient takes the place of a variable's own.

    The first call's gradient becomes the teacher's, further ones nothing. Of a sparse one, a row
    that occurs more than once has it at the first place.

    Args:
        places: names of tensors, by call. value: the teacher's, dense.
        indices: of the sparse ones among the calls, in order.
    """
    feed: Dict[str, Any] = {}
    rows = iter(indices)
    left = np.array(value)
    for place in places:
        if len(place) == 1:
            feed[place[0]] = left
            left = np.zeros_like(left)
            continue
        numbers = np.reshape(next(rows), [-1])
        values = np.zeros((len(numbers), *left.shape[1:]), left.dtype)
        for position, row in enumerate(numbers):
            values[position] = left[row]
            left[row] = 0.0
        feed[place[0]] = values
    return feed
