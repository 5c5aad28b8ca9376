"""The estimator: exact where it can be, silent on degenerate input, calibrated on recorded
rounds of identical processes."""

from __future__ import annotations

import json
import math
import random
import statistics
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from harness.speed.estimate import (
    ALPHA,
    MIN_SAMPLES,
    Estimate,
    Palindrome,
    RoundTimes,
    alpha,
    estimate,
    estimate_logs,
    half_width,
    location,
    log_ratio,
    step_time,
)
from harness.speed.schedule import looks

RECORDED = Path(__file__).parents[2] / "data" / "timing_rounds.json"
TIMES = st.floats(1e-6, 1e3)
ANYTHING = st.one_of(
    TIMES, st.floats(allow_nan=True, allow_infinity=True), st.just(0.0), st.just(-1.0)
)


def different(found: Estimate) -> bool:
    return (
        found.low is not None and found.high is not None and (found.low > 1.0 or found.high < 1.0)
    )


def make(*pairs: tuple[list[float], list[float]]) -> RoundTimes:
    return RoundTimes(tuple(Palindrome({"a": a, "b": b}) for a, b in pairs))


def noisy(rounds: int, ratio: float, seed: int = 0, spread: float = 0.01) -> list[RoundTimes]:
    draw = random.Random(seed)
    found = []
    for _ in range(rounds):
        life = math.exp(draw.gauss(0.0, spread))
        steps = [[1e-3 * (1 + abs(draw.gauss(0, 0.01))) for _ in range(20)] for _ in range(6)]
        found.append(
            make(
                *(
                    (a, [ratio * life * step for step in b])
                    for a, b in zip(steps[::2], steps[1::2], strict=True)
                )
            )
        )
    return found


# -- exact cases -----------------------------------------------------------------------------------


def test_location_is_the_lower_quartile():
    """As NumPy's default quantile gives it."""
    assert location([5.0, 1.0, 2.0, 3.0, 4.0]) == 2.0
    assert location([4.0, 3.0, 2.0, 1.0]) == 1.75


def test_a_round_is_the_median_of_its_palindromes():
    """One palindrome that the machine's speed cut in two does not move it."""
    flat = ([1.0, 1.1, 1.0, 1.0], [2.0, 2.2, 2.0, 2.0])
    assert math.log(2.0) == pytest.approx(
        log_ratio(make(flat, flat, ([1.0, 1.1, 1.0, 1.0], [9.0] * 4)), "a", "b")
    )


def test_step_time_is_in_seconds_and_skips_what_is_no_time():
    """The step time is shown even where the ratio is refused."""
    assert step_time([make(([1.0] * 4, [math.nan] * 4))], "a") == 1.0
    assert step_time([make(([1.0] * 4, [math.nan] * 4))], "b") is None
    assert step_time([], "a") is None


def test_the_interval_is_students():
    """Five rounds of which the hand calculation is short: mean 0, deviation 0.01, t(0.995, 4) =
    4.604."""
    logs = [0.01 * value / math.sqrt(2.5) for value in (-2, -1, 0, 1, 2)]
    found = estimate_logs(logs, final=True)
    assert pytest.approx(found.ratio) == 1.0
    assert pytest.approx(found.spread) == 0.01
    assert 4.604 * 0.01 / math.sqrt(5) == pytest.approx(math.log(found.high), rel=1e-4)


def test_the_error_rates_of_all_looks_add_up_to_one_percent():
    """Whenever the run becomes final."""
    for last in (5, 8, 10, 25, 40, 60, 5000):
        spent = sum(alpha(look) for look in looks(last) if look < last) + alpha(last, final=True)
        assert pytest.approx(spent) == ALPHA


def test_an_injected_ratio_is_found_with_its_direction():
    """Ratio is time of b over time of a."""
    for ratio in (1.2, 1 / 1.2):
        found = estimate(noisy(10, ratio), "a", "b")
        assert different(found)
        assert ratio == pytest.approx(found.ratio, rel=0.02)


@given(st.lists(st.floats(-1.0, 1.0), min_size=5, max_size=30))
def test_exchanging_the_sides_inverts_the_interval(logs):
    """Whichever build was asked for first, the finding is the same."""
    there, back = estimate_logs(logs), estimate_logs([-value for value in logs])
    assert (there.low is None) == (back.low is None)
    if there.low is not None:
        assert there.low == pytest.approx(1 / back.high)
        assert there.high == pytest.approx(1 / back.low)


# -- degenerate input never gives a difference -----------------------------------------------------


@given(st.lists(st.floats(), max_size=4))
def test_too_few_rounds_give_no_interval(logs):
    """However different they look."""
    assert not different(estimate_logs(logs, final=True))


@given(st.floats(-10.0, 10.0), st.integers(0, 30))
def test_rounds_without_variance_give_no_interval(value, rounds):
    """A mock clock, or a copied record."""
    assert not different(estimate_logs([value] * rounds, final=True))


@given(
    st.lists(st.floats(-1, 1), min_size=4, max_size=30),
    st.sampled_from([math.nan, math.inf, -math.inf]),
    st.randoms(),
)
def test_a_round_that_is_not_finite_gives_no_interval(logs, bad, draw):
    """Wherever it stands."""
    logs.insert(draw.randrange(len(logs) + 1), bad)
    assert not different(estimate_logs(logs, final=True))


@given(
    st.integers(5, 12), st.integers(0, 3), st.integers(0, 5), st.integers(1, 19), st.integers(0, 99)
)
def test_unequal_counts_give_no_interval(rounds, place, where, lost, seed):
    """Lost samples are a reason to look, not a difference."""
    found = noisy(rounds, 1.5, seed)
    broken = list(found[place].palindromes)
    at = where % len(broken)
    broken[at] = Palindrome({"a": broken[at].steps_s["a"], "b": broken[at].steps_s["b"][lost:]})
    found[place] = RoundTimes(tuple(broken))
    judged = estimate(found, "a", "b", final=True)
    assert not different(judged)
    assert f"round {place + 1} has unequal counts" in judged.reason


@given(
    st.lists(st.tuples(st.lists(ANYTHING, max_size=6), st.lists(ANYTHING, max_size=6)), max_size=4),
    st.integers(0, 20),
)
def test_a_repeated_round_of_anything_gives_no_interval(palindromes, rounds):
    """NaN, infinities, zeros, negative times, nothing at all, or one sample: no exception and no
    difference."""
    assert not different(estimate([make(*palindromes)] * rounds, "a", "b", final=True))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 0.0, -1e-3])
def test_one_sample_that_is_no_time_gives_no_interval(bad):
    """The reason names the round and the value."""
    found = noisy(10, 1.5)
    found[3].palindromes[1].steps_s["b"][4] = bad
    judged = estimate(found, "a", "b")
    assert not different(judged)
    assert f"round 4 holds a step time of {bad} s" == judged.reason


def test_too_few_samples_and_a_coarse_timer_are_refused():
    """One sample has no quartile; equal times of all steps come from no real clock."""
    for count, reason in ((1, f"{MIN_SAMPLES} are needed"), (4, "too coarse")):
        rounds = [make(([1.0] * count, [1.5 + 0.1 * number] * count)) for number in range(6)]
        judged = estimate(rounds, "a", "b", final=True)
        assert not different(judged)
        assert reason in judged.reason


def test_a_missing_build_or_an_empty_round_is_refused():
    """Never vacuous."""
    assert not different(estimate([RoundTimes(())] * 9, "a", "b"))
    assert not different(estimate(noisy(9, 1.5), "a", "c"))
    assert estimate([], "a", "b").reason == "no round was measured"


@given(st.lists(st.floats(-700, 700), min_size=5, max_size=20))
def test_extreme_ratios_do_not_overflow(logs):
    """An interval is ordered and positive."""
    found = estimate_logs(logs)
    if found.low is not None:
        assert 0.0 < found.low <= found.ratio <= found.high < math.inf


# -- replay of recorded rounds of two identical processes ------------------------------------------


@pytest.fixture(scope="module")
def recorded() -> list[RoundTimes]:
    """All recorded rounds; the labels are exchanged at random in the tests, for they were given
    at random."""
    blocks = [one["blocks"] for one in json.loads(RECORDED.read_text())]
    return [
        RoundTimes(tuple(Palindrome({side: block[side] for side in "ab"}) for block in one))
        for one in blocks
    ]


@pytest.fixture(scope="module")
def logs(recorded) -> list[float]:
    return [log_ratio(one, "a", "b") for one in recorded]


def draws(values, rounds, tries, seed):
    draw = random.Random(seed)
    for _ in range(tries):
        yield [draw.choice(values) * draw.choice((-1, 1)) for _ in range(rounds)]


def share(values, rounds, injected=1.0, tries=2000, seed=1, final=True):
    shift = math.log(injected)
    hits = sum(
        different(estimate_logs([value + shift for value in one], final))
        for one in draws(values, rounds, tries, seed)
    )
    return hits / tries


@pytest.mark.parametrize("rounds", [5, 8, 10, 25])
@pytest.mark.parametrize("half", [0, 1])
def test_identical_processes_are_called_different_in_at_most_one_percent(logs, rounds, half):
    """2,000 resampled comparisons a point, at the most generous error rate that a look can have."""
    assert share(logs[half::2], rounds) <= 0.01


def test_looking_again_and_again_keeps_the_error_rate(logs):
    """Stopping at the first look that detects: at most 1 % over all looks together."""
    hits = 0
    for one in draws(logs, 40, 2000, 2):
        hits += any(different(estimate_logs(one[:look], final=look == 40)) for look in looks(40))
    assert hits / 2000 <= 0.01


@pytest.mark.parametrize(
    ("injected", "rounds", "power"),
    [(1.10, 10, 0.99), (1.05, 8, 0.95), (1.02, 25, 0.95), (1.01, 60, 0.80)],
)
def test_an_injected_effect_is_detected(logs, injected, rounds, power):
    """On the held-out half, at the error rate that is left for a last look after the looks
    before it."""
    assert share(logs[1::2], rounds, injected, final=True) >= power


def test_an_effect_injected_into_the_samples_shifts_the_log_ratio(recorded):
    """The shift used in the replay is what slower steps do to a round."""
    one = recorded[0]
    slow = RoundTimes(
        tuple(
            Palindrome({"a": p.steps_s["a"], "b": [1.1 * step for step in p.steps_s["b"]]})
            for p in one.palindromes
        )
    )
    assert math.log(1.1) == pytest.approx(log_ratio(slow, "a", "b") - log_ratio(one, "a", "b"))


# -- planted faults: the checks above do catch a naive estimator -----------------------------------


def naive(logs):
    """A t interval at 99 % without any refusal; too narrow by nature where values are not
    independent."""
    if len(logs) < 2:
        return Estimate(len(logs), math.exp(logs[0]), math.exp(logs[0]), math.exp(logs[0]))
    mean, spread = statistics.fmean(logs), statistics.stdev(logs)
    half = half_width(spread, len(logs), ALPHA)
    return Estimate(len(logs), math.exp(mean), math.exp(mean - half), math.exp(mean + half))


def test_palindromes_taken_as_independent_give_false_alarms(recorded):
    """The replay's limit of 1 % is broken many times over by the rule that pools blocks of the
    same processes."""
    per_round = [
        [log_ratio(RoundTimes((palindrome,)), "a", "b") for palindrome in one.palindromes]
        for one in recorded
    ]
    draw = random.Random(3)
    hits = 0
    for _ in range(500):
        chosen = [(draw.choice(per_round), draw.choice((-1, 1))) for _ in range(5)]
        hits += different(naive([sign * value for values, sign in chosen for value in values]))
    assert hits / 500 > 0.05


def test_looking_after_every_round_at_one_percent_gives_false_alarms(logs):
    """The sequential limit is broken by the rule that spends 1 % at each look."""
    hits = sum(
        any(different(naive(one[:look])) for look in range(5, 41))
        for one in draws(logs, 40, 500, 4)
    )
    assert hits / 500 > 0.02


def test_a_naive_estimator_calls_degenerate_input_different():
    """What the properties above forbid: zero variance, and a single round."""
    assert different(naive([0.1, 0.1, 0.1, 0.1, 0.1]))
    assert different(naive([0.1]))
    assert special.stdtrit(4, 0.995) == pytest.approx(4.604, rel=1e-3)
