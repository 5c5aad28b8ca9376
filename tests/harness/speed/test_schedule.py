"""The order of rounds: reproducible, balanced, random."""

from __future__ import annotations

import collections
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.speed.schedule import (
    MAX_PALINDROMES,
    MAX_STEPS,
    MIN_STEPS,
    looks,
    next_look,
    plan_round,
    size_round,
)

FROZEN = [
    ("torch", "tf1", "tf2", "tf2", "tf1", "torch"),
    ("tf2", "tf1", "torch", "torch", "tf1", "tf2"),
    ("tf1", "torch", "tf2", "tf2", "torch", "tf1"),
]
LABELS = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5, unique=True)


@given(LABELS, st.integers(1, 6), st.integers(), st.integers(0, 50))
def test_every_palindrome_reads_the_same_backwards_and_holds_every_build_twice(
    builds, palindromes, seed, number
):
    """A drift that is linear in time then weighs equally on all builds."""
    plan = plan_round(builds, palindromes, seed, number)
    assert sorted(builds) == sorted(plan.spawn)
    assert palindromes == len(plan.palindromes)
    for turns in plan.palindromes:
        assert turns[::-1] == turns
        assert collections.Counter(dict.fromkeys(builds, 2)) == collections.Counter(turns)
    assert plan.turns == tuple(build for turns in plan.palindromes for build in turns)


@given(LABELS, st.integers(), st.integers(0, 50))
def test_a_round_is_the_same_for_the_same_seed_and_number(builds, seed, number):
    """A resumed run continues the same order."""
    assert plan_round(builds, 3, seed, number) == plan_round(list(builds), 3, seed, number)


@given(LABELS, st.integers(), st.integers(0, 25))
def test_rounds_come_in_mirrored_pairs(builds, seed, pair):
    """After two rounds no build has been favoured by its place."""
    first, second = (plan_round(builds, 2, seed, number) for number in (2 * pair, 2 * pair + 1))
    assert first.spawn == second.spawn[::-1]
    half = len(builds)
    assert [turns[:half] for turns in first.palindromes] == [
        turns[half:] for turns in second.palindromes
    ]


def test_the_order_is_fixed_by_the_code_and_not_by_the_version_of_python():
    """A frozen example: records of an older harness must keep their order."""
    assert [
        plan_round(["tf2", "torch", "tf1"], 1, 7, number).turns for number in (0, 1, 2)
    ] == FROZEN


def test_each_order_is_drawn_about_equally_often():
    """3,000 pairs of rounds over the 6 orders of three builds: each within 5 standard deviations
    of its share."""
    counts = collections.Counter(plan_round("abc", 1, seed, 0).spawn for seed in range(3000))
    assert len(counts) == 6
    assert all(abs(count - 500) < 5 * (3000 * 5 / 36) ** 0.5 for count in counts.values())


@pytest.mark.parametrize(("builds", "palindromes"), [([], 1), (["tf2", "tf2"], 1), (["tf2"], 0)])
def test_what_cannot_be_scheduled_is_refused(builds, palindromes):
    """A build compared with itself needs two labels."""
    with pytest.raises(UsageError):
        plan_round(builds, palindromes, 0, 0)


@given(st.lists(st.floats(allow_nan=True), min_size=1, max_size=4), st.floats(allow_nan=True))
def test_a_round_always_has_a_size_within_its_bounds(step_s, measure_s):
    """Whatever the first timing gave."""
    size = size_round(step_s, measure_s)
    assert 1 <= size.palindromes <= MAX_PALINDROMES
    assert MIN_STEPS <= size.steps <= MAX_STEPS


@pytest.mark.parametrize("step_s", [1e-4, 1e-3, 5e-3, 2e-2])
def test_a_round_measures_for_about_as_long_as_asked(step_s):
    """Unless the steps are so slow or fast that a bound applies."""
    size = size_round([step_s, 2 * step_s], 2.0)
    assert pytest.approx(3 * step_s * 2 * size.palindromes * size.steps, rel=0.25) == 2.0


def test_a_slow_step_makes_the_smallest_round():
    """One palindrome, two steps a turn."""
    assert (size_round([3.0], 2.0).palindromes, size_round([3.0], 2.0).steps) == (1, MIN_STEPS)


def test_looks_are_steps_of_about_a_quarter():
    """Few, each cheap; the numbers by which the power is stated are among them."""
    assert looks(100) == (5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)
    assert looks(4) == ()
    assert [next_look(rounds) for rounds in (0, 5, 9, 10, 100, 999)] == [5, 6, 10, 12, 120, 1000]
    assert all(low < high <= 1.4 * low for low, high in itertools.pairwise(looks(100_000)))
