"""Runs a night: cell after cell through `harness.comparison`, in this process, each in a folder of its own.

Whatever happens inside a cell becomes its status, and the next one begins. What has become of each is on disk before the next
begins, so a night that is cut off goes on where it was, and a cell that was cut off goes on with what its jobs have left.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import errno
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness import __version__, comparison, listing, outcome, plan, runs, store
from harness import options as asking
from harness.comparison import Context
from harness.errors import BuildError, HarnessError, JobFailed, RecordError, UnknownName
from harness.nightly import closing, comparing, matrix, night, support
from harness.nightly.config import Config
from harness.nightly.matrix import Cell
from harness.nightly.night import Night, Row
from harness.progress import NIGHT, Step, spell
from harness.report.model import Report

#: Where a defect of the harness itself is written down, in the cell's folder.
TRACEBACK = "traceback.txt"


@dataclasses.dataclass(frozen=True)
class Asked:
    """What is asked of a night. `only`: names of cells, empty for all. `date`: as YYYY-MM-DD."""

    config: Config
    reports: Path
    date: str
    only: tuple[str, ...]

    @property
    def nights(self) -> Path:
        """The folder of all nights."""
        return self.reports / night.FOLDER

    def cells(self) -> tuple[Cell, ...]:
        """Return the cells asked for.

        Raises:
            UnknownName: one does not exist.
        """
        known = [cell.name for cell in self.config.cells]
        for name in self.only:
            if name not in known:
                raise UnknownName("cell", name, known)
        return tuple(cell for cell in self.config.cells if not self.only or cell.name in self.only)


@dataclasses.dataclass(frozen=True)
class Result:
    """A night that came to its end, and where it lies."""

    night: Night
    folder: Path


def run(asked: Asked, context: Context) -> Result:
    """Run what has not run yet of a night, and write its summary and the index of all nights.

    Raises:
        HarnessError: wrong usage, a night.json that cannot be read, or another process at work in this night.
    """
    chosen = asked.cells()
    key = night.key(asked.config.cells, [str(folder) for folder in asked.config.ports])
    folder = night.folder_of(asked.nights, asked.date, key)
    with runs.held(folder):
        return Result(_Running(asked, context, folder, key).all(chosen), folder)


class _Running:
    """A night at work: its state in memory, and its copy on disk."""

    def __init__(self, asked: Asked, context: Context, folder: Path, key: str) -> None:
        self.asked, self.context, self.folder, self.config = asked, context, folder, asked.config
        self.missing: support.Missing = {}
        self.state = _opened(asked, context, folder, key)

    def all(self, chosen: Sequence[Cell]) -> Night:
        """Run the cells, the highest priority first, and close the night."""
        waiting = [row.cell for row in self.state.rows if row.cell in chosen and not row.ended]
        if len(waiting) < len(chosen):
            self.context.say(f"{self.folder}: {len(chosen) - len(waiting)} of {len(chosen)} cells are finished")
        self.keep()
        try:
            self.missing = support.survey(self.config, waiting, self.context, install=True)
            for number, cell in enumerate(waiting):
                self._one(cell, waiting[number:], len(waiting))
        except KeyboardInterrupt:
            self.state = closing.summed_up(dataclasses.replace(self.state, exit_code=130))
            with contextlib.suppress(OSError):
                closing.write(self.state, self.folder, self.asked.nights)
            raise
        self.state = closing.summed_up(dataclasses.replace(self.state, finished=not self.state.count(night.WAITING)))
        self.keep()
        self.state = comparing.compared(self.state, self.folder, self.asked.reports)
        self.state = closing.summed_up(dataclasses.replace(self.state, exit_code=None))
        closing.write(self.state, self.folder, self.asked.nights)
        return self.state

    def keep(self) -> None:
        """Write the state. If the disk is full, the cells go on: there may be room again when the next one ends."""
        try:
            night.write(self.folder, self.state)
        except OSError as error:
            self.context.say(f"{self.folder / night.FILE} cannot be written: {error.strerror}")

    def set(self, row: Row) -> None:
        """Replace a cell's row, and write the state."""
        self.state = self.state.with_row(row)
        self.keep()

    def _one(self, cell: Cell, waiting: Sequence[Cell], total: int) -> None:
        """Run a cell, or say why not."""
        row = next(row for row in self.state.rows if row.cell.name == cell.name)
        able = support.able(self.config, cell, self.missing)
        row = dataclasses.replace(row, lacking=able.lacking, reason="")
        if able.reason:
            self.set(dataclasses.replace(row, status=night.UNSUPPORTED, reason=able.reason))
            return
        left_s = self.config.budget_s - self.state.spent_s
        needed = {row.cell.name: row.estimate_s for row in self.state.rows}
        if needed[cell.name] > left_s:
            reason = f"takes about {spell(needed[cell.name])}; of the night's {spell(self.config.budget_s)} {_left(left_s)}"
            self.set(dataclasses.replace(row, status=night.NOT_REACHED, reason=reason))
            return
        rest_s = sum(needed[item.name] for item in waiting)
        self.context.say(Step(
            f"cell {total - len(waiting) + 1} of {total}: {cell.name} (about {spell(needed[cell.name])})", cell.name,
            total - len(waiting), total, rest_s, level=NIGHT,
        ))
        share_s = matrix.share_s(left_s, rest_s, sum(item.timed for item in waiting))
        options = self.config.options(cell, able.builds, min(cell.timing_s, _rounds_s(self.config, cell, able.builds) + share_s))
        self.set(dataclasses.replace(row, status=night.RUNNING))
        started, before_s = time.monotonic(), row.duration_s
        try:
            ended = attempt(row, options, self.context, self.folder / row.folder)
        except KeyboardInterrupt:
            taken_s = before_s + time.monotonic() - started
            self.set(dataclasses.replace(row, status=night.INTERRUPTED, reason="interrupted by the user", duration_s=taken_s))
            raise
        self.set(dataclasses.replace(ended, duration_s=before_s + time.monotonic() - started))


def _left(left_s: float) -> str:
    return f"{spell(left_s)} are left" if left_s >= 1 else "nothing is left"


def attempt(row: Row, options: asking.Options, context: Context, folder: Path) -> Row:
    """Run one cell. Whatever happens inside it becomes the row's status; only an interrupt passes through."""
    command = dataclasses.replace(row.cell, builds=options.backends).command
    own = dataclasses.replace(context, command=command, now=datetime.datetime.now().astimezone())
    try:
        return judged(row, comparison.compare(options, own, folder).report)
    except Exception as error:  # noqa: BLE001  (whatever it is, it must not cost the night; it is told, and a defect is written down)
        return dataclasses.replace(row, status=_status(error), reason=_reason(error, row, folder))


def _status(error: Exception) -> str:
    """Return how a cell ended in which this was raised."""
    if isinstance(error, JobFailed):
        return error.status
    if isinstance(error, OSError):
        return "disk full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "error"
    if isinstance(error, RecordError):
        return "corrupt"
    if isinstance(error, BuildError):
        return night.UNSUPPORTED
    return "out of memory" if isinstance(error, MemoryError) else "error"


def _reason(error: Exception, row: Row, folder: Path) -> str:
    """Return why, in a sentence; a defect of the harness leaves its traceback in the cell's folder."""
    if isinstance(error, HarnessError):
        return str(error)
    told = f"{type(error).__name__}: {error}"
    if isinstance(error, (OSError, MemoryError)):
        return told
    with contextlib.suppress(OSError):
        store.write_text(folder / TRACEBACK, traceback.format_exc())
    return f"{told}. This is a defect of the harness: {row.folder}/{TRACEBACK}."


def judged(row: Row, report: Report) -> Row:
    """Return the row of a cell that has a report: `ok` if all its jobs ended well, else as the first that did not."""
    broken = [job for job in report.jobs if job.status not in (night.OK, outcome.UNSUPPORTED)]
    nothing = report.exit_code == matrix.NOTHING
    status, reason = night.OK, ""
    if broken:
        status = broken[0].status
        reason = f"{len(broken)} of {len(report.jobs)} jobs did not end well; {broken[0].job or broken[0].build}: {broken[0].reason}"
    elif nothing:
        status = night.UNSUPPORTED
        reason = next((job.reason for job in report.jobs if job.status == outcome.UNSUPPORTED), report.headline)
    whole = [one for one in report.speed if not one.by_phase]
    return dataclasses.replace(
        row, status=status, reason=reason, fidelity=report.fidelity, headline=report.headline, exit_code=report.exit_code,
        settled=sum(one.verdict in ("FASTER", "SLOWER", "SAME") for one in whole), compared=len(whole),
    )


def _opened(asked: Asked, context: Context, folder: Path, key: str) -> Night:
    """Return the night that lies in a folder, its unfinished cells waiting again, or a new one."""
    known = durations(asked.nights, folder)
    try:
        found = night.read(folder)
    except FileNotFoundError:
        found = None
    earlier = {row.cell.name: row for row in found.rows} if found else {}
    rows = []
    for cell in asked.config.cells:
        row = earlier.get(cell.name, Row(cell))
        if not row.ended:  # another attempt; the time that earlier ones have taken stays
            seconds, basis = estimate(asked.config, cell, known)
            row = Row(cell, estimate_s=seconds, basis=basis, duration_s=row.duration_s)
        rows.append(dataclasses.replace(row, cell=cell))
    created = found.created if found else context.now.isoformat(timespec="seconds")
    return Night(
        folder.name, key, created, context.command, __version__, str(asked.config.path), asked.config.budget_s, tuple(rows),
    )


def durations(nights: Path, but: Path) -> Mapping[str, tuple[float, str]]:
    """Return how long cells took when they last came to their end, and in which night, by name."""
    found: dict[str, tuple[float, str]] = {}
    for folder, one in night.nights(nights):
        if folder != but and isinstance(one, Night):
            for row in one.rows:
                if row.status == night.OK:
                    found.setdefault(row.cell.name, (row.duration_s, one.name))
    return found


def estimate(config: Config, cell: Cell, known: Mapping[str, tuple[float, str]]) -> tuple[float, str]:
    """Return how long a cell takes at least, seconds, and where that is from: an earlier night, the configuration, or usual figures.

    What an earlier night spent on rounds beyond the least number is not needed: a timed cell is not thought to take more than usual.
    """
    if cell.estimate_s is not None:
        return cell.estimate_s, "the configuration"
    usual_s = _usual_s(config, cell, cell.builds)
    if cell.name in known:
        seconds, name = known[cell.name]
        return (min(seconds, usual_s) if cell.timed else seconds), f"the night {name}"
    return usual_s, "usual figures"


def _usual_s(config: Config, cell: Cell, builds: Sequence[str]) -> float:
    planned = plan.make(asking.request(config.options(cell, builds)))
    return listing.jobs_s(planned) + sum(listing.least_s(timed) for timed in planned.speed)


def _rounds_s(config: Config, cell: Cell, builds: Sequence[str]) -> float:
    planned = plan.make(asking.request(config.options(cell, builds)))
    return sum(listing.least_s(timed) for timed in planned.speed)
