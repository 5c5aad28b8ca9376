"""What a machine's own rounds say about the verdicts it gives: false alarms, power, and the
smallest slow-down it can resolve.

Judges rounds of a build against itself, half of them with a slow-down of known size. What is left
of a round's log ratio when the known part is taken off is noise; runs are drawn from it with
replacement, under both signs (the two sides are the same build and take their places at random),
and end by the rule as shipped. From few rounds, rates are rough: `SLACK` allows for that.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import scipy

from backends.contract import Status
from harness.errors import JobFailed
from harness.results.verdicts import Speed
from harness.speed.estimate import (
    ALPHA,
    Estimate,
    RoundTimes,
    estimate_logs,
    log_ratio,
    of_round,
    palindrome_ratios,
    unusable,
)
from harness.speed.replay import Rates, Rule, rates, shown_of_palindromes
from harness.speed.schedule import MIN_ROUNDS, looks
from harness.speed.verdict import SpeedVerdict, judge

#: Slow-downs that are really injected, in turns.
INJECTED = (0.02, 0.05, 0.10)
#: Slow-downs whose power is drawn.
SLOWDOWNS = (0.01, 0.02, 0.03, 0.05, 0.10)
MOSTS = (5, 8, 12, 25, 60)
FALSE_TRIES, POWER_TRIES = 2000, 500
#: A slow-down is resolved if so many of the runs find it.
RESOLVED = 0.95
#: Candidates for the smallest that is.
STEPS = (
    0.0025,
    0.005,
    0.0075,
    0.01,
    0.0125,
    0.015,
    0.02,
    0.025,
    0.03,
    0.04,
    0.05,
    0.07,
    0.10,
    0.15,
    0.20,
    0.30,
    0.50,
    1.0,
)
#: False alarms beyond this are a fault of the rule or a machine whose noise it cannot handle. With
#: 12 rounds to draw from, an honest rule shows up to twice the error rate that it keeps; taking the
#: palindromes of a round for independent gives tens of per cent.
SLACK = 3.0 * ALPHA
#: What is left of the injected slow-downs as a whole must not lie outside this margin.
UNTRUE = 0.01
#: Alarms among the runs that were really measured are a fault where the rule's own error rate gives
#: as many or more this rarely.
IMPROBABLE = 0.01
SEED = 7


@dataclasses.dataclass(frozen=True)
class MeasuredRound:
    """One round of a build (a) against itself (b), with what was injected into b: a share of its
    step time, or 0."""

    slowdown: float
    round: RoundTimes


@dataclasses.dataclass(frozen=True)
class Injection:
    """What a run finds on all rounds with one slow-down, as they were measured."""

    slowdown: float
    estimate: Estimate
    verdict: SpeedVerdict


@dataclasses.dataclass(frozen=True)
class ResolutionPoint:
    """What runs of at most so many rounds do. `smallest`: the smallest slow-down that is resolved,
    None if none of `STEPS` is."""

    most: int
    false: Rates
    power: tuple[Rates, ...]
    smallest: float | None


@dataclasses.dataclass(frozen=True)
class Findings:
    """Everything that one action of one build on one workload shows.

    Attributes:
        rounds: measured; `identical` of them had nothing injected. round_s: what one takes,
            seconds.
        spread: standard deviation of a round's log ratio, without what is known.
        injections: with 0 first. points: by rounds at most.
        runs: of five rounds each, one after another, as they were measured; `alarms` of them show a
            difference that is not there, `material` a material one.
        problems: what must not be, in words; empty if all is well.
    """

    rounds: int
    identical: int
    round_s: float
    spread: float
    injections: tuple[Injection, ...]
    points: tuple[ResolutionPoint, ...]
    runs: int
    alarms: int
    material: int
    problems: tuple[str, ...]


def examine(
    measured: Sequence[MeasuredRound],
    sides: tuple[str, str],
    round_s: float,
    budget_s: float,
    rule: Rule[Sequence[float]] = shown_of_palindromes,
) -> Findings:
    """Return what the rounds show.

    Args:
        measured: in running order. sides: labels of a and b.
        round_s: what a round takes, seconds. budget_s: rounds that fit into it are looked at too.
        rule: how a run ends; the shipped one, unless a test plants another.

    Raises:
        JobFailed: a round says nothing about the two sides.
    """
    for number, item in enumerate(measured, 1):
        if reason := unusable(item.round, *sides):
            raise JobFailed(Status.ERROR, f"round {number} {reason}")
    noise = [
        _shifted(palindrome_ratios(item.round, *sides), -math.log1p(item.slowdown))
        for item in measured
    ]
    both = [*noise, *map(_negated, noise)]
    affordable = looks(min(int(budget_s / round_s), 100))[-1:]
    points = tuple(_point(both, most, rule) for most in sorted({*MOSTS, *affordable}))
    injections = tuple(_injection(measured, sides, slowdown) for slowdown in (0.0, *INJECTED))
    chunks = [
        noise[start : start + MIN_ROUNDS]
        for start in range(0, len(noise) - MIN_ROUNDS + 1, MIN_ROUNDS)
    ]
    verdicts = [judge(rule(chunk, MIN_ROUNDS)) for chunk in chunks]
    alarms = sum(verdict.verdict in (Speed.FASTER, Speed.SLOWER) for verdict in verdicts)
    logs = [of_round(palindromes) for palindromes in noise]
    injected = [log for item, log in zip(measured, logs, strict=True) if item.slowdown]
    left = judge(estimate_logs(injected, final=True), UNTRUE)
    return Findings(
        rounds=len(measured),
        identical=sum(not item.slowdown for item in measured),
        round_s=round_s,
        spread=_deviation(logs),
        injections=injections,
        points=points,
        runs=len(chunks),
        alarms=alarms,
        material=sum(verdict.material for verdict in verdicts),
        problems=(*_problems(points, injections[0], left), *_alarming(len(chunks), alarms)),
    )


def _shifted(palindromes: Sequence[float], log: float) -> tuple[float, ...]:
    return tuple(ratio + log for ratio in palindromes)


def _negated(palindromes: Sequence[float]) -> tuple[float, ...]:
    return tuple(-ratio for ratio in palindromes)


def _deviation(logs: Sequence[float]) -> float:
    """Root mean square: the mean is known to be 0."""
    return math.sqrt(math.fsum(log * log for log in logs) / len(logs))


def _point(
    noise: Sequence[Sequence[float]], most: int, rule: Rule[Sequence[float]]
) -> ResolutionPoint:
    return ResolutionPoint(
        most,
        false=rates(noise, most, FALSE_TRIES, SEED, rule),
        power=tuple(_power(noise, most, slowdown, rule) for slowdown in SLOWDOWNS),
        smallest=_smallest(noise, most, rule),
    )


def _power(
    noise: Sequence[Sequence[float]], most: int, slowdown: float, rule: Rule[Sequence[float]]
) -> Rates:
    slowed = [_shifted(palindromes, math.log1p(slowdown)) for palindromes in noise]
    return rates(slowed, most, POWER_TRIES, SEED, rule)


def _smallest(
    noise: Sequence[Sequence[float]], most: int, rule: Rule[Sequence[float]]
) -> float | None:
    """Return the first step that is resolved, by halving: power grows with the slow-down."""
    low, high = 0, len(STEPS)
    while low < high:
        middle = (low + high) // 2
        if _power(noise, most, STEPS[middle], rule).slower >= RESOLVED:
            high = middle
        else:
            low = middle + 1
    return STEPS[low] if low < len(STEPS) else None


def _injection(
    measured: Sequence[MeasuredRound], sides: tuple[str, str], slowdown: float
) -> Injection:
    logs = [log_ratio(item.round, *sides) for item in measured if item.slowdown == slowdown]
    estimate = estimate_logs(logs, final=True)
    return Injection(slowdown, estimate, judge(estimate))


def _problems(
    points: Sequence[ResolutionPoint], identical: Injection, left: SpeedVerdict
) -> list[str]:
    problems = [
        f"false alarms out of bounds: {100 * point.false.detected:.1f} % of runs of at most"
        f" {point.most} rounds call identical builds different; {100 * ALPHA:.0f} % are allowed,"
        f" and {100 * SLACK:.0f} % would be shown at the most"
        for point in points
        if point.false.detected > SLACK
    ]
    if identical.verdict.verdict in (Speed.FASTER, Speed.SLOWER):
        material = ", material" if identical.verdict.material else ""
        problems.append(
            f"the identical rounds as a whole say {identical.verdict.verdict}{material}: the two"
            " sides are not treated alike"
        )
    if left.material:
        problems.append(
            "what is measured of the injected slow-downs differs from what was injected by more"
            f" than {100 * UNTRUE:.0f} %"
        )
    return problems


def _alarming(runs: int, alarms: int) -> list[str]:
    """Name the runs of five rounds that show a difference which is not there, if chance hardly
    gives so many.

    The drawn rates cannot show this: drawn under both signs, a difference that is always there is
    noise.
    """
    if not alarms or float(scipy.special.bdtrc(alarms - 1, runs, ALPHA)) >= IMPROBABLE:
        return []
    return [
        f"{alarms} of {runs} runs of {MIN_ROUNDS} rounds, as they were measured, show a difference"
        f" that is not there; the rule errs in {100 * ALPHA:.0f} % of them, and chance gives so"
        f" many in less than {100 * IMPROBABLE:.0f} % of all checks"
    ]


def turn(number: int) -> float:
    """Return what round `number` injects: rounds come in mirrored pairs, of which every other one
    is left as it is."""
    pair = number // 2
    return 0.0 if pair % 2 == 0 else INJECTED[pair // 2 % len(INJECTED)]


#: Fewer rounds give no rates: two of each slow-down, and six without.
LEAST_ROUNDS = 4 * len(INJECTED)
