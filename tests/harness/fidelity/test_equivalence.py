"""The test of one quantity: its size at the margin, its power with the seeds that it asks for,
and what has no spread."""

from __future__ import annotations

import numpy as np
import pytest

from harness.fidelity import equivalence
from harness.fidelity.equivalence import ALPHA, MARGIN, POWER, compare, seeds_needed, spread_differs

RUNS = 1500


def share(seeds, difference, ratio=1.0, seed=0):
    """Return how often two normal quantities are found equivalent."""
    generator = np.random.RandomState(seed)
    draws = [
        (generator.normal(size=seeds), generator.normal(difference, ratio, size=seeds))
        for _ in range(RUNS)
    ]
    return np.mean([compare("x", a, b, 0.0).equivalent for a, b in draws])


@pytest.mark.parametrize("seeds", [3, 8, 16])
def test_a_difference_as_large_as_the_margin_passes_no_more_often_than_it_may(seeds):
    """Although the spread is estimated from the same few seeds."""
    assert share(seeds, MARGIN) <= ALPHA + 3 * np.sqrt(ALPHA / RUNS)
    assert share(seeds, MARGIN) >= ALPHA / 3  # and is not needlessly strict


def test_a_port_that_is_unstable_buys_no_wide_margin():
    """A spread four times the original's widens the margin by a quarter and no more."""
    assert share(8, 1.25 * MARGIN * 1.6, ratio=4.0) < 0.25
    assert share(8, 2.0 * MARGIN * 4.0, ratio=4.0) == 0.0


@pytest.mark.parametrize("effect", [0.0, 1.0, 1.8])
def test_the_seeds_asked_for_suffice(effect):
    """One quantity whose true difference is known: with that many seeds it is found equivalent
    as often as promised."""
    needed = equivalence._least(lambda seeds: equivalence._failing((effect,), seeds), 3)
    assert needed is not None and share(needed, effect) >= POWER - 0.04
    assert needed == 3 or share(needed - 1, effect) < POWER + 0.04


def test_near_the_margin_no_number_of_seeds_is_named():
    """Neither equivalence nor a difference beyond the margin could be shown."""
    a = np.array([-1.0, 0.0, 1.0] * 20)
    near = compare("x", a, a + 2.79 * np.std(a, ddof=1), 0.0)
    assert seeds_needed([near] * 2, 60) is None


def test_a_difference_beyond_the_margin_asks_for_what_shows_it():
    """Which is more than there are."""
    far = compare("x", np.array([0.0, 1.0, 2.0]), np.array([9.0, 10.0, 14.0]), 0.0)
    assert far.large and not far.equivalent
    assert 3 < (seeds_needed([far] * 100, 3) or 0) < 20


@pytest.mark.parametrize(
    ("b", "negligible", "equivalent", "large"),
    [
        ([2.0] * 3, 0.0, True, False),
        ([2.1] * 3, 0.0, False, True),
        ([2.1] * 3, 0.2, True, False),
        ([2.0, 2.1, 2.0], 0.0, False, True),
        ([2.0, 2.001, 2.0], 0.01, True, False),
    ],
)
def test_what_does_not_vary_is_equal_or_it_is_not(b, negligible, equivalent, large):
    """The original gives 2 for every seed."""
    found = compare("x", np.full(3, 2.0), np.array(b), negligible)
    assert (equivalent, large) == (found.equivalent, found.large)
    assert found.constant == (len(set(b)) == 1)
    assert found.p == pytest.approx(found.p)  # never NaN


def test_spreads_are_compared_without_regard_to_which_is_larger():
    """And a side without any spread is infinitely far from one that has some."""
    a = np.arange(8.0)
    ratio, p = spread_differs(a, 10.0 * a)
    assert (ratio, spread_differs(10.0 * a, a)) == (
        pytest.approx(10.0),
        (pytest.approx(10.0), pytest.approx(p)),
    )
    assert p < 0.01
    assert spread_differs(a, np.zeros(8))[0] == np.inf and spread_differs(
        np.ones(3), np.ones(3)
    ) == (1.0, 1.0)


def test_the_false_discovery_rate_is_what_is_controlled():
    """Of p-values one half of which is noise."""
    assert equivalence.adjusted([]) == []
    found = equivalence.adjusted([1e-6] * 5 + [0.04] + [0.5] * 94)
    assert [value <= ALPHA for value in found] == [True] * 5 + [False] * 95


def test_a_channel_that_is_switched_for_good_is_no_proof_of_another_spread():
    """Eight zeros against four zeros and four ones: that happens by chance, and the test's own
    formula divides by nothing."""
    off, mixed = np.zeros(8), np.repeat([0.0, 1.0], 4)
    ratio, p = spread_differs(off, mixed)
    assert ratio == np.inf and 0.05 < p < 0.1
    assert spread_differs(off, np.repeat([0.0, 1.0], [2, 6]))[1] > p  # two away from where most are
    assert spread_differs(np.zeros(40), np.repeat([0.0, 1.0], 20))[1] < 1e-6
