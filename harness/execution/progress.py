"""Lines of progress that carry their numbers: what runs, how many of how many, and about how long
the rest takes.

A `ProgressStep` is a string, so whoever takes lines takes it too; `cli` shows the numbers, at a
terminal as one line that is drawn anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from harness.plan import Job, SampleJob, TeacherForcedJob
from harness.records import store

#: Levels of work: the cells of a night, and within each the jobs or rounds of a comparison.
NIGHT, WORK = 0, 1


class ProgressStep(str):
    """One line of progress.

    Attributes:
        what: is being worked at. done, total: pieces of work; `total` is None where nobody knows
            it. left_s: about how long the rest takes; None where nobody knows. level: NIGHT or
            WORK. passing: whether a plain listing may leave the line out.
    """

    what: str
    done: int
    total: int | None
    left_s: float | None
    level: int
    passing: bool

    def __new__(
        cls,
        line: str,
        what: str,
        done: int = 0,
        total: int | None = None,
        left_s: float | None = None,
        **more: Any,
    ) -> ProgressStep:
        """Return a line with its numbers; `more`: level and passing."""
        made = super().__new__(cls, line)
        made.what, made.done, made.total, made.left_s = what, done, total, left_s
        made.level, made.passing = more.get("level", WORK), more.get("passing", False)
        return made

    def counted(self, done: int, total: int | None, left_s: float | None) -> ProgressStep:
        """Return the same line with other numbers."""
        return ProgressStep(
            str(self), self.what, done, total, left_s, level=self.level, passing=self.passing
        )


def of_jobs(
    total: int, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
) -> Callable[[Job | TeacherForcedJob | SampleJob, store.Record | None], None]:
    """Return what tells of each job as it begins and ends, for `runner.run_jobs`.

    Args:
        total: how many there are to run. say: told a `ProgressStep`.
        clock: in seconds, for what is left.
    """
    started = clock()
    ended: list[str] = []

    def progress(job: Job | TeacherForcedJob | SampleJob, record: store.Record | None) -> None:
        what = f"{job.workload} {job.side} {job.precision}" + (
            f" seed {job.number}" if isinstance(job, SampleJob) else ""
        )
        if record is not None:
            ended.append(job.name)
        done = len(ended)
        left_s = (clock() - started) / done * (total - done) if done else None
        if record is None:
            say(
                ProgressStep(
                    f"[{done}/{total}] {what}: begins", what, done, total, left_s, passing=True
                )
            )
            return
        ending = "" if record.ok else f": {record.reason}"
        say(
            ProgressStep(
                f"[{done}/{total}] {what}: {record.status}, {record.duration_s:.1f} s{ending}",
                what,
                done,
                total,
                left_s,
            )
        )

    return progress


def counted(
    total: int, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
) -> Callable[[str], None]:
    """Return what numbers the steps it is told of, each as it begins, as pieces of work of about
    the same size.

    Args:
        total: how many there will be.
        say: told the numbered steps, and all other lines as they are.
        clock: in seconds, for what is left.
    """
    started = clock()
    begun: list[str] = []

    def tell(line: str) -> None:
        if isinstance(line, ProgressStep):
            done = len(begun)
            begun.append(line)
            line = line.counted(
                done, total, (clock() - started) / done * max(0, total - done) if done else None
            )
        say(line)

    return tell


def spell(seconds: float) -> str:
    """Return a duration as people say it, no more precise than an estimate is."""
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
