"""What a night is on disk: `reports/nightly/YYYY-MM-DD/night.json`, written atomically after
everything that changes.

So a night that is cut off, by a signal, a crash or a reboot, is found as it was, and goes on. Locks
are the system's and die with their process: a lock file that is left behind stops nobody.

History of `SCHEMA`: 1 (first), 2 (a seal).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backends.contract import Status, Word
from harness.changes.model import ChangeKind, Severity
from harness.errors import CorruptRecord, RecordError, UnreadableRecord, UsageError, remedy
from harness.nightly.matrix import Cell
from harness.records import runs, store
from harness.records.decoder import decode
from harness.results.verdicts import Fidelity

SCHEMA, SEALED_SINCE = 2, 2
FILE = "night.json"
FOLDER = "nightly"
#: Of a cell, what decides when and for how long it runs, and not what is compared.
PACE = ("priority", "timing_s", "estimate_s")


class CellStatus(Word):
    """What has become of a cell: a job's status, or where it stands in its night."""

    #: Not begun.
    WAITING = "waiting"
    #: At work.
    RUNNING = "running"
    #: Left because the time was used up.
    NOT_REACHED = "not reached"
    OK = Status.OK.value
    UNSUPPORTED = Status.UNSUPPORTED.value
    ERROR = Status.ERROR.value
    TIMEOUT = Status.TIMEOUT.value
    CRASHED = Status.CRASHED.value
    OUT_OF_MEMORY = Status.OUT_OF_MEMORY.value
    DISK_FULL = Status.DISK_FULL.value
    CORRUPT = Status.CORRUPT.value
    INTERRUPTED = Status.INTERRUPTED.value


class NoReport(Word):
    """What stands in place of the verdict of a cell without a report."""

    NO_REPORT = ""


#: Of a cell without a report: it has never been at work.
UNTRIED = (CellStatus.WAITING, CellStatus.NOT_REACHED, CellStatus.UNSUPPORTED)


@dataclasses.dataclass(frozen=True)
class MissingBuild:
    """A build that this machine cannot run on a cell's device, and why. `failed`: it could, but was
    not to be had that night."""

    build: str
    reason: str
    failed: bool = False


@dataclasses.dataclass(frozen=True)
class Changed:
    """One thing that changed, in a sentence."""

    severity: Severity
    kind: ChangeKind
    text: str


@dataclasses.dataclass(frozen=True)
class CellRow:
    """A cell and what became of it.

    Attributes:
        status: what has become of it. reason: why it is not `ok`.
        fidelity, headline, exit_code: of its report; empty and None where there is none.
        settled, compared: rows of speed with an answer, and all of them. speed: the widest of them,
            in words; apart: its ratio of times, the greater over the smaller; 1 where there
            is none; None in nights from before it was told.
        estimate_s: what it was thought to take; `basis`: where that was taken from. duration_s:
            what it took, all attempts together.
        left_out: builds of it that cannot run here. killed: how often the harness itself was ended
            while the cell was at work.
    """

    cell: Cell
    status: CellStatus = CellStatus.WAITING
    reason: str = ""
    fidelity: Fidelity | NoReport = NoReport.NO_REPORT
    headline: str = ""
    exit_code: int | None = None
    settled: int = 0
    compared: int = 0
    speed: str = ""
    apart: float | None = None
    estimate_s: float = 0.0
    basis: str = ""
    duration_s: float = 0.0
    left_out: tuple[MissingBuild, ...] = dataclasses.field(default=(), metadata={"name": "lacking"})
    killed: int = 0

    @property
    def tried(self) -> bool:
        """Whether it has been at work."""
        return self.exit_code is not None or self.status not in UNTRIED

    @property
    def folder(self) -> str:
        """Where its run lies, relative to the night's folder."""
        return f"cells/{self.cell.name}"

    @property
    def ended(self) -> bool:
        """Whether another attempt has nothing to add."""
        return self.status == CellStatus.OK


@dataclasses.dataclass(frozen=True)
class Night:
    """A night.

    Attributes:
        name: of its folder, the date, with a number if the matrix was another one that day. key:
            what makes two nights the same work.
        config: the file of the matrix. finished: whether it came to its end; else it was cut off.
        verdict: PASS, FAIL, INCONCLUSIVE or NONE, over all cells. exit_code: as `harness nightly`
            ended.
        changed: what is not as it was before, regressions first. regressed: whether there is one.
            before: the newest earlier night, empty where there was none. uncompared: why what
            changed could not be told; empty where it could.
    """

    name: str
    key: str
    created: str
    command: str
    harness_version: str
    config: str
    budget_s: float
    rows: tuple[CellRow, ...]
    finished: bool = False
    verdict: Fidelity = Fidelity.NONE
    headline: str = ""
    exit_code: int | None = None
    changed: tuple[Changed, ...] = ()
    regressed: bool = False
    before: str = ""
    uncompared: str = ""

    @property
    def spent_s(self) -> float:
        """Seconds of the budget that cells have taken."""
        return sum(row.duration_s for row in self.rows)

    def count(self, *statuses: CellStatus) -> int:
        """Return how many cells are in one of these states."""
        return sum(row.status in statuses for row in self.rows)

    def broken(self) -> tuple[CellRow, ...]:
        """Return the cells that ended, and not well."""
        good = (CellStatus.OK, CellStatus.RUNNING, *UNTRIED)
        return tuple(row for row in self.rows if row.status not in good)

    def failed_builds(self) -> tuple[str, ...]:
        """Return the builds that were not to be had, though this machine can have them."""
        missing = [item for row in self.rows for item in row.left_out]
        return tuple(sorted({item.build for item in missing if item.failed}))

    def missing_builds(self) -> list[tuple[str, str, str]]:
        """Return each build that was left out, with the device and the reason, sorted."""
        return sorted(
            {
                (item.build, row.cell.device, item.reason)
                for row in self.rows
                for item in row.left_out
            }
        )

    def with_row(self, row: CellRow) -> Night:
        """Return the night with one cell's row replaced."""
        return dataclasses.replace(
            self, rows=tuple(row if item.cell.name == row.cell.name else item for item in self.rows)
        )


def key(cells: tuple[Cell, ...], more: Any) -> str:
    """Return the identity of a matrix: what is compared; not in which order, nor for how long."""
    compared = []
    for cell in cells:
        document = dataclasses.asdict(cell)
        compared.append({name: document[name] for name in document if name not in PACE})
    return runs.key(["nightly", sorted(compared, key=lambda item: str(item["name"])), more])


def folder_of(nights: Path, date: str, work: str) -> Path:
    """Return the folder of a night: the date's if it is free or holds the same work, else the
    date's with a number.

    Args:
        nights: the folder of all nights.
        date: as YYYY-MM-DD.
        work: the key of its matrix.

    Raises:
        RecordError: a night.json there cannot be read. UsageError: the folder cannot be made.
    """
    for number in range(1, 1000):
        folder = nights / (date if number == 1 else f"{date}_{number}")
        try:
            if read(folder).key == work:
                return folder
        except FileNotFoundError:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(
                    f"--reports {nights.parent}: cannot make {folder} ({error.strerror})."
                    f" {remedy(error)}."
                ) from error
            return folder
    raise UsageError(f"--reports {nights.parent}: too many nights of {date}; delete some.")


def write(folder: Path, night: Night) -> None:
    """Write a night's state, atomically."""
    rows = [_document(row) for row in night.rows]
    document = {"schema": SCHEMA, **dataclasses.asdict(night), "rows": rows}
    store.write_sealed(folder / FILE, document)


def _document(row: CellRow) -> dict[str, Any]:
    """Return a row under the names that its fields have on disk."""
    values = dataclasses.asdict(row)
    return {
        field.metadata.get("name", field.name): values[field.name]
        for field in dataclasses.fields(row)
    }


def read(folder: Path) -> Night:
    """Return a night.

    Raises:
        FileNotFoundError: there is none. CorruptRecord, NewerSchema: what lies there cannot be
            used.
    """
    path = folder / FILE
    try:
        return decode(Night, store.read_sealed(path, "night", SCHEMA, SEALED_SINCE), str(path))
    except UnreadableRecord:
        raise
    except CorruptRecord as error:
        raise CorruptRecord(
            f"{error}. Delete it and run again; cells that are finished are kept."
        ) from error


def nights(folder: Path) -> Iterator[tuple[Path, Night | RecordError]]:
    """Yield all nights, the newest first; of one that cannot be read, the error."""
    files = folder.glob(f"*/{FILE}")
    for path in sorted(files, key=lambda item: order(item.parent.name), reverse=True):
        try:
            yield path.parent, read(path.parent)
        except RecordError as error:
            yield path.parent, error


def order(name: str) -> tuple[str, int]:
    """Return what nights are sorted by; 2026-11-21_10 is later than 2026-11-21_9."""
    date, _, number = name.partition("_")
    return date, int(number) if number.isdigit() else 1
