"""How often tests reject and verdicts fall, and whether that is as often as they say.

A single test of level alpha rejects Binomial(n, alpha) of n independent repetitions. The tests of a
family (the Welch tests of all quantities) depend on each other within a repetition, so nothing
simple is the law of their mean; but each of them has that binomial law. So the mean of a family has
to lie in the interval of one test, which is wider than its own; and each of its m tests in an
interval of its own, whose level is divided by m (Bonferroni).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from scipy import stats

from harness.fidelity.difference_tests import SPREAD
from harness.fidelity.equivalence import ALPHA
from tests.evaluation.calibration.trials import Outcome

#: Of the binomial intervals.
CONFIDENCE = 0.99
WELCH, SPREADS, KS = "means (Welch)", "spreads (Brown-Forsythe)", "KS"
FAMILIES = (WELCH, SPREADS, "energy distance", "MMD", KS, "classifier")
#: Those whose labels are permuted: exact for any seeds that are dealt out to the sides at random.
PERMUTED = frozenset({"energy distance", "MMD", KS, "classifier"})
#: Around the median and with few seeds, Brown and Forsythe's test is known to reject too seldom
#: (Conover, Johnson & Johnson 1981): such a rate is held from above only.
CONSERVATIVE = frozenset({SPREADS})


def family(test: str) -> str:
    """Return the family of a test by its name."""
    if test in FAMILIES:
        return test
    return SPREADS if test.endswith(SPREAD) else KS if test.endswith(", KS") else WELCH


def interval(repetitions: int, tests: int = 1) -> tuple[float, float]:
    """Return the shares of rejections between which each of some tests of level `ALPHA` stays
    with probability `CONFIDENCE`, together."""
    outside = (1.0 - CONFIDENCE) / (2.0 * tests)
    low, high = (float(stats.binom.ppf(q, repetitions, ALPHA)) for q in (outside, 1.0 - outside))
    return low / repetitions, high / repetitions


@dataclasses.dataclass(frozen=True)
class Rate:
    """How often the tests of a family reject with nothing to find.

    Attributes:
        tests: their number. mean: over all of them. lowest, highest: of one test.
        repetitions: over how many.
    """

    family: str
    tests: int
    mean: float
    lowest: float
    highest: float
    repetitions: int

    @property
    def calibrated(self) -> bool:
        """Whether the family keeps its level; see the module's docstring."""
        (low, high), (lowest, highest) = (
            interval(self.repetitions),
            interval(self.repetitions, self.tests),
        )
        below = self.family in CONSERVATIVE or (low <= self.mean and lowest <= self.lowest)
        return below and self.mean <= high and self.highest <= highest


def rates(outcomes: Sequence[Outcome]) -> list[Rate]:
    """Return the rate of each family that has a test; a test that was not defined in a
    repetition is not counted there."""
    rejected: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for outcome in outcomes:
        asked.update([*outcome.p])
        rejected.update(name for name, p in outcome.p.items() if p <= ALPHA)
    found = []
    for one in FAMILIES:
        names = [name for name in asked if family(name) == one]
        if names:
            shares = [rejected[name] / asked[name] for name in names]
            mean = sum(rejected[name] for name in names) / sum(asked[name] for name in names)
            found.append(Rate(one, len(names), mean, min(shares), max(shares), len(outcomes)))
    return found


@dataclasses.dataclass(frozen=True)
class Verdicts:
    """The shares of each verdict, of repetitions in which anything was discovered, and what
    decided most often, with its share."""

    repetitions: int
    shares: Mapping[str, float]
    discovered: float
    decided: str
    decided_share: float

    def __getitem__(self, verdict: str) -> float:
        return self.shares.get(verdict, 0.0)


def verdicts(outcomes: Sequence[Outcome], of: str = "FAIL") -> Verdicts:
    """Count the verdicts; what decided is counted among those that are `of` one kind."""
    count = len(outcomes)
    numbers = Counter(outcome.verdict for outcome in outcomes)
    shares = {verdict: number / count for verdict, number in numbers.items()}
    worst = Counter(outcome.worst for outcome in outcomes if outcome.verdict == of)
    decided, times = worst.most_common(1)[0] if worst else ("", 0)
    return Verdicts(
        count,
        shares,
        share(bool(outcome.discovered) for outcome in outcomes),
        decided,
        times / max(1, worst.total()),
    )


def share(facts: Iterable[bool]) -> float:
    """Return how many of some facts hold."""
    found = [*facts]
    return sum(found) / len(found)


@dataclasses.dataclass(frozen=True)
class Discoveries:
    """The mean share of false ones among what is discovered (none: 0), and the mean share of
    true differences that are."""

    repetitions: int
    false: float
    found: float


def discoveries(outcomes: Sequence[Outcome], different: frozenset[str]) -> Discoveries:
    """Compare what is discovered with the tests whose null hypothesis does not hold."""
    false, found = 0.0, 0.0
    for outcome in outcomes:
        shown = {*outcome.discovered}
        false += len(shown - different) / max(1, len(shown))
        found += len(shown & different) / len(different & {*outcome.p})
    return Discoveries(len(outcomes), false / len(outcomes), found / len(outcomes))
