"""The best way to lay two sequences beside each other without crossing: Needleman and Wunsch,
*J. Mol. Biol.* 48 (1970), with gaps that cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def align(a: Sequence[A], b: Sequence[B], score: Callable[[A, B], float]) -> list[tuple[int, int]]:
    """Return the index pairs of the alignment whose scores add up to the most, in order.

    Args:
        a, b: what is laid beside each other.
        score: of a pair; 0 or less for one that may not be.

    Example:
        >>> align("abcd", "axcd", lambda x, y: float(x == y))
        [(0, 0), (2, 2), (3, 3)]
    """
    table = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]
    values = [_scores(left, b, score) for left in a]
    for i in range(len(a) - 1, -1, -1):
        row, below = table[i], table[i + 1]
        for j in range(len(b) - 1, -1, -1):
            paired = values[i][j] + below[j + 1] if values[i][j] > 0 else 0.0
            row[j] = max(paired, below[j], row[j + 1])
    pairs, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        if values[i][j] > 0 and table[i][j] == values[i][j] + table[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif table[i][j] == table[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _scores(left: A, b: Sequence[B], score: Callable[[A, B], float]) -> list[float]:
    return [score(left, right) for right in b]
