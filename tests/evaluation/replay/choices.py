"""What else could have been chosen: other locations of a palindrome, ways to put rounds together,
spacings of looks, spendings.

Everything here sees only the half of the recorded rounds that is for choosing. Arrays stand for the
shipped code, so that many runs take little time; a test holds them against it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import special, stats

from harness.speed import schedule
from harness.speed.estimate import ALPHA, SPENT_A_LOOK, RoundTimes
from harness.speed.verdict import MARGIN
from tests.evaluation.replay import recorded

#: Steps of one side in a palindrome, last axis -> location.
LOCATIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "minimum": lambda steps: steps.min(-1),
    "10 % quantile": lambda steps: np.quantile(steps, 0.10, axis=-1),
    "lower quartile": lambda steps: np.quantile(steps, 0.25, axis=-1),
    "median": lambda steps: np.quantile(steps, 0.50, axis=-1),
    "mean": lambda steps: steps.mean(-1),
    "mean without the slowest quarter": (
        lambda steps: np.sort(steps, -1)[..., : 3 * steps.shape[-1] // 4].mean(-1)
    ),
}
#: Log ratios of a round's palindromes, last axis -> the round's.
ROUNDS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "median": lambda logs: np.median(logs, -1),
    "mean": lambda logs: logs.mean(-1),
    "trimmed mean": lambda logs: np.sort(logs, -1)[..., 2:-2].mean(-1),
}


@dataclasses.dataclass(frozen=True)
class Spread:
    """How far the log ratios of identical rounds scatter, with one location and one way to put
    palindromes together."""

    location: str
    by: Mapping[str, float]


def spreads() -> list[Spread]:
    """Return the standard deviation over rounds of their log ratio, for each pair of choices."""
    a, b = (_steps(side) for side in recorded.SIDES)
    return [
        Spread(name, _deviations(np.log(location(b) / location(a))))
        for name, location in LOCATIONS.items()
    ]


def _steps(side: str) -> np.ndarray:
    """Return the steps of one side, [round, palindrome, step]."""

    def of_round(times: RoundTimes) -> list[Sequence[float]]:
        return [palindrome.steps_s[side] for palindrome in times.palindromes]

    return np.array([of_round(times) for times in recorded.rounds().chosen_by])


def _deviations(logs: np.ndarray) -> dict[str, float]:
    """Return how far rounds scatter, by how the ratios of a round's palindromes, last axis, are
    put together."""
    return {how: float(np.std(combine(logs), ddof=1)) for how, combine in ROUNDS.items()}


def drawn(slowdown: float, rounds: int, tries: int, seed: int) -> np.ndarray:
    """Return log ratios of runs, [tries, rounds], drawn from the half for choosing."""
    logs = np.array(recorded.log_ratios(recorded.rounds().chosen_by, slowdown))
    return logs[np.random.RandomState(seed).randint(len(logs), size=(tries, rounds))]


# -- how rounds become a finding, without looks in between -----------------------------------------


def student(logs: np.ndarray) -> np.ndarray:
    """Two-sided p value of a mean over rounds."""
    return np.asarray(stats.ttest_1samp(logs, 0.0, axis=1).pvalue)


def trimmed(logs: np.ndarray) -> np.ndarray:
    """The same for a mean without the largest and the smallest tenth (at least one of each),
    over the winsorised spread (Yuen 1974)."""
    count = logs.shape[1]
    cut = max(1, count // 10)
    ordered = np.sort(logs, axis=1)
    kept = ordered[:, cut : count - cut]
    winsorised = np.clip(ordered, kept[:, :1], kept[:, -1:])
    error = winsorised.std(axis=1, ddof=1) / ((1.0 - 2.0 * cut / count) * math.sqrt(count))
    return np.asarray(2.0 * special.stdtr(count - 2 * cut - 1, -np.abs(kept.mean(1) / error)))


def signed_ranks(logs: np.ndarray) -> np.ndarray:
    """Wilcoxon's test; exact."""
    return np.asarray(stats.wilcoxon(logs, axis=1, method="exact").pvalue)


OVER_ROUNDS = {
    "mean, Student's t": student,
    "trimmed mean, winsorised spread": trimmed,
    "signed ranks": signed_ranks,
}


# -- looking several times -------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Looking:
    """After which rounds to look, and what share of the error rate that is left a look spends."""

    name: str
    looks: tuple[int, ...]
    spent: float


@dataclasses.dataclass(frozen=True)
class Ended:
    """Share of runs that end with a detection, and rounds until the first look that detects (a
    run's end, where none does)."""

    detected: float
    first: float


DOUBLING = (5, 10, 20, 40, 80)
COARSE = (5, 8, 12, 20, 30, 50, 80)
SHIPPED = Looking("shipped", schedule.looks(80), SPENT_A_LOOK)
LOOKINGS = (
    SHIPPED,
    *(Looking("as shipped", SHIPPED.looks, spent) for spent in (0.05, 0.2, 0.33)),
    Looking("every second one", COARSE, 0.1),
    Looking("every second one", COARSE, 0.2),
    Looking("doubling", DOUBLING, 0.1),
    Looking("doubling", DOUBLING, 0.33),
)


def ended(looking: Looking, logs: np.ndarray) -> Ended:
    """Return how runs end that last look at the number of rounds given, whatever their looks
    before."""
    tries, most = logs.shape
    at = [*(look for look in looking.looks if look < most), most]
    first = np.full(tries, most)
    over = np.zeros(tries, bool)
    detected = np.zeros(tries, bool)
    left = ALPHA
    for look in at:
        final = look == most
        level = left if final else left * looking.spent
        left -= level
        mean, error = logs[:, :look].mean(1), logs[:, :look].std(1, ddof=1) / math.sqrt(look)
        half = special.stdtrit(look - 1, 1.0 - level / 2.0) * error
        found = np.abs(mean) > half
        first = np.where(found & ~over & (first > look), look, first)
        inside = np.abs(mean) + half <= math.log1p(MARGIN)
        ends = (np.abs(mean) - half > math.log1p(MARGIN)) | (found & inside)
        detected |= ~over & found & (ends | final)
        over |= ends
    return Ended(float(detected.mean()), float(first.mean()))


def compared(
    points: Sequence[tuple[int, float]], tries: int, seed: int
) -> list[tuple[Looking, list[Ended]]]:
    """Return how runs end for each way of looking, at points of (rounds, slow-down)."""
    draws = [drawn(slowdown, most, tries, seed) for most, slowdown in points]

    def ends(looking: Looking) -> list[Ended]:
        return [ended(looking, logs) for logs in draws]

    return [(looking, ends(looking)) for looking in LOOKINGS]
