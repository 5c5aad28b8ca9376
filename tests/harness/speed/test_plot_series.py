"""Step times for a plot: a number a palindrome, as the estimate sees it."""

from __future__ import annotations

from harness.speed.estimate import Palindrome, RoundTimes
from harness.speed.plot_series import MOST_ROUNDS, MOST_TURNS, turns


def one_round(*times):
    return RoundTimes(tuple(Palindrome({"a": [time] * 4, "b": [2 * time] * 4}) for time in times))


def test_each_palindrome_is_a_number_of_each_side():
    """Round by round, in running order."""
    found = turns([one_round(1.0, 2.0), one_round(3.0)], "a", "b")
    assert (((1.0, 2.0), (3.0,)), ((2.0, 4.0), (6.0,)), ()) == (found.a, found.b, found.rounds)


def test_much_is_thinned_and_a_change_of_speed_stays():
    """Medians of neighbours; the first and the last round are kept."""
    found = turns(
        [one_round(*[float(number + 1)] * 50, *[9.0] * 50) for number in range(200)], "a", "b"
    )
    assert (MOST_ROUNDS, MOST_TURNS) == (len(found.a), len(found.a[0]))
    assert (1.0, 200.0, 9.0) == (found.a[0][0], found.a[-1][0], found.a[-1][-1])
    assert {1.0, 9.0} == set(found.a[0])
    assert (MOST_ROUNDS, 1, 200) == (len(found.rounds), found.rounds[0], found.rounds[-1])
    assert [float(number) for number in found.rounds] == [one[0] for one in found.a]


def test_nothing_measured_is_nothing():
    """No rounds, or a side that is in none."""
    assert turns([], "a", "b") is None is turns([one_round(1.0)], "a", "c")
