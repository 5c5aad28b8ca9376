"""A history as other modules use it: one object over one file, a transaction for each question."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import overload

from sqlalchemy import func, select

from harness.history import (
    aggregate,
    evidence,
    export,
    folders,
    ingest,
    points,
    query,
    restore,
    schema,
)
from harness.history.database import BUSY_S, DEFAULT, Database
from harness.history.model import (
    Added,
    Bucket,
    NightSummary,
    RunRow,
    SeriesKey,
    SpeedKey,
    SpeedPoint,
    StageKey,
    StagePoint,
    Wanted,
)
from harness.results import merged
from harness.results.model import Report

ALL = Wanted()
BUCKETS = 200


class History:
    """The results of all runs that were added to one file. Use it in a `with`; several processes
    may have it open.

    Every method may raise Busy, CorruptRecord or another RecordError, with the file named and what
    to do.

    Example:
        What `harness compare` adds when it ends, asked for again: nothing is read but the file.

        >>> import tempfile
        >>> from harness.results.model import StageRow
        >>> from harness.results.verdicts import Fidelity
        >>> row = StageRow("cnn", "tf2", "torch", "fp64", "loss", Fidelity.PASS, "", error=2e-16)
        >>> report = Report(
        ...     title="tf2-torch",
        ...     created="2026-11-29T02:00:00+00:00",
        ...     harness_version="0.1.0",
        ...     command="harness compare --backends tf2 torch",
        ...     fidelity=Fidelity.PASS,
        ...     headline="Same function.",
        ...     stages=(row,),
        ...     speed=(),
        ...     jobs=(),
        ...     builds=(),
        ...     tapes={},
        ... )
        >>> with (
        ...     tempfile.TemporaryDirectory() as folder,
        ...     open_history(Path(folder) / "history.sqlite") as history,
        ... ):
        ...     history.add(report).new
        ...     (key,) = history.stage_keys(Wanted(workloads=("cnn",)))
        ...     [(point.night, point.row.error) for point in history.series(key)]
        ...     [bucket.mean for bucket in history.buckets(key, "error")]
        ...     history.export(Path(folder) / "stages.csv", "stages")
        True
        [('2026-11-29', 2e-16)]
        [2e-16]
        1
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> History:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def add(self, report: Report, folder: Path | None = None, night: str | None = None) -> Added:
        """Add a run; when this returns, it is on disk. What is there already stays as it is. A
        night's cell has one run: the newest.

        Args:
            report: the judged run.
            folder: the run's, with its jobs' records, if it is still there.
            night: the date that the run counts to, "YYYY-MM-DD"; if not given, that of the night
                whose cell the folder is, else the one on which it began.

        Raises:
            CorruptRecord: the report does not say when it was made.
            UsageError: it is merged of runs on several machines.
        """
        merged.refuse(report, "a history")
        began = ingest.moment(report)
        # Before the lock is taken: it may read many megabytes.
        gathered = evidence.gather(report, folder)
        where = str(folder.resolve()) if folder else ""
        dated = folders.night(folder) if folder else None
        origin = ingest.Origin(
            where, night or dated or f"{began:%Y-%m-%d}", time.time(), cell=dated is not None
        )
        with self._database.writing() as connection:
            return ingest.add(connection, report, gathered, origin)

    def count(self) -> dict[str, int]:
        """Return how many rows each table has."""
        with self._database.reading() as connection:
            counts = {}
            for name, table in schema.METADATA.tables.items():
                rows = select(func.count()).select_from(table)
                counts[name] = connection.execute(rows).scalar_one()
            return counts

    def nights(self, wanted: Wanted = ALL) -> list[NightSummary]:
        """Return the nights that runs count to, the newest first."""
        with self._database.reading() as connection:
            return query.nights(connection, wanted)

    def runs(self, wanted: Wanted = ALL) -> list[RunRow]:
        """Return the runs that have a row of what is wanted, the newest first."""
        with self._database.reading() as connection:
            return query.runs(connection, wanted)

    def report(self, run: str) -> Report:
        """Return a run's report, as it was added, but for what only its plots are drawn from.

        Args:
            run: its id, or a beginning of it that no other has.

        Raises:
            UnknownName: no such run.
        """
        with self._database.reading() as connection:
            return restore.report(connection, query.number_of(connection, run))

    def stage_keys(self, wanted: Wanted = ALL) -> list[StageKey]:
        """Return the keys of all series of stages, sorted."""
        with self._database.reading() as connection:
            return points.keys(connection, StageKey, wanted)

    def speed_keys(self, wanted: Wanted = ALL) -> list[SpeedKey]:
        """Return the keys of all series of speed, sorted."""
        with self._database.reading() as connection:
            return points.keys(connection, SpeedKey, wanted)

    @overload
    def series(self, key: StageKey, wanted: Wanted = ALL) -> list[StagePoint]: ...

    @overload
    def series(self, key: SpeedKey, wanted: Wanted = ALL) -> list[SpeedPoint]: ...

    def series(
        self, key: StageKey | SpeedKey, wanted: Wanted = ALL
    ) -> list[StagePoint] | list[SpeedPoint]:
        """Return the points of a series in time order.

        Args:
            key: one of `stage_keys` or `speed_keys`.
            wanted: nights, hosts and the limit count of it: the newest so many.
        """
        with self._database.reading() as connection:
            if isinstance(key, StageKey):
                return points.stage_series(connection, key, wanted)
            return points.speed_series(connection, key, wanted)

    def buckets(
        self, key: SeriesKey, value: str, count: int = BUCKETS, wanted: Wanted = ALL
    ) -> list[Bucket]:
        """Return a number of a series (`aggregate.VALUES`) summed up in at most `count` stretches
        of equal duration; those without a row are left out.

        Args:
            key: one of `stage_keys` or `speed_keys`.
            value: the number, e.g. `error` of a stage or `ratio` of a speed.
            count: at least 1.
            wanted: nights and hosts count of it.

        Raises:
            UnknownName: there is no such number. UsageError: `count` is too small.
        """
        return self.buckets_of(key, (value,), count, wanted)[value]

    def buckets_of(
        self, key: SeriesKey, values: Sequence[str], count: int = BUCKETS, wanted: Wanted = ALL
    ) -> dict[str, list[Bucket]]:
        """Return several numbers of a series, each as `buckets` does, in the time that one takes.

        Args:
            key, count, wanted: as for `buckets`.
            values: names of the numbers.

        Raises:
            UnknownName: there is no such number. UsageError: `count` is too small.
        """
        with self._database.reading() as connection:
            return aggregate.buckets(connection, key, values, count, wanted)

    def verdicts(self, kind: type[SeriesKey], wanted: Wanted = ALL) -> dict[str, dict[str, int]]:
        """Return, of each night, how many rows of a kind (`StageKey`, `SpeedKey`) have which
        verdict; the oldest night first."""
        with self._database.reading() as connection:
            return aggregate.verdicts(connection, kind, wanted)

    def export(
        self, path: Path, table: str = export.RESULTS, form: str = "csv", wanted: Wanted = ALL
    ) -> int:
        """Write a table (`export.NAMES`) as `csv` or `parquet`, whole or not at all; return how
        many rows it has.

        Args:
            path: of the file; one that is there is replaced.
            table: one of `export.NAMES`.
            form: `csv` or `parquet`.
            wanted: which rows, by what the table tells of them.

        Raises:
            UnknownName: no such table.
            UsageError: the file cannot be written, pyarrow is missing, or the table does not tell
                what is asked for.
        """
        return export.export(self._database, path, table, form, wanted)

    def faults(self) -> list[str]:
        """Return what is broken in the file; looks at all of it."""
        return self._database.faults()


def open_history(path: Path = DEFAULT, create: bool = True, busy_s: float = BUSY_S) -> History:
    """Open a history, and bring an older file to today's schema.

    Args:
        path: the SQLite file. create: make it, and its folder, if there is none.
        busy_s: how long each transaction waits for those of other processes, seconds.

    Raises:
        UsageError: there is none, and `create` is False; or it is a folder.
        NewerSchema, CorruptRecord, RecordError: it cannot be used.
        Busy: other processes have kept it locked for `busy_s` seconds.
    """
    return History(Database(path, create, busy_s))
