"""Lines of progress and their numbers."""

from __future__ import annotations

import dataclasses
import types

import pytest

from harness.evaluation import speed_rows
from harness.execution import progress
from harness.execution.progress import NIGHT, WORK, ProgressStep
from harness.experiments import speed_rounds


class Clock:
    """Tells the time it is set to, seconds."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclasses.dataclass(frozen=True)
class Work:
    """Something to do."""

    name: str
    workload: str = "linear"
    side: str = "torch"
    precision: str = "fp64"


@dataclasses.dataclass(frozen=True)
class Ended:
    """How it ended."""

    ok: bool = True
    status: str = "ok"
    reason: str = ""
    duration_s: float = 2.0


def test_a_step_is_its_line() -> None:
    """Whoever takes lines takes a step; other numbers make another step of the same line."""
    step = ProgressStep("round 1", "timing", 1, 5, 8.0, level=NIGHT, passing=True)
    assert "round 1" == step and (1, 5, 8.0, NIGHT, True) == (
        step.done,
        step.total,
        step.left_s,
        step.level,
        step.passing,
    )
    other = step.counted(2, None, None)
    assert "round 1" == other and (2, None, None, NIGHT, True) == (
        other.done,
        other.total,
        other.left_s,
        other.level,
        other.passing,
    )
    assert (WORK, False, None) == (
        ProgressStep("a", "b").level,
        ProgressStep("a", "b").passing,
        ProgressStep("a", "b").total,
    )


def test_jobs_are_counted_as_they_end() -> None:
    """Each line says how many of how many; the rest is the pace so far times what is left; a
    start may be left out of a listing."""
    clock, said = Clock(), list[ProgressStep]()
    tell = progress.of_jobs(4, said.append, clock)  # type: ignore[arg-type]
    tell(Work("a"), None)  # type: ignore[arg-type]
    clock.now_s = 10.0
    tell(Work("a"), Ended())  # type: ignore[arg-type]
    tell(Work("b"), Ended(False, "crashed", "killed by SIGSEGV"))  # type: ignore[arg-type]
    assert said == [
        "[0/4] linear torch fp64: begins",
        "[1/4] linear torch fp64: ok, 2.0 s",
        "[2/4] linear torch fp64: crashed, 2.0 s: killed by SIGSEGV",
    ]
    assert [None, 30.0, 10.0] == [step.left_s for step in said] and [True, False, False] == [
        step.passing for step in said
    ]


def test_equal_pieces_are_numbered_as_they_begin() -> None:
    """Plain lines between them are passed on, and are no pieces."""
    clock, said = Clock(), list[str]()
    tell = progress.counted(3, said.append, clock)
    for line in (ProgressStep("run 1", "torch"), "a remark", ProgressStep("run 2", "torch")):
        tell(line)
        clock.now_s += 4.0
    assert [(0, 3, None), (1, 3, 16.0)] == [
        (step.done, step.total, step.left_s) for step in said if isinstance(step, ProgressStep)
    ]
    assert "a remark" == said[1]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "1 s"),
        (0.4, "1 s"),
        (59.6, "60 s"),
        (119.0, "119 s"),
        (120.0, "2 min"),
        (840.0, "14 min"),
        (5399.0, "1 h 30 min"),
        (7260.0, "2 h 01 min"),
    ],
)
def test_durations_are_spelled(seconds: float, words: str) -> None:
    """No more precise than an estimate is."""
    assert words == progress.spell(seconds)


@pytest.mark.parametrize(
    ("durations", "told"),
    [
        (([], []), (0, 10, None)),
        (([10.0], []), (1, 10, 4 * 10.0 + 5 * 10.0)),
        (([10.0, 30.0], [4.0]), (3, 10, 3 * 20.0 + 4 * 4.0)),
        (([10.0] * 5, [4.0] * 4), (9, 10, 4.0)),
        (([10.0] * 5, [4.0] * 5), (10, None, 60.0)),
    ],
)
def test_rounds_are_counted_over_all_jobs(durations, told) -> None:
    """Until each job has its least number of rounds these are what is counted; then nobody
    knows, and the budget is the most it takes."""
    jobs = [
        speed_rows.Timed(
            types.SimpleNamespace(),
            ["a", "b"],
            [types.SimpleNamespace(duration_s=item) for item in one],
        )  # type: ignore[arg-type]
        for one in durations
    ]
    todo = [one for one in jobs if len(one.records) < 5] or jobs
    assert told == speed_rounds._rest(jobs, todo, 60.0)
