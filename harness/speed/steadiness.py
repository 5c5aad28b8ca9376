"""Whether what was measured is of one state: steps that suddenly took another time, memory that
grows with every step. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

#: Between the first and the last third of a round's palindromes the ratio of two sides changes by
#: less than this, however the machine's own speed does: that changes both.
CHANGE = 1.2
#: Fewer palindromes have no thirds.
MIN_PALINDROMES = 6
#: Memory counts as growing from here on, bytes: allocators take it in pieces of a megabyte or more.
GROWN_BYTES = 4 << 20
#: And if the last third grew at least so fast, compared with the whole: what is taken once does not
#: go on.
GOES_ON = 0.5


def changed(ratios: Sequence[float]) -> float | None:
    """Return by what factor a ratio changed within a round, from the logs of its palindromes in
    running order; None if it did not.

    A plateau that ends while it is measured shows here. What is compared is early with late, never
    one side with the other: a round is not left out for what it finds. A plateau does not come
    back, so early and late lie apart as wholes, all but a quarter of each: a build that goes to and
    fro between two speeds (threads that share a core for a while) has both of them early and late,
    and is no plateau. One that takes less than a quarter of a round leaves its median alone.
    """
    if len(ratios) < MIN_PALINDROMES or not all(math.isfinite(ratio) for ratio in ratios):
        return None
    third = len(ratios) // 3
    early, late = (
        statistics.quantiles(part, n=4, method="inclusive")
        for part in (ratios[:third], ratios[-third:])
    )
    apart = max(late[0] - early[2], early[0] - late[2])
    return math.exp(late[1] - early[1]) if apart > math.log(CHANGE) else None


def growth(points: Sequence[tuple[int, int]]) -> float | None:
    """Return how many bytes a step memory grows by; None if it does not.

    Args:
        points: number of steps so far and resident bytes, in running order.
    """
    if len(points) < MIN_PALINDROMES:
        return None
    third = len(points) // 3
    parts = [points[:third], points[third:-third], points[-third:]]
    medians = [_medians(part) for part in parts]
    steps, held = zip(*medians, strict=True)
    if held[2] - held[0] < GROWN_BYTES or steps[2] <= steps[1]:
        return None
    rate = (held[2] - held[0]) / (steps[2] - steps[0])
    late = (held[2] - held[1]) / (steps[2] - steps[1])
    return rate if late >= GOES_ON * rate else None


def _medians(points: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Return the median number of steps and the median of resident bytes."""
    steps, held = zip(*points, strict=True)
    return statistics.median(steps), statistics.median(held)
