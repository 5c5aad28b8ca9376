"""Which build moved: only a minority whose every comparison with the others changed is named."""

from __future__ import annotations

import itertools

import pytest

from harness.changes.culprit import Pair, flippers, movers

BUILDS = "abcde"


def signs(levels: dict[str, int], builds: str = BUILDS) -> dict[Pair, int]:
    """Return the sign of each pair where builds moved to other levels."""
    found = {}
    for a, b in itertools.combinations(builds, 2):
        change = levels.get(b, 0) - levels.get(a, 0)
        found[a, b] = (change > 0) - (change < 0)
    return found


@pytest.mark.parametrize(
    ("builds", "levels"),
    [
        ("abc", {"a": 1}),
        ("abc", {"c": -1}),
        ("abcd", {"b": 1}),
        ("abcde", {"a": 1, "e": -1}),
        ("abcde", {"b": 1, "c": 1}),
    ],
)
def test_a_minority_is_found_with_its_direction(builds: str, levels: dict[str, int]):
    """Wherever it stands in the pairs, up or down."""
    assert levels == movers(signs(levels, builds))


@pytest.mark.parametrize(
    ("builds", "levels"), [("ab", {"b": 1}), ("abcd", {"a": 1, "b": 1}), ("abc", {})]
)
def test_what_cannot_be_told_is_not(builds: str, levels: dict[str, int]):
    """Of two builds, or where half of them moved together, the other half may as well have moved
    the other way."""
    assert {} == movers(signs(levels, builds))


def test_a_pair_that_did_not_move_clears_a_build():
    """Planted: a's ratio to c stayed, so that a alone does not explain what moved, and nothing
    else does."""
    moved = {("a", "b"): -1, ("a", "c"): 0, ("b", "c"): 0}
    assert {} == movers(moved)
    assert {"a": 1} == movers(moved, {("a", "c"): -1})


def test_a_build_that_moves_against_some_and_with_others_did_not_move():
    """The same build cannot be slower against one and faster against another for a reason of its
    own."""
    assert {} == movers({("a", "b"): -1, ("a", "c"): 1, ("b", "c"): 0})
    assert {"a"} == flippers({("a", "b"): True, ("a", "c"): True, ("b", "c"): False})


def test_a_flip_between_two_builds_is_nobodys():
    """Of one pair among three builds either may be wrong."""
    assert set() == flippers({("a", "b"): True, ("a", "c"): False, ("b", "c"): False})
    assert set() == flippers({("a", "b"): True})
