"""The test of one row against a textbook's, and of a night's rows together against its error
rate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from harness.changes import welch
from harness.changes.model import Moments, moments
from harness.speed.replay import bound
from harness.speed.verdict import MARGIN

EDGE = math.log1p(MARGIN)


def rounds(shift: float, count: int, deviation: float, seed: int) -> list[float]:
    return list(shift + deviation * np.random.RandomState(seed).standard_normal(count))


def test_the_interval_is_that_of_welch():
    """For nights alike beside their rounds, mean, degrees of freedom and interval are those of
    SciPy's test for unequal variances."""
    old, new = rounds(0.0, 6, 0.01, 1), rounds(0.1, 12, 0.03, 2)
    found = welch.difference(moments(old), moments(new), welch.NightSpread(0.0))
    told = stats.ttest_ind(new, old, equal_var=False)
    interval = told.confidence_interval(0.99)
    assert found.degrees_of_freedom == pytest.approx(told.df)
    half = found.half_width(0.01)
    assert (interval.low, interval.high) == pytest.approx((found.mean - half, found.mean + half))


def test_a_row_is_rejected_just_when_its_interval_lies_outside_the_margin():
    """At the level that Holm gives it; so what is shown and what is decided are the same."""
    draw = np.random.RandomState(3)
    differences = [
        welch.LogDifference(float(mean), 0.01, 12.0) for mean in draw.uniform(-0.15, 0.15, 60)
    ]
    found = welch.judge(differences)
    assert 5 < sum(one.material for one in found) < 55
    for one in found:
        assert one.material == (one.low > 1.0 + MARGIN or one.high < 1.0 / (1.0 + MARGIN))


def test_holm_is_that_of_the_textbook():
    """Sorted p-values against alpha / m, alpha / (m - 1), ..., and none after the first that is
    kept."""
    differences = [welch.LogDifference(EDGE + t * 0.01, 0.01, 30.0) for t in (5.0, 3.2, 3.15, 2.0)]
    found = welch.judge(differences, alpha=0.01)
    assert [one.alpha for one in found] == pytest.approx([0.01 / 4, 0.01 / 3, 0.01 / 2, 0.01])
    assert [True, True, True, False] == [one.material for one in found]
    kept = welch.judge(
        [*differences[:1], welch.LogDifference(EDGE + 0.028, 0.01, 30.0), *differences[2:3] * 6],
        alpha=0.001,
    )
    assert {0.001 / 8, 0.001 / 7} == {one.alpha for one in kept} and [True] + [False] * 7 == [
        one.material for one in kept
    ]


def test_one_night_in_a_hundred_at_most_has_a_false_alarm_among_twenty_rows():
    """Changes that lie on the very edge of the margin, the worst case of "no material change".
    Without sharing the rate: planted, found."""
    draw = np.random.RandomState(4)
    nights, tries = 20, 200
    shared = alone = 0
    for _ in range(tries):
        old, new = (
            0.02 * draw.standard_normal((nights, 8)),
            EDGE + 0.02 * draw.standard_normal((nights, 8)),
        )
        found = welch.judge(
            [
                welch.difference(moments(list(a)), moments(list(b)), welch.NightSpread(0.0))
                for a, b in zip(old, new, strict=True)
            ]
        )
        shared += any(one.material for one in found)
        alone += any(one.p < 0.01 for one in found)
    assert shared / tries <= bound(0.01, tries) and alone / tries > 0.05


def test_the_machines_own_noise_widens_the_interval():
    """How much nights differ makes one night's change less certain: as a history tells, and
    before there is one, as is usual."""
    old, new = moments(rounds(0.0, 10, 0.01, 5)), moments(rounds(0.08, 10, 0.01, 6))
    without, usual, noisy = (
        welch.difference(old, new, welch.NightSpread(0.0)),
        welch.difference(old, new),
        welch.difference(old, new, welch.NightSpread(0.02, 10.0)),
    )
    assert (
        welch.judge([without])[0].material
        and not welch.judge([usual])[0].material
        and not welch.judge([noisy])[0].material
    )
    assert usual.error == pytest.approx(math.sqrt(without.error**2 + 2 * welch.USUAL.deviation**2))
    assert noisy.error == pytest.approx(math.sqrt(without.error**2 + 2 * 0.02**2))


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (moments([0.0, 0.1, 0.2, 0.1]), "4 of the 5 rounds that an interval needs, before"),
        (moments([0.1] * 8), "all equal"),
        (moments([math.nan] * 8), "not finite"),
        (Moments(math.nan, 0.1, 8), "not finite"),
        (moments([]), "0 of the 5"),
    ],
)
def test_rounds_that_are_no_measurement_give_no_verdict(before: Moments, reason: str):
    """Too few, too regular, or not a number: said, and never judged."""
    good = moments(rounds(0.0, 8, 0.01, 7))
    assert reason in welch.unusable(before, good)
    assert "" == welch.unusable(good, good)
