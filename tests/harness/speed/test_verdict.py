"""Verdicts on the speed of b against a."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.results.verdicts import Speed
from harness.speed.estimate import (
    Estimate,
    Palindrome,
    RoundTimes,
    alpha,
    estimate,
    estimate_logs,
    half_width,
)
from harness.speed.schedule import looks
from harness.speed.verdict import MARGIN, WIDEST, judge, rounds_to_settle, settled

RATIOS = st.floats(0.2, 5.0)


def interval(low: float, high: float) -> Estimate:
    return Estimate(10, math.sqrt(low * high), low, high, spread=0.02, alpha=0.01)


@pytest.mark.parametrize(
    ("low", "high", "verdict", "material"),
    [
        (1.04, 1.08, Speed.SLOWER, True),
        (1.01, 1.08, Speed.SLOWER, False),
        (0.90, 0.95, Speed.FASTER, True),
        (0.90, 0.99, Speed.FASTER, False),
        (1.001, 1.002, Speed.SLOWER, False),
        (0.99, 1.01, Speed.SAME, False),
        (1 / 1.03, 1.03, Speed.SAME, False),
        (1.0, 1.01, Speed.SAME, False),
        (0.96, 1.01, Speed.UNCLEAR, False),
        (0.99, 1.05, Speed.UNCLEAR, False),
        (0.5, 2.0, Speed.UNCLEAR, False),
    ],
)
def test_verdicts_are_as_defined(low, high, verdict, material):
    """Detected: the interval excludes 1. Material: all of it outside the margin. SAME: not
    detected, inside the margin."""
    found = judge(interval(low, high))
    assert (verdict, material) == (found.verdict, found.material)


@given(RATIOS, RATIOS, st.floats(0.001, 0.5))
def test_a_verdict_other_than_unclear_is_never_without_evidence(one, other, margin):
    """The definitions, for any interval and margin; and exchanging the sides exchanges FASTER
    and SLOWER."""
    low, high = min(one, other), max(one, other)
    found = judge(interval(low, high), margin)
    detected = (low > 1 or high < 1) and high / low <= WIDEST * (1 - 1e-12)
    assume(not WIDEST * (1 - 1e-12) < high / low < WIDEST * (1 + 1e-12))
    assert detected == (found.verdict in (Speed.FASTER, Speed.SLOWER))
    if found.material:
        assert detected
    if found.verdict == Speed.SAME:
        assert low <= 1 <= high <= 1 + margin
    if low != 1 and high != 1 and found.verdict in (Speed.FASTER, Speed.SLOWER):
        assert {Speed.FASTER: Speed.SLOWER, Speed.SLOWER: Speed.FASTER}[found.verdict] == judge(
            interval(1 / high, 1 / low), margin
        ).verdict


@pytest.mark.parametrize(
    ("low", "high"), [(13.89, 325.74), (1 / 325.74, 1 / 13.89), (1.1, 2.3), (0.4, 0.9)]
)
def test_an_interval_that_spans_more_than_a_factor_of_two_decides_nothing(low, high):
    """Neither a verdict nor the end of a run, wherever it lies; one just as far from 1 that is
    narrower does both."""
    found = judge(interval(low, high))
    assert (Speed.UNCLEAR, False) == (
        found.verdict,
        found.material,
    ) and "wider than a factor of 2" in found.reason
    assert not settled(interval(low, high))
    narrow = interval(math.sqrt(low * high) / 1.05, math.sqrt(low * high) * 1.05)
    assert judge(narrow).material and settled(narrow)


@pytest.mark.parametrize(
    "estimate",
    [
        Estimate(0, reason="no round was measured"),
        Estimate(7, 1.5, reason="too regular"),
        Estimate(7, math.nan, math.nan, math.nan),
        Estimate(7, math.inf, 1.2, math.inf),
    ],
)
def test_without_an_interval_it_is_unclear(estimate):
    """With the estimator's reason handed on."""
    found = judge(estimate, round_s=3.0)
    assert (found.verdict, found.material) == (Speed.UNCLEAR, False)
    assert found.reason == (estimate.reason or "no interval")


def test_too_few_rounds_ask_for_the_minimum():
    """And say how long it takes in all."""
    found = judge(estimate_logs([0.1, 0.2]), round_s=3.0)
    assert (found.verdict, found.more_rounds, found.more_s) == (Speed.UNCLEAR, 5, 15.0)


def test_unclear_says_how_many_rounds_would_settle_it_and_they_do():
    """With the same mean and spread, that many rounds end UNCLEAR, and those of the look before
    do not."""
    logs = [value + 0.004 for value in (-0.05, 0.05, -0.03, 0.03, 0.0)]
    first = estimate_logs(logs)
    found = judge(first, round_s=2.0)
    assert found.verdict == Speed.UNCLEAR
    assert found.more_rounds is not None and found.more_rounds > 5
    assert 2.0 * found.more_rounds == found.more_s
    for rounds, ends in ((found.more_rounds, True), (looks(found.more_rounds)[-2], False)):
        half = half_width(first.spread, rounds, alpha(rounds, final=True))
        again = interval(first.ratio * math.exp(-half), first.ratio * math.exp(half))
        assert ends == (judge(again).verdict != Speed.UNCLEAR)


def test_every_verdict_says_what_a_sharper_one_takes():
    """Half the interval, by the same spread; for UNCLEAR what settles it, which the report says
    by itself."""
    logs = [value + 0.2 for value in (-0.05, 0.05, -0.03, 0.03, 0.0)]
    first = estimate_logs(logs, final=True)
    found = judge(first, round_s=2.0)
    assert (Speed.SLOWER, True) == (found.verdict, found.material)
    assert (
        found.more_rounds is not None
        and found.more_rounds in looks(100)
        and 2.0 * found.more_rounds == found.more_s
    )
    assert (
        f"; half as wide after about {found.more_rounds} rounds and {found.more_s:.0f} s in all"
        in found.reason
    )
    half = 0.5 * math.log(first.high / first.low)
    for rounds, narrow in ((found.more_rounds, True), (looks(found.more_rounds)[-2], False)):
        assert narrow == (half_width(first.spread, rounds, alpha(rounds, final=True)) < 0.5 * half)
    assert (
        "half as wide"
        not in judge(
            estimate_logs([0.004 + value for value in (-0.05, 0.05, -0.03, 0.03, 0.0)])
        ).reason
    )


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [
        (1.04, 1.30, True),  # outside the margin as a whole: how far is not what is asked
        (0.70, 0.96, True),
        (1.001, 1.029, True),  # there, and too small to matter
        (1.01, 1.05, False),  # there; whether it matters is open
        (0.98, 1.02, False),  # SAME by the definition, and a small difference could still be found
        (0.90, 1.10, False),
        (0.996, 1.004, True),
        (1.026, 1.034, True),  # on the edge of the margin, and as sharp as is worth it
    ],
)
def test_a_run_ends_where_more_rounds_would_tell_nothing_new(low, high, ends):
    """And not before."""
    assert ends == settled(interval(low, high))


@pytest.mark.parametrize(
    "estimate",
    [
        Estimate(7),
        Estimate(7, 1.5, reason="too regular"),
        Estimate(7, 1.0, math.nan, math.nan),
        Estimate(7, 1.5, 1.2, math.inf),
    ],
)
def test_a_run_without_an_interval_goes_on(estimate):
    """As far as its time allows."""
    assert not settled(estimate)


# -- nothing that is broken is different -----------------------------------------------------------


def lasting(seed: int, ratio: float) -> list[RoundTimes]:
    """Return ten rounds of two palindromes, b slower by a ratio, with a noise of about 1 %."""
    draw = random.Random(seed)
    return [
        RoundTimes(
            tuple(
                Palindrome(
                    {
                        side: [factor * (1.0 + 0.01 * draw.random()) for _ in range(8)]
                        for side, factor in (("a", 1.0), ("b", ratio))
                    }
                )
                for _ in range(2)
            )
        )
        for _ in range(10)
    ]


BREAKAGES = {
    "a sample is NaN": lambda steps, at: [*steps[:at], math.nan, *steps[at + 1 :]],
    "a sample is infinite": lambda steps, at: [*steps[:at], math.inf, *steps[at + 1 :]],
    "a sample is zero": lambda steps, at: [*steps[:at], 0.0, *steps[at + 1 :]],
    "a sample is lost": lambda steps, at: [*steps[:at], *steps[at + 1 :]],
    "a sample too many": lambda steps, at: [*steps, steps[at]],
    "one sample": lambda steps, at: steps[at : at + 1],
    "no sample": lambda steps, at: [],
}


@given(
    st.sampled_from(sorted(BREAKAGES)),
    st.integers(0, 9),
    st.integers(0, 1),
    st.sampled_from(["a", "b"]),
    st.integers(0, 7),
    st.floats(0.3, 3.0),
    st.integers(0, 99),
)
def test_one_broken_palindrome_leaves_no_difference(breakage, number, place, side, at, ratio, seed):
    """Wherever it stands and however large the difference seems: UNCLEAR, with the round's
    number. Whole, it is found."""
    rounds = lasting(seed, ratio)
    whole = judge(estimate(rounds, "a", "b", final=True))
    assert (
        whole.verdict == (Speed.SLOWER if ratio > 1 else Speed.FASTER)
        or abs(math.log(ratio)) < 0.02
    )
    steps_s = rounds[number].palindromes[place].steps_s
    steps_s[side] = BREAKAGES[breakage](steps_s[side], at)
    found = judge(estimate(rounds, "a", "b", final=True))
    assert (Speed.UNCLEAR, False) == (found.verdict, found.material)
    assert f"round {number + 1} " in found.reason


@given(st.floats(0.3, 3.0), st.integers(5, 60), st.sampled_from(["rounds", "steps of b"]))
def test_without_variance_there_is_no_difference(ratio, count, what):
    """Rounds that are copies of one, and rounds in which every step of a build takes the same
    time."""
    if what == "rounds":
        rounds = lasting(0, ratio)[:1] * count
    else:
        rounds = [
            RoundTimes(
                tuple(
                    Palindrome({"a": one.steps_s["a"], "b": [ratio] * 8})
                    for one in whole.palindromes
                )
            )
            for whole in lasting(0, 1.0)
        ]
    assert Speed.UNCLEAR == judge(estimate(rounds, "a", "b", final=True)).verdict


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=12))
def test_rates_of_anything_never_say_different_without_an_interval(logs):
    """What is shown of log ratios, whatever they are, is a verdict; and a finding has a finite
    interval that excludes 1."""
    found = estimate_logs(logs, final=True)
    judged = judge(found)
    if judged.verdict in (Speed.FASTER, Speed.SLOWER):
        assert all(math.isfinite(log) for log in logs) and len(logs) >= 5
        assert found.low > 1.0 or found.high < 1.0


def test_what_no_one_would_wait_for_has_no_number():
    """A spread of 100 % does not settle in 5,000 rounds; and no spread, no number."""
    assert rounds_to_settle(Estimate(5, 1.01, 0.5, 2.0, spread=2.0)) is None
    assert rounds_to_settle(Estimate(5)) is None


def test_the_margin_is_three_percent():
    """Stated in the documentation."""
    assert MARGIN == 0.03
