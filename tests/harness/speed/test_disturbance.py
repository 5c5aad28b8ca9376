"""What disturbs a turn, a palindrome and a round."""

from __future__ import annotations

import dataclasses

import pytest

from harness.speed.disturbance import (
    Turn,
    Waits,
    clean,
    disturbed,
    enough,
    foreign,
    together,
    words,
)

QUIET = Turn(wall_s=0.01, ran_s=0.02, waited_s=0.0001, others_s=0.0005, load=0.4)
#: Three other programs beside two threads on two processors.
HOG = Turn(wall_s=0.03, ran_s=0.02, waited_s=0.03, others_s=0.04, load=5.0)


@pytest.mark.parametrize(
    ("turn", "others", "expected"),
    [
        (QUIET, True, False),
        (HOG, True, True),
        (HOG, False, False),  # threads that wait for each other are the build's own business
        (dataclasses.replace(QUIET, waited_s=0.0009), True, False),
        (dataclasses.replace(QUIET, waited_s=0.0012), True, True),  # 5.7 % of what was needed
        (dataclasses.replace(QUIET, stolen_s=0.01), False, True),
        (dataclasses.replace(QUIET, wall_s=10.0, stolen_s=0.01), False, False),
        (dataclasses.replace(QUIET, throttled_s=0.001), False, True),
        (Turn(), True, False),  # a kernel that tells nothing
    ],
)
def test_a_turn_is_disturbed_by_what_was_taken_from_it(
    turn: Turn, others: bool, expected: bool
) -> None:
    """Waiting, where others worked; stolen and throttled time always."""
    assert expected == disturbed(turn, others)


def test_whoever_waits_alone_waits_for_itself() -> None:
    """More threads than processors wait on an idle machine too; that is slow, and it is the
    build's own."""
    crowded = Turn(wall_s=0.01, ran_s=0.02, waited_s=0.03, others_s=0.0)
    assert [True] * 3 == clean([[crowded, crowded]] * 3) and not foreign([crowded])
    busy = dataclasses.replace(crowded, others_s=0.01)
    assert [False] * 3 == clean([[busy, busy]] * 3)


def test_a_hog_that_comes_and_goes_spoils_what_it_meets() -> None:
    """A palindrome with any of its turns; the others stay."""
    assert [True, False, True, False] == clean(
        [[QUIET, QUIET], [QUIET, HOG], [QUIET, QUIET], [HOG, HOG]]
    )
    assert (
        enough([True, False, True, False]) and not enough([True, False, False]) and not enough([])
    )


def test_a_round_is_as_loaded_as_its_worst_turn() -> None:
    """All else adds up; what a worker cannot tell counts as nothing."""
    total = together([QUIET, HOG, HOG])
    assert (total.load, total.ran_s, total.waited_s) == (
        5.0,
        pytest.approx(0.06),
        pytest.approx(0.0601),
    )
    assert Turn(wall_s=1.0) == Waits(1.0, 0.0, None).turn


@pytest.mark.parametrize(
    ("turn", "cores", "expected"),
    [
        (
            Turn(wall_s=1.0, ran_s=0.39, waited_s=0.61, load=20.2),
            2.0,
            "load 20 on 2 cores, waited 61 % of the time",
        ),
        (
            Turn(wall_s=1.0, ran_s=1.0, load=0.5, stolen_s=0.3),
            1.0,
            "load 0.5 on 1 core, waited 0 % of the time, stolen by the hypervisor 30 %",
        ),
        (
            Turn(wall_s=1.0, ran_s=1.0, load=1.0, throttled_s=0.5),
            0.5,
            "load 1.0 on 0.5 cores, waited 0 % of the time, throttled by a quota 50 %",
        ),
    ],
)
def test_it_is_said_in_words(turn: Turn, cores: float, expected: str) -> None:
    """With the numbers that a reader can check."""
    assert expected == words(turn, cores)
