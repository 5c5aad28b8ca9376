"""What the sequential rule shows on rounds that have been measured: the same looks and the same
ends as `harness.experiments.speed_rounds` makes.

Owns the rule for a single pair, and its rates over rounds drawn again and again from those
measured. A rate says how often runs like these end in a finding: with nothing to find it is the
false-alarm rate, with a known slow-down the power.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from harness.results.verdicts import Speed
from harness.speed.estimate import Estimate, estimate_logs, of_round
from harness.speed.schedule import looks
from harness.speed.verdict import judge, settled

#: What is known of a round: its log ratio, or those of its palindromes.
Known = TypeVar("Known")
#: What a run of at most so many rounds shows.
Rule = Callable[[Sequence[Known], int], Estimate]


@dataclasses.dataclass(frozen=True)
class Rates:
    """How runs of at most `most` rounds end, as shares of `tries`.

    Attributes:
        slower, faster: the verdict. material: one of the two, outside the margin as a whole.
        rounds: how many a run had on average.
    """

    most: int
    tries: int
    slower: float
    faster: float
    material: float
    rounds: float

    @property
    def detected(self) -> float:
        """Either verdict that says "different"."""
        return self.slower + self.faster


def shown(log_ratios: Sequence[float], most: int) -> Estimate:
    """Return the estimate with which a run ends that can afford `most` rounds.

    Args:
        log_ratios: of rounds in the order in which they ran; at least `most` of them.
        most: a run stops at the last look that it can afford, and knows there that it is the last.
    """
    allowed = looks(most)
    for look in allowed:
        estimate = estimate_logs(log_ratios[:look])
        if settled(estimate):
            return estimate
    return estimate_logs(log_ratios[: allowed[-1] if allowed else most], final=True)


def shown_of_palindromes(rounds: Sequence[Sequence[float]], most: int) -> Estimate:
    """The same from the log ratios of each round's palindromes."""
    return shown([of_round(palindromes) for palindromes in rounds], most)


def rates(rounds: Sequence[Known], most: int, tries: int, seed: int, rule: Rule[Known]) -> Rates:
    """Return how runs end whose rounds are drawn with replacement from those measured.

    Args:
        rounds: what is known of each, of time of b over time of a. A draw keeps its sign: where the
            sides were given their names at random, pass the rounds of both namings.
        most, tries: rounds a run can afford, and runs.
        seed: of the draw.
        rule: what is run: `shown`, or `shown_of_palindromes`.
    """
    draw = np.random.RandomState(seed)
    estimates = []
    for _ in range(tries):
        drawn = [rounds[number] for number in draw.randint(len(rounds), size=most)]
        estimates.append(rule(drawn, most))
    verdicts = [judge(estimate) for estimate in estimates]
    return Rates(
        most,
        tries,
        slower=sum(verdict.verdict == Speed.SLOWER for verdict in verdicts) / tries,
        faster=sum(verdict.verdict == Speed.FASTER for verdict in verdicts) / tries,
        material=sum(verdict.material for verdict in verdicts) / tries,
        rounds=sum(estimate.rounds for estimate in estimates) / tries,
    )


def bound(share: float, tries: int, deviations: float = 3.0) -> float:
    """Return the largest share that `tries` tries may show by chance where the true one is `share`
    (normal approximation)."""
    return share + deviations * math.sqrt(share * (1.0 - share) / tries)
