"""The rule for one pair over measured rounds: it looks, ends and judges as a run does."""

from __future__ import annotations

import math
import random

import pytest

from harness.speed.estimate import ALPHA, Estimate, alpha, estimate_logs, half_width
from harness.speed.replay import Rates, bound, rates, shown
from harness.speed.schedule import looks

IDENTICAL = [0.017 * value for value in (-1.6, -1.0, -0.7, -0.4, -0.1, 0.1, 0.4, 0.7, 1.0, 1.6)]


def noisy(shift: float, count: int, seed: int = 0) -> list[float]:
    draw = random.Random(seed)
    return [draw.gauss(shift, 0.017) for _ in range(count)]


def test_a_large_difference_ends_a_run_at_its_first_look():
    """With the interval of that look, which has spent a tenth of the error rate and not all of
    it."""
    logs = noisy(0.3, 60)
    found = shown(logs, 60)
    assert (5, ALPHA / 10) == (found.rounds, pytest.approx(found.alpha))
    assert estimate_logs(logs[:5]) == found


def test_a_run_without_a_finding_ends_at_the_last_look_that_it_can_afford():
    """Which is final there: it spends what is left."""
    found = shown(noisy(0.0, 60), 29)
    assert (25, alpha(25, final=True)) == (found.rounds, found.alpha)
    assert 0 == shown([], 0).rounds and 3 == shown(noisy(0.0, 3), 3).rounds


def test_rates_count_verdicts_by_direction():
    """Of runs that are slower, faster and the same."""
    assert rates([0.2 + log for log in IDENTICAL], 8, 50, 1, shown) == Rates(
        8, 50, 1.0, 0.0, 1.0, 5.0
    )
    assert rates([log - 0.2 for log in IDENTICAL], 8, 50, 1, shown) == Rates(
        8, 50, 0.0, 1.0, 1.0, 5.0
    )
    assert rates(IDENTICAL, 8, 300, 1, shown).detected <= bound(ALPHA, 300)


def test_the_bound_is_three_deviations_above():
    """Of a binomial share."""
    assert 0.02 + 3 * 0.007 == pytest.approx(bound(0.02, 400))


def test_a_rule_that_spends_the_error_rate_at_every_look_is_beyond_the_bound():
    """What the rates are for: they show a rule that does not hold."""

    def careless(logs: list[float], most: int) -> Estimate:
        found = Estimate(0)
        for look in range(5, most + 1):
            found = estimate_logs(logs[:look], final=True)
            half = half_width(found.spread, look, ALPHA)
            found = Estimate(
                look,
                found.ratio,
                found.ratio * math.exp(-half),
                found.ratio * math.exp(half),
                found.spread,
                ALPHA,
            )
            if found.low > 1.0 or found.high < 1.0:
                break
        return found

    assert rates(IDENTICAL, 60, 300, 2, careless).detected > bound(ALPHA, 300)
    assert rates(IDENTICAL, 60, 300, 2, shown).detected <= bound(ALPHA, 300)
    assert 60 == looks(60)[-1]
