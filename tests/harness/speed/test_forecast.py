"""How long rounds of long steps take, and when they are given up."""

from __future__ import annotations

import pytest

from harness.speed.disturbance import Waits
from harness.speed.forecast import Pace, TooLong, Warmed, blocks_s, long, shortage

IDLE = Waits(0.0, 0.0, None)


def side(seconds: float, steps: int = 1, waits: Waits = IDLE) -> Warmed:
    """Return what a side tells that has run two steps of so many seconds to warm up."""
    return Warmed(seconds * steps, steps, 2 * seconds, waits)


def test_a_sample_is_no_step() -> None:
    """A sample of many short steps makes no long one."""
    assert side(0.001, 500).step_s == pytest.approx(0.001)
    assert not long({"a": side(0.001, 500), "b": side(0.24)}) and long(
        {"a": side(0.001), "b": side(0.25)}
    )


def test_the_least_round_has_four_steps_a_side() -> None:
    """Of what is long; of what is short, about as much as is wanted."""
    assert blocks_s([5.0, 1.0], 1.0) == pytest.approx(24.0) and blocks_s(
        [0.0005, 0.0005], 1.0
    ) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("left_s", "warm", "gives_up"),
    [
        (
            30.0,
            1,
            True,
        ),  # 10 s have gone, 10 s for the other side and 40 s for the turns are missing
        (59.0, 1, True),
        (61.0, 1, False),
        (61.0, 2, False),
        (30.0, 2, True),
        (float("inf"), 2, False),
    ],
)
def test_a_round_that_does_not_fit_is_given_up(left_s: float, warm: int, gives_up: bool) -> None:
    """As soon as that can be told; the others are taken to be as slow."""
    pace = Pace(2, 1.0, left_s, 100.0)
    prepared = {label: side(5.0) for label in ("a", "b")[:warm]}
    if not gives_up:
        pace.check(prepared, 100.0 + 10.0 * warm)
        return
    with pytest.raises(TooLong, match="a step of a takes 5 s") as raised:
        pace.check(prepared, 100.0 + 10.0 * warm)
    assert raised.value.round_s == pytest.approx(60.0)
    assert "5 rounds take about 300 s; give --budget so much" in shortage(raised.value, left_s)


def test_a_step_that_is_long_for_want_of_a_processor_is_said_to_be() -> None:
    """A busy machine makes long steps of short ones."""
    waiting = side(5.0, waits=Waits(10.0, 2.0, 8.0))
    with pytest.raises(
        TooLong, match=r"a step of a takes 5 s \(the machine was busy: waited 80 % of the time\)"
    ):
        Pace(2, 1.0, 30.0, 0.0).check({"a": waiting}, 10.0)


def test_short_steps_are_never_given_up() -> None:
    """Their rounds end by themselves."""
    Pace(2, 1.0, 0.0, 0.0).check({"a": side(0.2), "b": side(0.001, 9)}, 1000.0)


def test_nobody_knows_how_long_a_step_is_that_did_not_end() -> None:
    """Then the budget is named and no number is made up."""
    text = shortage(TooLong("the first steps of a (train) had not ended after 30 s", None), 30.0)
    assert (
        text.startswith("the budget of 30 s ended before 5 rounds: the first steps of a (train)")
        and "about" not in text
    )
