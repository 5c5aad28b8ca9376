"""Runs a night: cell after cell through `harness.commands.compare`, in this process, each in a
folder of its own.

Whatever happens inside a cell becomes its status, and the next one begins. What has become of each
is on disk before the next begins, so a night that is cut off goes on where it was, and a cell that
was cut off goes on with what its jobs have left.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import errno
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from backends.contract import Status
from harness import plan
from harness.commands import compare
from harness.commands import options as asking
from harness.context import Context
from harness.errors import BuildError, HarnessError, JobFailed, ProvisionFailed, RecordError
from harness.execution.progress import NIGHT, ProgressStep, spell
from harness.nightly import agenda, conclusion, matrix, night, support
from harness.nightly import comparison as comparing
from harness.nightly.agenda import NightRequest
from harness.nightly.matrix import Cell
from harness.nightly.night import CellRow, CellStatus, Night
from harness.records import files, runs
from harness.results import speed_words
from harness.results.model import Report
from harness.results.verdicts import Speed

#: Where a defect of the harness itself is written down, in the cell's folder.
TRACEBACK = "traceback.txt"


@dataclasses.dataclass(frozen=True)
class NightResult:
    """A night that came to its end, and where it lies."""

    night: Night
    folder: Path


def run(request: NightRequest, context: Context) -> NightResult:
    """Run what has not run yet of a night, and write its summary and the index of all nights.

    Args:
        request: the matrix, the date, and which of its cells.
        context: of the night; each cell has a command and a time of its own.

    Raises:
        HarnessError: wrong usage, a night.json that cannot be read, or another process at work in
            this night.
    """
    request.cells()  # a name that does not exist is said before anything is made
    key = night.key(request.config.cells, [str(folder) for folder in request.config.ports])
    folder = night.folder_of(request.nights, request.date, key)
    with runs.held(folder):
        return NightResult(_Running(request, context, folder, key).all(), folder)


class _Running:
    """A night at work: its state in memory, and its copy on disk."""

    def __init__(self, request: NightRequest, context: Context, folder: Path, key: str) -> None:
        self.request, self.config = request, request.config
        self.context, self.folder = context, folder
        self.missing: support.Missing = {}
        self.state = agenda.opened(request, context, folder, key)

    def all(self) -> Night:
        """Run the cells, the highest priority first, and close the night."""
        waiting, total = agenda.waiting(self.state, self.request), len(self.request.cells())
        if len(waiting) < total:
            self.context.say(f"{self.folder}: {total - len(waiting)} of {total} cells are finished")
        self.keep()
        try:
            self.missing = support.survey(self.config, waiting, self.context, install=True)
            for number, cell in enumerate(waiting):
                self._have_turn(cell, waiting[number:], len(waiting))
            self._compare()
        except KeyboardInterrupt:
            self.state = conclusion.summed_up(dataclasses.replace(self.state, exit_code=130))
            with contextlib.suppress(OSError):
                conclusion.write(self.state, self.folder, self.request.nights)
            raise
        finished = not self.state.count(CellStatus.WAITING)
        self.state = conclusion.summed_up(
            dataclasses.replace(self.state, finished=finished, exit_code=None)
        )
        conclusion.write(self.state, self.folder, self.request.nights)
        return self.state

    def _compare(self) -> None:
        """Say what changed. The night is finished only after that; a defect in it costs the answer,
        and is told, and not the pages."""
        try:
            self.state = comparing.compared(
                conclusion.summed_up(self.state), self.folder, self.request.reports
            )
        # whatever it is, the night's own verdicts stand; it is told, and written down
        except Exception as error:  # noqa: BLE001
            with contextlib.suppress(OSError):
                files.write_text(self.folder / TRACEBACK, traceback.format_exc())
            reason = (
                f"What changed could not be told: {type(error).__name__}: {error}. See {TRACEBACK}."
            )
            self.state = dataclasses.replace(self.state, uncompared=reason)

    def keep(self) -> None:
        """Write the state. The cells go on if the disk is full: there may be room again later."""
        try:
            night.write(self.folder, self.state)
        except OSError as error:
            self.context.say(f"{self.folder / night.FILE} cannot be written: {error.strerror}")

    def set(self, row: CellRow) -> None:
        """Replace a cell's row, and write the state."""
        self.state = self.state.with_row(row)
        self.keep()

    def _have_turn(self, cell: Cell, waiting: Sequence[Cell], total: int) -> None:
        """Run a cell, the first of those that wait (of so many in all), or say why not."""
        row = next(row for row in self.state.rows if row.cell.name == cell.name)
        able = support.able(self.config, cell, self.missing)
        if able.reason:
            status = CellStatus.ERROR if able.failed else CellStatus.UNSUPPORTED
            self._left(dataclasses.replace(row, left_out=able.left_out), status, able.reason)
            return
        left_s = self.config.budget_s - self.state.spent_s
        needed_s = {row.cell.name: row.estimate_s for row in self.state.rows}
        takes = f"about {spell(needed_s[cell.name])}"
        if needed_s[cell.name] > left_s:
            left = f"{spell(left_s)} are left" if left_s >= 1 else "nothing is left"
            reason = f"takes {takes}; of the night's {spell(self.config.budget_s)} {left}"
            self._left(row, CellStatus.NOT_REACHED, reason)
            return
        rest_s = sum(needed_s[item.name] for item in waiting)
        done = total - len(waiting)
        line = f"cell {done + 1} of {total}: {cell.name} ({takes})"
        self.context.say(ProgressStep(line, cell.name, done, total, rest_s, level=NIGHT))
        share_s = matrix.share_s(left_s, rest_s, sum(item.timed for item in waiting))
        request = self.config.request(cell, able.builds)
        least_s = agenda.rounds_s(request)
        options = self.config.options(cell, able.builds, min(cell.timing_s, least_s + share_s))
        # a new attempt; the time that earlier ones have taken stays
        running = CellRow(
            cell,
            CellStatus.RUNNING,
            estimate_s=row.estimate_s,
            basis=row.basis,
            duration_s=row.duration_s,
            left_out=able.left_out,
            killed=row.killed,
        )
        self._attempt(running, options, request)

    def _attempt(self, row: CellRow, options: asking.Options, request: plan.Request) -> None:
        """Run a cell, and keep what became of it and the time that all attempts have taken."""
        self.set(row)
        started = time.monotonic()
        try:
            ended = attempt(row, options, request, self.context, self.folder / row.folder)
        except KeyboardInterrupt:
            taken_s = row.duration_s + time.monotonic() - started
            reason = "interrupted by the user"
            self.set(
                dataclasses.replace(
                    row, status=CellStatus.INTERRUPTED, reason=reason, duration_s=taken_s
                )
            )
            raise
        taken_s = row.duration_s + time.monotonic() - started
        self.set(dataclasses.replace(ended, duration_s=taken_s))

    def _left(self, row: CellRow, status: CellStatus, reason: str) -> None:
        """Leave a cell out, and say why. One that was tried before stays as it ended: another
        attempt that is not made is no better end."""
        if row.tried:
            self.context.say(f"{row.cell.name} is left as it is ({row.status}): {reason}")
        else:
            self.set(dataclasses.replace(row, status=status, reason=reason))


def attempt(
    row: CellRow, options: asking.Options, request: plan.Request, context: Context, folder: Path
) -> CellRow:
    """Run one cell. Whatever happens inside it becomes the row's status, but for an interrupt.

    Args:
        row: of the cell. options: of its comparison. request: what they ask for.
        context: of the night. folder: of the cell's run.
    """
    command = dataclasses.replace(row.cell, builds=options.backends).command
    own = dataclasses.replace(context, command=command, now=datetime.datetime.now().astimezone())
    try:
        return judged(row, compare.compare(options, own, folder, request).report)
    # whatever it is, it must not cost the night; it is told, and a defect is written down
    except Exception as error:  # noqa: BLE001
        return dataclasses.replace(row, status=_status(error), reason=_reason(error, row, folder))


def _status(error: Exception) -> CellStatus:
    """Return how a cell ended in which this was raised."""
    if isinstance(error, JobFailed):
        return CellStatus(error.status)
    if isinstance(error, OSError):
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return CellStatus.DISK_FULL if full else CellStatus.ERROR
    if isinstance(error, RecordError):
        return CellStatus.CORRUPT
    if isinstance(error, BuildError):
        return CellStatus.ERROR if isinstance(error, ProvisionFailed) else CellStatus.UNSUPPORTED
    return CellStatus.OUT_OF_MEMORY if isinstance(error, MemoryError) else CellStatus.ERROR


def _reason(error: Exception, row: CellRow, folder: Path) -> str:
    """Return why, in a sentence; a defect leaves its traceback in the cell's folder."""
    if isinstance(error, HarnessError):
        return str(error)
    message = f"{type(error).__name__}: {error}"
    if isinstance(error, (OSError, MemoryError)):
        return message
    with contextlib.suppress(OSError):
        files.write_text(folder / TRACEBACK, traceback.format_exc())
    return f"{message}. This is a defect of the harness: {row.folder}/{TRACEBACK}."


def judged(row: CellRow, report: Report) -> CellRow:
    """Return a cell's row by its report: `ok`, or as the first job that did not end well."""
    broken = [job for job in report.jobs if job.status not in (Status.OK, Status.UNSUPPORTED)]
    status = CellStatus.OK
    reason = ""
    if broken:
        first = broken[0]
        status = CellStatus(first.status)
        reason = (
            f"{len(broken)} of {len(report.jobs)} jobs did not end well;"
            f" {first.job or first.build}: {first.reason}"
        )
    elif report.exit_code == matrix.NOTHING:
        status = CellStatus.UNSUPPORTED
        reasons = (job.reason for job in report.jobs if job.status == Status.UNSUPPORTED)
        reason = next(reasons, report.headline)
    timed = [ratio for ratio in report.speed if not ratio.by_phase]
    answers = (Speed.FASTER, Speed.SLOWER, Speed.SAME)
    apart = speed_words.widest(timed)
    return dataclasses.replace(
        row,
        status=status,
        reason=reason,
        fidelity=report.fidelity,
        headline=report.headline,
        exit_code=report.exit_code,
        settled=sum(ratio.verdict in answers for ratio in timed),
        compared=len(timed),
        speed=speed_words.comparison(apart) if apart else "",
        apart=max(apart.ratio, 1.0 / apart.ratio) if apart and apart.ratio else 1.0,
    )
