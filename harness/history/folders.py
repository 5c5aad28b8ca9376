"""Finds the runs in a folder of reports: those of `harness compare`, and nights' in their cells.

What a bisection compared is left out: old releases, measured today under today's names, are no
points of a series.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator
from pathlib import Path

from harness.errors import UsageError
from harness.records import runs

REPORT = "report.json"
#: What tells a bisection's folder (`harness.bisecting.record`).
BISECTION = "bisect.json"
#: Of a run, what its work left.
WORK = ("jobs", "tapes")
#: reports/nightly/DATE[_NUMBER]/cells/NAME: a run of a night counts to its date, whenever it was
#: made.
CELL = re.compile(r".*/(?P<date>\d{4}-\d{2}-\d{2})(_\d+)?/cells/[^/]+")


@dataclasses.dataclass(frozen=True)
class FoundRun:
    """A run, as a folder or as its report alone.

    Attributes:
        night: the date that it counts to; None for the one on which it was made.
    """

    path: Path
    night: str | None = None

    @property
    def folder(self) -> Path:
        """Where its records lie."""
        return self.path if self.path.is_dir() else self.path.parent


def finished_runs(path: Path) -> list[FoundRun]:
    """Return the run that a path is, or all finished runs below it, in order of their names.

    Raises:
        UsageError: a folder that is no run and holds none.
    """
    below = sorted(_below(path)) if path.is_dir() else []
    if not below and path.is_dir() and not (path / REPORT).is_file():
        raise UsageError(
            f"{path}: no finished run is in it (what a bisection compared does not count). "
            "Name a run, e.g. reports/<date>_<what>, or a folder of runs, e.g. reports."
        )
    runs_found = [FoundRun(run) for run in below or [path]]
    return [dataclasses.replace(run, night=night(run.folder)) for run in runs_found]


def night(folder: Path) -> str | None:
    """Return the date of the night whose cell a folder is; None of any other folder."""
    cell = CELL.fullmatch(folder.resolve().as_posix())
    return cell["date"] if cell else None


def _below(folder: Path) -> Iterator[Path]:
    """Yield the runs in and below a folder. A folder that cannot be read is taken for one: to load
    it tells why."""
    unread: list[Path] = []
    for place, folders, files in os.walk(
        folder, onerror=lambda error: unread.append(Path(str(error.filename)))
    ):
        folders[:] = [] if BISECTION in files else [name for name in folders if name not in WORK]
        if REPORT in files and runs.RUN_FILE in files:
            yield Path(place)
    yield from unread
