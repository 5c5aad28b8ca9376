"""The ratio of two builds' step times over rounds of fresh processes, and its sequential 99 %
interval.

Owns the statistics of speed; judges nothing, reads no clock.

From the inside out:

1. *Palindrome.* The location of a build's steps is their lower quartile. Noise only ever adds time,
   so a low quantile varies less than the median; a quartile, unlike the minimum, does not hang on
   one sample. In the recorded A/A rounds the log ratio's standard deviation is 1.7 % with it and
   2.2 % with the median. What it cannot see is a cost that falls on fewer than three quarters of
   the steps; raw samples are kept for that.
2. *Round.* The median over palindromes of log(location of b / location of a). Pairing inside a
   palindrome cancels the machine's drift; the median drops palindromes that a change of the
   machine's speed cut in two.
3. *Rounds.* Palindromes of one round share processes and are not independent; treating them so
   gives tens of per cent of false alarms. Rounds are: mean and Student's t interval over rounds,
   one number a round.
4. *Looking several times.* Looks happen after 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100,
   ... rounds only. Each may spend a tenth of what the looks before it have left of the 1 % error
   rate; a *final* look, at which the run ends whatever it shows (rounds or time are used up),
   spends all that is left. What is spent adds up to the error rate wherever the run ends, so by the
   union bound all intervals ever shown cover together with 99 %, whatever the joint law of the
   looks. A run that ends because of what a look shows, shows that look's own interval: it is not
   final. A tenth, and looks so close, because of a simulation on half of the recorded rounds
   (docs/speed.md, `tests/evaluation/replay`): spending more finds large differences hardly sooner
   and leaves too little for 60 rounds; spending less delays them.
5. *No more robustness over rounds.* Log ratios of rounds have the tails of a normal law (kurtosis
   3.2), because 1. and 2. have dealt with the outliers: trimming them loses power at 8 rounds, and
   signed ranks cannot reach a small error rate before 11.

Anything degenerate gives no interval, and with no interval there is no difference.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence

import scipy

from harness.speed.schedule import MIN_ROUNDS, looks

#: Error rate of all looks together: 99 % intervals.
ALPHA = 0.01
#: Of the error rate that is left, a look that is not final spends this share.
SPENT_A_LOOK = 0.1
#: Fewer samples of a build in a palindrome have no quartile; the smallest round of the schedule has
#: this many.
MIN_SAMPLES = 4
#: A spread of log ratios below this is not a measurement: two real processes never agree to a
#: millionth in every round.
TOO_REGULAR = 1e-6
#: The square of a larger number overflows.
HUGE = 1e150


@dataclasses.dataclass(frozen=True)
class Palindrome:
    """Step times of every build in one palindrome, seconds, both turns together in running
    order."""

    steps_s: Mapping[str, Sequence[float]]


@dataclasses.dataclass(frozen=True)
class RoundTimes:
    """What one round of fresh processes measured."""

    palindromes: tuple[Palindrome, ...]


@dataclasses.dataclass(frozen=True)
class Estimate:
    """Time of b over time of a.

    Attributes:
        ratio: above 1, b is slower. None where nothing could be estimated.
        low, high: the interval; None where there is none, and `reason` says why.
        spread: standard deviation of the rounds' log ratios.
        rounds: how many were given.
        alpha: what this look may err by.
    """

    rounds: int
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    spread: float | None = None
    alpha: float | None = None
    reason: str = ""


def location(steps_s: Sequence[float]) -> float:
    """Return the lower quartile of step times, seconds (linear interpolation); NaN if a value is no
    time, or too few."""
    if len(steps_s) < MIN_SAMPLES:
        return math.nan
    if not all(math.isfinite(step) and step > 0.0 for step in steps_s):
        return math.nan
    ordered = sorted(steps_s)
    index, part = divmod((len(ordered) - 1) / 4.0, 1.0)
    lower = ordered[int(index)]
    return lower + part * (ordered[min(int(index) + 1, len(ordered) - 1)] - lower)


def step_time(rounds: Sequence[RoundTimes], build: str) -> float | None:
    """Return a build's step time, seconds: median over rounds of the median over palindromes of the
    location."""
    per_round = []
    for measured in rounds:
        palindromes = measured.palindromes
        locations = [location(palindrome.steps_s.get(build, ())) for palindrome in palindromes]
        usable = [value for value in locations if not math.isnan(value)]
        if usable:
            per_round.append(statistics.median(usable))
    return statistics.median(per_round) if per_round else None


def log_ratio(measured: RoundTimes, a: str, b: str) -> float:
    """Return the log of b's over a's step time in one round; NaN if the round is `unusable`.

    Args:
        measured: the round. a, b: labels of the two sides.
    """
    if unusable(measured, a, b):
        return math.nan
    return of_round(palindrome_ratios(measured, a, b))


def palindrome_ratios(measured: RoundTimes, a: str, b: str) -> list[float]:
    """Return the log of b's over a's location in each palindrome of a usable round.

    Args:
        measured: a round that is not `unusable` for these sides. a, b: labels of the two sides.
    """
    return [
        math.log(location(palindrome.steps_s[b])) - math.log(location(palindrome.steps_s[a]))
        for palindrome in measured.palindromes
    ]


def of_round(palindromes: Sequence[float]) -> float:
    """Return a round's log ratio from those of its palindromes."""
    return statistics.median(palindromes)


def unusable(measured: RoundTimes, a: str, b: str) -> str:
    """Return why a round says nothing about two builds, or an empty string.

    Args:
        measured: the round. a, b: labels of the two sides.
    """
    if not measured.palindromes:
        return "measured nothing"
    for palindrome in measured.palindromes:
        samples_a, samples_b = palindrome.steps_s.get(a, ()), palindrome.steps_s.get(b, ())
        if len(samples_a) != len(samples_b):
            return f"has unequal counts, {len(samples_a)} steps of {a} and {len(samples_b)} of {b}"
        if len(samples_a) < MIN_SAMPLES:
            return (
                f"has {len(samples_a)} steps of each build in a palindrome, and {MIN_SAMPLES} are"
                " needed"
            )
        for step in (*samples_a, *samples_b):
            if not (math.isfinite(step) and step > 0.0):
                return f"holds a step time of {step} s"
    for build in (a, b):
        times = {step for palindrome in measured.palindromes for step in palindrome.steps_s[build]}
        if len(times) == 1:
            return (
                f"has the same time for every step of {build}: the timer is too coarse for this"
                " step, or not a clock"
            )
    return ""


def estimate(rounds: Sequence[RoundTimes], a: str, b: str, final: bool = False) -> Estimate:
    """Return the ratio of b's to a's step time with its interval.

    Args:
        rounds: in the order in which they ran. One unusable round leaves no interval: what made it
            unusable may have touched the others, and leaving rounds out by their content would
            spoil the error rate.
        a, b: labels of the two sides.
        final: the run ends here whatever this look shows. A number of rounds that is no look is
            always final.
    """
    for number, measured in enumerate(rounds, 1):
        reason = unusable(measured, a, b)
        if reason:
            return Estimate(len(rounds), reason=f"round {number} {reason}")
    return estimate_logs([log_ratio(measured, a, b) for measured in rounds], final)


def estimate_logs(log_ratios: Sequence[float], final: bool = False) -> Estimate:
    """Return the ratio and its interval from one log ratio a round; see `estimate`."""
    rounds = len(log_ratios)
    if not rounds:
        return Estimate(0, reason="no round was measured")
    if not all(math.isfinite(value) for value in log_ratios):
        return Estimate(rounds, reason="a round's log ratio is not finite")
    mean = math.fsum(value / rounds for value in log_ratios)  # no sum of finite values overflows
    ratio = _ratio(mean)
    if rounds < MIN_ROUNDS:
        reason = f"{rounds} of the {MIN_ROUNDS} rounds that an interval needs"
        return Estimate(rounds, ratio, reason=reason)
    squares = math.fsum(
        (value - mean) ** 2 if abs(value - mean) < HUGE else math.inf for value in log_ratios
    )
    spread = math.sqrt(squares / (rounds - 1))
    if not spread > TOO_REGULAR * max(1.0, abs(mean)):
        reason = (
            f"too regular: the rounds differ by a standard deviation of {spread:.1e}, and real ones"
            f" by more than {TOO_REGULAR}"
        )
        return Estimate(rounds, ratio, spread=spread, reason=reason)
    level = alpha(rounds, final)
    half = half_width(spread, rounds, level)
    return Estimate(rounds, ratio, _ratio(mean - half), _ratio(mean + half), spread, level)


def _ratio(log: float) -> float:
    """exp without an overflow; a ratio of 0 or infinity is outside no margin by accident, its
    interval is as extreme."""
    return math.exp(min(max(log, -700.0), 700.0))


def alpha(rounds: int, final: bool = False) -> float:
    """Return the two-sided error rate that a look after so many rounds may spend: see the module's
    docstring, 4.

    Args:
        rounds: before the first look nothing may be spent. A number that is no look spends all that
            is left.
        final: the run ends here whatever this look shows, so that all that is left is spent.
    """
    so_far = looks(rounds)
    if not so_far:
        return 0.0
    if so_far[-1] != rounds:
        return ALPHA * (1.0 - SPENT_A_LOOK) ** len(so_far)
    left = ALPHA * (1.0 - SPENT_A_LOOK) ** (len(so_far) - 1)
    return left if final else left * SPENT_A_LOOK


def half_width(spread: float, rounds: int, level: float) -> float:
    """Return the half-width of the t interval of a mean over rounds, two-sided error rate
    `level`."""
    return float(scipy.special.stdtrit(rounds - 1, 1.0 - level / 2.0)) * spread / math.sqrt(rounds)
