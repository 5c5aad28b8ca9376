"""Percentiles of single calls from counts by class: class n holds times around base ** n, in
seconds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

#: The tail of so few calls is no percentile: at least ten calls have to lie beyond it.
BEYOND = 10
#: The logarithm of nearly the largest float.
LARGEST = 709.0


def merge(counts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Return the counts of several rounds together, by class."""
    total: dict[int, int] = {}
    for of_round in counts:
        for number, count in of_round.items():
            total[number] = total.get(number, 0) + count
    return total


def percentile(counts: Mapping[int, int], base: float, share: float) -> float | None:
    """Return the time that a share of the calls does not exceed, seconds, exact to half a class.

    Args:
        counts: by class. base: the ratio of neighbouring classes. share: between 0 and 1, e.g.
            0.99.

    Returns:
        None where fewer than `BEYOND` calls lie beyond it.
    """
    total = sum(counts.values())
    if base <= 1.0 or total * (1.0 - share) < BEYOND - 1e-9:
        return None
    needed, seen = share * total - 1e-9, 0
    for number in sorted(counts):
        seen += counts[number]
        if seen >= needed:
            # A worker's own numbers may be beyond what a float holds.
            return float(base**number) if number * math.log(base) < LARGEST else math.inf
    return None
