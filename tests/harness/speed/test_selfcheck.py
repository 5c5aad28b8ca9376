"""What measured rounds say about the verdicts: recorded ones with slow-downs injected, and a
rule that does not know rounds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import numpy as np
import pytest

from harness.errors import JobFailed
from harness.speed import selfcheck
from harness.speed.estimate import ALPHA, Estimate, Palindrome, RoundTimes, half_width
from harness.speed.replay import Rates
from harness.speed.selfcheck import (
    INJECTED,
    LEAST_ROUNDS,
    MOSTS,
    SLACK,
    SLOWDOWNS,
    STEPS,
    Findings,
    MeasuredRound,
    examine,
    turn,
)
from tests.evaluation.replay import recorded

SIDES = ("a", "b")


def measured(count: int, injected: float = 1.0, where: str = "b") -> list[MeasuredRound]:
    """Return recorded rounds as a self-check would have measured them; `injected`: the share of
    a slow-down that is really there."""
    found = recorded.rounds().held_out[:count]
    return [
        MeasuredRound(turn(number), recorded.slowed(one, where, injected * turn(number)))
        for number, one in enumerate(found)
    ]


def ignoring_rounds(rounds: Sequence[Sequence[float]], most: int) -> Estimate:
    """Take every palindrome for a measurement of its own: Student's interval at 99 % over all of
    them."""
    ratios = [ratio for palindromes in rounds for ratio in palindromes]
    mean, spread = statistics.fmean(ratios), statistics.stdev(ratios)
    half = half_width(spread, len(ratios), ALPHA)
    return Estimate(
        most, math.exp(mean), math.exp(mean - half), math.exp(mean + half), spread, ALPHA
    )


@pytest.fixture(autouse=True)
def few_tries(monkeypatch):
    """A tenth of the runs: what is told apart here differs by more."""
    monkeypatch.setattr(selfcheck, "FALSE_TRIES", 300)
    monkeypatch.setattr(selfcheck, "POWER_TRIES", 50)


@pytest.fixture(scope="module")
def honest() -> Findings:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selfcheck, "FALSE_TRIES", 600)
        patch.setattr(selfcheck, "POWER_TRIES", 200)
        return examine(measured(60), SIDES, 3.0, 120.0)


def test_an_honest_rule_is_within_bounds_on_recorded_rounds(honest):
    """And everything is counted."""
    assert () == honest.problems
    assert (60, 30, 12) == (honest.rounds, honest.identical, honest.runs)
    assert 0 == honest.alarms == honest.material and 0.012 < honest.spread < 0.022
    assert all(point.false.detected <= SLACK for point in honest.points)


def test_a_budget_has_a_column_of_its_own(honest):
    """The last look that fits: 40 rounds of three seconds."""
    assert [*MOSTS[:4], 40, MOSTS[4]] == [point.most for point in honest.points]


def test_power_grows_with_the_slow_down_and_with_rounds(honest):
    """Up to what chance moves; and the smallest that is resolved shrinks."""
    for point in honest.points:
        shares = [rates.slower for rates in point.power]
        assert sorted(shares) == shares and len(SLOWDOWNS) == len(shares)
    assert sorted((point.smallest for point in honest.points), reverse=True) == [
        point.smallest for point in honest.points
    ]
    assert {point.smallest for point in honest.points} <= {*STEPS}


def test_what_is_injected_is_measured(honest):
    """Each slow-down lies in its interval; nothing is found where nothing was injected."""
    assert [0.0, *INJECTED] == [one.slowdown for one in honest.injections]
    assert [30, 10, 10, 10] == [one.estimate.rounds for one in honest.injections]
    assert all(
        one.estimate.low <= 1.0 + one.slowdown <= one.estimate.high for one in honest.injections
    )


def test_rounds_come_in_pairs_and_every_slow_down_gets_its_turn():
    """A mirrored pair belongs together; the least number of rounds has all of them."""
    turns = [turn(number) for number in range(2 * LEAST_ROUNDS)]
    assert turns[::2] == turns[1::2]
    assert [0.0, INJECTED[0], 0.0, INJECTED[1], 0.0, INJECTED[2], 0.0, INJECTED[0]] == turns[:16:2]
    assert {*turns[:LEAST_ROUNDS]} == {0.0, *INJECTED} and LEAST_ROUNDS // 2 == turns[
        :LEAST_ROUNDS
    ].count(0.0)


# -- planted faults --------------------------------------------------------------------------------


def test_an_estimator_that_ignores_rounds_is_out_of_bounds():
    """Many times over, and the report names the runs."""
    found = examine(measured(40), SIDES, 3.0, 0.0, ignoring_rounds)
    assert all(point.false.detected > SLACK for point in found.points)
    assert all("false alarms out of bounds" in problem for problem in found.problems)
    assert [
        f"of at most {most} rounds" in problem
        for most, problem in zip(MOSTS, found.problems, strict=True)
    ] == [True] * len(MOSTS)


@pytest.mark.parametrize(("injected", "where"), [(0.0, "b"), (2.0, "b"), (1.0, "a")])
def test_a_slow_down_that_is_not_what_was_asked_for_is_a_problem(injected, where):
    """Not injected at all, twice, or into the other side."""
    (problem,) = examine(measured(120, injected, where), SIDES, 3.0, 0.0).problems
    assert "differs from what was injected by more than 1 %" in problem


def test_sides_that_are_not_alike_are_a_problem():
    """A side that is always slower by a tenth, whatever is injected."""
    found = [
        MeasuredRound(one.slowdown, recorded.slowed(one.round, "b", 0.1)) for one in measured(60)
    ]
    problems = examine(found, SIDES, 3.0, 0.0).problems
    assert any(
        "say SLOWER, material: the two sides are not treated alike" in problem
        for problem in problems
    )


def biased(bias: float, seed: int = 4) -> list[MeasuredRound]:
    """Return 36 rounds that scatter by 0.3 %, in which b is always slower by a share."""
    generator = np.random.RandomState(seed)
    found = []
    for number in range(36):
        slowdown = turn(number)
        ratio = (1.0 + slowdown) * math.exp(bias + 0.003 * generator.normal())
        steps = 1.0 + 0.001 * generator.uniform(size=12)
        found.append(
            MeasuredRound(
                slowdown, RoundTimes((Palindrome({"a": list(steps), "b": list(ratio * steps)}),))
            )
        )
    return found


def test_a_small_difference_that_is_always_there_is_a_problem():
    """Far below the margin, it is noise where runs are drawn under both signs; real runs find it
    again and again."""
    found = examine(biased(0.005), SIDES, 3.0, 0.0)
    assert (
        all(point.false.detected <= SLACK for point in found.points)
        and not found.injections[0].verdict.material
    )
    whole, runs = found.problems
    assert (
        "the identical rounds as a whole say SLOWER: the two sides are not treated alike" == whole
    )
    assert (
        f"{found.alarms} of 7 runs of 5 rounds, as they were measured, show a difference that is"
        " not there" in runs
    )
    assert () == examine(biased(0.0), SIDES, 3.0, 0.0).problems


@pytest.mark.parametrize(
    ("runs", "alarms", "problem"),
    [
        (7, 0, False),
        (7, 1, False),
        (7, 2, True),
        (2, 1, False),
        (2, 2, True),
        (0, 0, False),
        (24, 2, False),
        (24, 3, True),
        (5000, 66, False),
        (5000, 70, True),
    ],
)
def test_alarms_are_a_problem_where_chance_hardly_gives_so_many(runs, alarms, problem):
    """Of a rule that errs in 1 %: one in seven comes in 7 % of all checks, two in 0.2 %."""
    assert problem == bool(selfcheck._alarming(runs, alarms))


def test_a_round_that_says_nothing_is_an_error_with_its_number():
    """Nothing is judged without it."""
    found = measured(12)
    found[4] = MeasuredRound(
        0.0, RoundTimes((Palindrome({"a": [1.0] * 4, "b": [1.0, math.nan, 1.0, 1.0]}),))
    )
    with pytest.raises(JobFailed, match="round 5 holds a step time of nan s"):
        examine(found, SIDES, 3.0, 0.0)


def test_where_nothing_is_resolved_it_is_said():
    """Rounds that scatter by a factor of three."""
    found = [
        MeasuredRound(one.slowdown, recorded.slowed(one.round, "b", 2.0 * (number % 3)))
        for number, one in enumerate(measured(24))
    ]
    points = examine(found, SIDES, 3.0, 0.0).points
    assert points[0].smallest is None
    assert isinstance(points[0].false, Rates)
