"""Finds the runs in a folder of reports: those of `harness compare` beside each other, those of nights in their cells."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from harness import runs
from harness.errors import UsageError

REPORT = "report.json"
#: reports/nightly/DATE[_NUMBER]/cells/NAME: a run of a night counts to its date, whenever it was made.
CELL = re.compile(r".*/(?P<date>\d{4}-\d{2}-\d{2})(_\d+)?/cells/[^/]+")


@dataclasses.dataclass(frozen=True)
class Found:
    """A run, as a folder or as its report alone; `night`: the date that it counts to, None for the one on which it was made."""

    path: Path
    night: str | None = None

    @property
    def folder(self) -> Path:
        """Where its records lie."""
        return self.path if self.path.is_dir() else self.path.parent


def found(path: Path) -> list[Found]:
    """Return the run that a path is, or all finished runs below it, in order of their names.

    Raises:
        UsageError: a folder that is no run and holds none.
    """
    if not path.is_dir() or (path / REPORT).is_file():
        return [_found(path)]
    below = sorted(one.parent for one in path.rglob(REPORT) if (one.parent / runs.RUN_FILE).is_file())
    if not below:
        raise UsageError(f"{path}: no finished run is in it. Name a run, e.g. reports/<date>_<what>, or a folder of runs, e.g. reports.")
    return [_found(one) for one in below]


def _found(path: Path) -> Found:
    told = CELL.fullmatch(path.absolute().as_posix())
    return Found(path, told["date"] if told else None)
