"""From recorded rounds to the step times that a plot shows: one number a palindrome, so that the
machine's changes of speed show."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from harness.results.series import Turns
from harness.speed.estimate import RoundTimes, location

#: Rounds, and palindromes of a round.
MOST_ROUNDS, MOST_TURNS = 60, 40


def turns(rounds: Sequence[RoundTimes], a: str, b: str) -> Turns | None:
    """Return both sides' step times; None where nothing was measured of one of them.

    Args:
        rounds: in the order in which they ran. Of more than `MOST_ROUNDS`, equally spaced ones are
            kept, the first and last among them.
        a, b: labels of the two sides.
    """
    kept = list(range(len(rounds)))
    if len(rounds) > MOST_ROUNDS:
        kept = [round(at * (len(rounds) - 1) / (MOST_ROUNDS - 1)) for at in range(MOST_ROUNDS)]
    steps_a, steps_b = _side(rounds, kept, a), _side(rounds, kept, b)
    if not any(steps_a) or not any(steps_b):
        return None
    numbers = tuple(index + 1 for index in kept) if len(kept) < len(rounds) else ()
    return Turns(steps_a, steps_b, numbers)


def _side(
    rounds: Sequence[RoundTimes], kept: Sequence[int], label: str
) -> tuple[tuple[float, ...], ...]:
    return tuple(_step_times(rounds[index], label) for index in kept)


def _step_times(measured: RoundTimes, label: str) -> tuple[float, ...]:
    """Return a round's step times of one side; of many palindromes, the medians of neighbours."""
    values = [
        location(palindrome.steps_s[label])
        for palindrome in measured.palindromes
        if palindrome.steps_s.get(label)
    ]
    most = min(len(values), MOST_TURNS)
    parts = [
        values[len(values) * at // most : len(values) * (at + 1) // most] for at in range(most)
    ]
    return tuple(float(f"{statistics.median(part):.3e}") for part in parts)
