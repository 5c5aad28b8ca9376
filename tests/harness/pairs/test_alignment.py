"""Two sequences are laid beside each other in the best way there is."""

from __future__ import annotations

import functools
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.pairs.alignment import align

WORDS = st.lists(st.integers(0, 3), max_size=6)


def same(x: int, y: int) -> float:
    return float(x == y) * (1.0 + x / 10)


def best(a: list[int], b: list[int]) -> float:
    """The most that any alignment is worth, by trying all of them."""

    @functools.cache
    def most(i: int, j: int) -> float:
        if i == len(a) or j == len(b):
            return 0.0
        skipped = max(most(i + 1, j), most(i, j + 1))
        return max(skipped, same(a[i], b[j]) + most(i + 1, j + 1)) if a[i] == b[j] else skipped

    return most(0, 0)


@settings(max_examples=200, deadline=None)
@given(WORDS, WORDS)
def test_nothing_is_worth_more(a: list[int], b: list[int]):
    """The pairs go up on both sides, are such as may be, and add up to the most there is."""
    pairs = align(a, b, same)
    for (i, j), (k, m) in itertools.pairwise(pairs):
        assert i < k and j < m
    assert all(a[i] == b[j] for i, j in pairs)
    assert best(a, b) == pytest.approx(sum(same(a[i], b[j]) for i, j in pairs))


def test_the_check_sees_a_worse_one():
    """What takes the first that fits loses here, and the best is more than it."""
    a, b = [0, 1, 2], [2, 0, 1, 2]
    assert [(0, 1), (1, 2), (2, 3)] == align(a, b, same)
    greedy = [(2, 0)]
    assert best(a, b) > sum(same(a[i], b[j]) for i, j in greedy)


def test_what_may_not_be_is_not():
    """A score of nothing, or less, is no pair."""
    assert [] == align("ab", "ab", lambda x, y: 0.0)
    assert [] == align("ab", "ab", lambda x, y: -1.0)
    assert [] == align("", "ab", lambda x, y: 1.0)
