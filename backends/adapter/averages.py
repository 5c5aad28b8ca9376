"""By what an average of weights is known: how a step has moved it. Standard library and NumPy."""

from __future__ import annotations

from typing import Any, Iterable, List, Mapping, Tuple

import numpy as np

#: Of the largest value, what the share of one that is moved may differ by from another's. No
#: optimizer's slot moves straight towards the weight.
SAME_SHARE = 1e-4

#: By name, an array before and after a step.
Moved = Mapping[str, Tuple[np.ndarray, np.ndarray]]


def is_average(before: Any, after: Any, weight: Any) -> bool:
    """Return whether an array has moved as an average of a weight does: straight towards it, each
    value by the same share of the way, and not all of it.

    One value alone lies always on its way, so that two have to move at least.

    Args:
        before, after: the array, of any shape. weight: as it is after the step.
    """
    before, after, weight = (
        np.asarray(item, np.float64).ravel() for item in (before, after, weight)
    )
    if not before.shape == after.shape == weight.shape:
        return False
    way, moved = weight - before, after - before
    if np.count_nonzero(way) < 2 or not np.any(moved) or not np.all(np.isfinite(way)):
        return False
    furthest = int(np.argmax(np.abs(way)))
    share = moved[furthest] / way[furthest]
    if not 0.0 < share < 1.0 - SAME_SHARE:
        return False
    return bool(np.max(np.abs(moved - share * way)) <= SAME_SHARE * np.max(np.abs(moved)))


def averaged(arrays: Moved, weights: Moved) -> List[Tuple[str, str]]:
    """Return which arrays a step has moved as averages of which weights, in order.

    Args:
        arrays: what is no weight and no slot. weights: by name. Of one that begins with zeros
            nothing is told: what an optimizer adds up lies on its way, too.
    """
    begun = {name: after for name, (before, after) in weights.items() if np.any(before)}
    moving = []
    for name, (before, after) in arrays.items():
        if before.dtype.kind != "f" or np.array_equal(before, after):
            continue
        for weight, value in begun.items():
            if np.shape(value) == before.shape and is_average(before, after, value):
                moving.append((name, weight))
                break
    return moving


def sentences(moving: Iterable[Tuple[str, str]]) -> List[str]:
    """Return what is said of averages that nobody compares: one sentence, or none.

    Args:
        moving: as `averaged` returns them.
    """
    pairs = list(moving)
    if not pairs:
        return []
    more = f", and {len(pairs) - 1} more" if len(pairs) > 1 else ""
    return [
        f"a step moves {pairs[0][0]} as an average of {pairs[0][1]}{more}: it is not compared."
        " Declare a model that is such an average beside the other one, by name, on both sides"
    ]
