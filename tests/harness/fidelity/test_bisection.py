"""The first bad step is found, in no more replays than a bisection takes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fidelity.bisection import bracket, first_bad_step
from harness.fidelity.verdict import StageVerdict, TensorVerdict, sum_up
from harness.results.verdicts import Fidelity


def trajectory(steps: int, first: int, *, losses: bool = True) -> StageVerdict:
    """Return what the judge says of so many steps whose update goes wrong at step `first`: the
    next loss shows it."""
    looks, items = [], []
    while not looks or looks[-1] < steps:
        looks.append(min(max(1, 2 * (looks[-1] if looks else 0)), steps))
    for step in range(1, steps + 1):
        items += [(step, "loss/total", losses and step > first)] + (
            [(step, "parameter/w", step >= first)] if step in looks else []
        )
    return sum_up(
        "trajectory",
        [
            TensorVerdict(
                f"step {step}/{name}",
                Fidelity.FAIL if bad else Fidelity.PASS,
                "",
                1.0 if bad else 0.0,
                0.1,
                0.1,
            )
            for step, name, bad in items
        ],
    )


@given(
    st.integers(1, 300).flatmap(lambda steps: st.tuples(st.just(steps), st.integers(1, steps))),
    st.booleans(),
)
def test_the_step_is_found_within_the_bound(sizes: tuple[int, int], losses: bool):
    """Whether the losses show the fault one step later or never, ceil(log2 T) + 1 replays are
    enough."""
    steps, first = sizes
    found = first_bad_step(
        trajectory(steps, first, losses=losses),
        steps,
        lambda number: trajectory(number, first, losses=losses),
    )
    assert (first, first - 1) == (found.bad, found.good)
    assert found.replays <= math.ceil(math.log2(steps)) + 1
    assert f"first bad step {first} of {steps}" in str(found)


def test_a_verdict_alone_gives_a_bracket():
    """Looks after 1, 2, 4, 8, 16 steps; the loss of step 12 is the first to show what step 11
    did."""
    found = bracket(trajectory(16, 11), 16)
    assert (8, 12, 0) == (found.good, found.bad, found.replays)


@pytest.mark.parametrize("verdict", [Fidelity.INCONCLUSIVE, "NULL"])
def test_a_replay_without_an_answer_ends_the_search(verdict):
    """What is known is said, with the reason."""
    found = first_bad_step(
        trajectory(64, 50, losses=False),
        64,
        lambda _: StageVerdict("trajectory", verdict, "no answer", None, ()),
    )
    assert (32, 64, 1) == (found.good, found.bad, found.replays)
    assert f"between 33 and 64 of 64 (a replay is {verdict}: no answer)" in str(found)


def test_what_was_looked_at_once_is_sought_from_the_start():
    """Parameters agree after 32 steps; what is generated was looked at after the last step
    alone, and is wrong from the first on."""

    def run(steps: int) -> StageVerdict:
        items = [
            TensorVerdict(f"step {step}/parameter/w", Fidelity.PASS, "", 0.0, 0.1, 0.1)
            for step in (1, 2, 4, 8, 16, 32, 50)
            if step <= steps
        ]
        return sum_up(
            "trajectory",
            [*items, TensorVerdict(f"step {steps}/generate", Fidelity.FAIL, "", 1.0, 0.1, 0.1)],
        )

    assert (0, 50) == (bracket(run(50), 50).good, bracket(run(50), 50).bad)
    found = first_bad_step(run(50), 50, run)
    assert "first bad step 1 of 50" in str(found) and found.replays <= math.ceil(math.log2(50)) + 1
