"""What a night has before it: what was asked for, what lies there of an earlier attempt, and how
long each cell is thought to take.

A row stays as it is until a new attempt of its cell really begins: a night that is run again
without time for another attempt must not look better than it was. A cell in which the harness
itself was ended (killed, the machine went down) goes to the end, and is not tried a third time: it
must not keep the others from running for ever.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from harness import __version__, plan
from harness.commands import listing
from harness.context import Context
from harness.errors import UnknownName
from harness.nightly import night
from harness.nightly.config import Config
from harness.nightly.matrix import Cell
from harness.nightly.night import CellRow, CellStatus, Night

#: So often a cell may have taken the harness down with it.
MOST_KILLED = 2


@dataclasses.dataclass(frozen=True)
class NightRequest:
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


def opened(request: NightRequest, context: Context, folder: Path, key: str) -> Night:
    """Return the night that lies in a folder, as it was left, or a new one.

    Raises:
        RecordError: the night.json that lies there cannot be read.
    """
    known = durations(request.nights, folder)
    try:
        attempt = night.read(folder)
    except FileNotFoundError:
        attempt = None
    earlier = {row.cell.name: row for row in attempt.rows} if attempt else {}
    rows = []
    for cell in request.config.cells:
        row = dataclasses.replace(earlier.get(cell.name, CellRow(cell)), cell=cell)
        if not row.ended:
            seconds, basis = estimate(request.config, cell, known)
            row = cut_off(dataclasses.replace(row, estimate_s=seconds, basis=basis))
        rows.append(row)
    return Night(
        name=folder.name,
        key=key,
        created=attempt.created if attempt else context.now.isoformat(timespec="seconds"),
        command=context.command,
        harness_version=__version__,
        config=str(request.config.path),
        budget_s=request.config.budget_s,
        rows=tuple(rows),
    )


def cut_off(row: CellRow) -> CellRow:
    """Return a row; of a cell at work when the harness was ended, the row that says so."""
    if row.status != CellStatus.RUNNING:
        return row
    killed = row.killed + 1
    if killed < MOST_KILLED:
        return dataclasses.replace(
            row,
            status=CellStatus.INTERRUPTED,
            killed=killed,
            reason="the harness was ended while this cell was at work",
        )
    reason = (
        f"the harness was ended {killed} times while this cell was at work; --only {row.cell.name}"
        " tries it again"
    )
    return dataclasses.replace(row, status=CellStatus.CRASHED, killed=killed, reason=reason)


def waiting(state: Night, request: NightRequest) -> list[Cell]:
    """Return the cells to run; those in which the harness was ended come last, or not at all."""
    chosen = request.cells()
    rows = [
        row
        for row in state.rows
        if row.cell in chosen and not row.ended and (request.only or row.killed < MOST_KILLED)
    ]
    return [row.cell for row in sorted(rows, key=lambda row: row.killed > 0)]


def durations(nights: Path, but: Path) -> Mapping[str, tuple[float, str]]:
    """Return how long cells took when they last came to their end, and in which night, by name."""
    newest: dict[str, tuple[float, str]] = {}
    for folder, state in night.nights(nights):
        if folder == but or not isinstance(state, Night):
            continue
        for row in state.rows:
            if row.status == CellStatus.OK:
                newest.setdefault(row.cell.name, (row.duration_s, state.name))
    return newest


def estimate(
    config: Config, cell: Cell, known: Mapping[str, tuple[float, str]]
) -> tuple[float, str]:
    """Return how long a cell takes at least, seconds, and where that is from: an earlier night, the
    configuration, or usual figures.

    What an earlier night took for rounds beyond the least number is not needed: a timed cell is not
    thought to take more than usual.
    """
    if cell.estimate_s is not None:
        return cell.estimate_s, "the configuration"
    usual = usual_s(config.request(cell, cell.builds))
    if cell.name in known:
        seconds, name = known[cell.name]
        return (min(seconds, usual) if cell.timed else seconds), f"the night {name}"
    return usual, "usual figures"


def usual_s(request: plan.Request) -> float:
    """Return what a cell takes by usual figures, seconds."""
    planned = plan.make(request)
    return listing.jobs_s(planned) + sum(listing.least_s(timed) for timed in planned.speed)


def rounds_s(request: plan.Request) -> float:
    """Return what the least number of rounds of a cell takes, seconds."""
    return sum(listing.least_s(timed) for timed in plan.make(request).speed)
