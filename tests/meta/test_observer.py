"""Measuring costs what is measured next to nothing; and the program that says so would notice if
it did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.execution import processes, runner
from harness.speed import estimate
from tests.evaluation.observer import sides


@pytest.fixture
def run_context(tmp_path: Path) -> runner.RunContext:
    """Rounds of the NumPy build, in this interpreter."""
    return sides.run_context_of("numpy", tmp_path)


def test_the_parent_sleeps(run_context: runner.RunContext) -> None:
    """While the worker's blocks run, all trackers on, the parent uses less than a hundredth of a
    core: in the quietest of up to three rounds, for other work on the machine only adds."""
    shares = []
    for number in range(3):
        seen = sides.watch(
            run_context, sides.job_of("numpy", "linear", "tiny"), number, palindromes=2, block_s=4.0
        )
        assert not estimate.unusable(seen.steps, "bare", "harness")
        assert not estimate.unusable(seen.steps, "alone", "harness")
        assert seen.waited_s > 3.0
        shares.append(seen.busy_s / seen.waited_s)
        if shares[-1] < sides.PARENT_SHARE:
            break
    assert min(shares) < sides.PARENT_SHARE, shares


def test_a_parent_that_does_not_is_noticed(
    run_context: runner.RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted fault: it looks at the worker all the time."""
    monkeypatch.setattr(processes, "WATCH_INTERVAL_S", 0.0)
    seen = sides.watch(
        run_context, sides.job_of("numpy", "linear", "tiny"), 0, palindromes=1, block_s=0.5
    )
    assert not sides.conclude([seen]).parent


def rounds(slower: float, count: int = 12) -> list[sides.Seen]:
    """Return made-up rounds in which the worker's steps take longer by a share, within noise of
    0.1 %."""
    generator = np.random.RandomState(1)
    found = []
    for _ in range(count):
        times = 1e-4 * (1.0 + 0.001 * generator.normal(size=(3, 40)))
        steps = {
            "bare": list(times[0]),
            "alone": list(times[1]),
            "harness": list((1.0 + slower) * times[2]),
        }
        found.append(
            sides.Seen(estimate.RoundTimes((estimate.Palindrome(steps),)), 1.0, 0.004, 0.02)
        )
    return found


@pytest.mark.parametrize(
    ("slower", "within"), [(0.0, True), (-0.02, True), (0.01, False), (0.005, None)]
)
def test_slower_steps_are_noticed(slower: float, within: bool | None) -> None:
    """Beyond the half per cent that is allowed, and only there; at it nothing can be told."""
    assert within is sides.conclude(rounds(slower)).steps


def test_too_few_rounds_prove_nothing() -> None:
    """There is no interval, and no answer."""
    found = sides.conclude(rounds(0.0, 3))
    assert found.steps is None and "that an interval needs" in found.lines[3]


def test_a_worker_that_is_slower_than_a_script_is_noticed() -> None:
    """Though its blocks take as long as a bare loop inside it: something else in the process
    slows both."""
    found = rounds(0.01)
    for seen in found:
        for palindrome in seen.steps.palindromes:
            palindrome.steps_s["alone"][:] = palindrome.steps_s["harness"]  # type: ignore[index]
    assert sides.conclude(found).steps is False
