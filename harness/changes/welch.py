"""Did a ratio change between two nights? The test of one row, and of all rows of a night together.

A round of fresh processes is the unit on both nights, so the difference of the two mean log ratios
has a standard error from both nights' rounds, and Welch's t interval: nights have their own numbers
of rounds and their own spreads. What rounds of one night cannot show is that the machine itself
differs from night to night. That variance is added (`NightSpread`): as large as a history tells,
or, before there is one, as large as is usual (`USUAL`). Taken for nothing, nights that differ cry
wolf.

A change is *material* when the whole 99 % interval of the difference lies outside the margin of 3 %
(`harness.speed.verdict`). That is a test of "no change outside the margin", and it has a p-value,
so that all rows of a night share one error rate: with forty rows at 1 % each, a night in three
would call something changed. Holm's procedure, because it holds whatever the dependence between
rows (pairs share builds, actions share processes) and is never less sharp than Bonferroni's. The
interval of a row is shown at the level at which Holm tested it, so that an interval outside the
margin and a rejection are the same thing.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import scipy

from harness.changes.model import Moments
from harness.speed.estimate import ALPHA, TOO_REGULAR
from harness.speed.schedule import MIN_ROUNDS
from harness.speed.verdict import MARGIN


@dataclasses.dataclass(frozen=True)
class NightSpread:
    """How much a machine's ratio moves from night to night beside its rounds: standard deviation,
    in the logarithm, and how many degrees of freedom the estimate has."""

    deviation: float
    degrees_of_freedom: float = math.inf


#: Until a history tells: half of the margin (`harness.speed.verdict`). Twice as much would hide a
#: slow-down of a tenth, nothing at all would make an alarm of the machine's moods; docs/changes.md
#: has the figures.
USUAL = NightSpread(0.015)


@dataclasses.dataclass(frozen=True)
class LogDifference:
    """After minus before, in the logarithm: mean, standard error, degrees of freedom."""

    mean: float
    error: float
    degrees_of_freedom: float

    def half_width(self, alpha: float) -> float:
        """Return the half-width of the interval, two-sided error rate `alpha`."""
        return float(scipy.special.stdtrit(self.degrees_of_freedom, 1.0 - alpha / 2.0)) * self.error

    def p_beyond(self, margin: float) -> float:
        """Return the p-value of "the change lies inside the margin": below `alpha` just when the
        interval lies outside it."""
        t = (abs(self.mean) - margin) / self.error
        return min(1.0, 2.0 * float(scipy.special.stdtr(self.degrees_of_freedom, -t)))


@dataclasses.dataclass(frozen=True)
class JudgedRatio:
    """One row of a night. `alpha`: the error rate at which its interval `low` to `high` (of after /
    before) stands."""

    difference: LogDifference
    p: float
    alpha: float
    material: bool

    @property
    def ratio(self) -> float:
        """After over before."""
        return _exp(self.difference.mean)

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return _exp(self.difference.mean - self.difference.half_width(self.alpha))

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return _exp(self.difference.mean + self.difference.half_width(self.alpha))

    @property
    def leaning(self) -> int:
        """The sign of the change, by this row's own 99 % interval; 0 where it holds "no change"."""
        own = self.difference.half_width(ALPHA)
        return 0 if abs(self.difference.mean) <= own else 1 if self.difference.mean > 0.0 else -1


def _exp(log: float) -> float:
    return math.exp(min(max(log, -700.0), 700.0))


def unusable(before: Moments, after: Moments) -> str:
    """Return why two nights' rounds cannot be held against each other, or an empty string."""
    for name, night in (("before", before), ("after", after)):
        if night.rounds < MIN_ROUNDS:
            return f"{night.rounds} of the {MIN_ROUNDS} rounds that an interval needs, {name}"
        if not (math.isfinite(night.mean) and math.isfinite(night.error)):
            return f"a ratio that is not finite, {name}"
        if night.error * math.sqrt(night.rounds) <= TOO_REGULAR:
            return f"rounds that are all equal, {name}: that is no measurement"
    return ""


def difference(before: Moments, after: Moments, spread: NightSpread = USUAL) -> LogDifference:
    """Return the difference of two nights with Welch's error and degrees of freedom (Welch 1947,
    Satterthwaite 1946)."""
    parts = [
        (before.error**2, before.rounds - 1.0),
        (after.error**2, after.rounds - 1.0),
        (2.0 * spread.deviation**2, spread.degrees_of_freedom),
    ]
    variance = math.fsum(part for part, _ in parts)
    degrees_of_freedom = variance**2 / math.fsum(part**2 / degrees for part, degrees in parts)
    return LogDifference(after.mean - before.mean, math.sqrt(variance), degrees_of_freedom)


def judge(
    differences: Sequence[LogDifference], alpha: float = ALPHA, margin: float = MARGIN
) -> list[JudgedRatio]:
    """Judge all rows of a night with one error rate (Holm 1979).

    Args:
        differences: of every row that is judged.
        alpha: the chance to call any of them materially changed that is not.
        margin: a relative change that matters.
    """
    p = [row.p_beyond(math.log1p(margin)) for row in differences]
    levels, level, rejecting = [alpha] * len(p), alpha, True
    for rank, index in enumerate(sorted(range(len(p)), key=lambda item: p[item])):
        # after the first row that is kept, all later ones are kept too, at the level of that row
        if rejecting:
            level = alpha / (len(p) - rank)
        rejecting = rejecting and p[index] < level
        levels[index] = level
    return [
        JudgedRatio(row, value, level, value < level)
        for row, value, level in zip(differences, p, levels, strict=True)
    ]
