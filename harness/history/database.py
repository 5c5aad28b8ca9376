"""The SQLite file behind a history: how it is opened, brought to the newest schema, and what its
errors mean.

Write-ahead log: readers and one writer do not wait for each other; writers wait in line, up to
`BUSY_S`. A transaction that writes takes the lock when it begins (`BEGIN IMMEDIATE`): one that
reads first and then finds another writer could not wait. `synchronous = FULL`: what was committed
survives a power cut too. The log needs memory that the machine's processes share, so the file must
not lie on a network file system.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import shlex
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError, MultipleResultsFound, NoResultFound

from harness.errors import (
    Busy,
    CorruptRecord,
    HarnessError,
    NewerSchema,
    RecordError,
    UsageError,
    remedy,
)
from harness.history import columns, references
from harness.history.columns import DamagedHistory
from harness.history.migrations import APPLICATION_ID, LATEST, STEPS
from harness.records import files
from harness.report import format as spell

#: Where runs are added if nothing else is said.
DEFAULT = Path("reports/history.sqlite")
#: Writers wait this long for each other; adding a run takes a tenth of a second, and much longer
#: where others keep the cores busy.
BUSY_S = 120.0
RETRY_S = 0.02
#: What SQLite says where there is no room.
FULL = ("disk is full",)
#: What it says where the file itself is at fault.
BROKEN = ("not a database", "malformed", "no such table", "no such column", "decode", "mismatch")
#: What SQLite opens beside a database, by the end of its name.
BESIDE = ("", "-journal", "-wal", "-shm")


class Database:
    """One open file. Close it, or use it in a `with`.

    Raises:
        UsageError: there is no such file and none is to be made.
        NewerSchema, CorruptRecord: the file cannot be used.
        Busy: others have kept it locked.
        RecordError: it cannot be read or written.
    """

    def __init__(self, path: Path, create: bool = True, busy_s: float = BUSY_S) -> None:
        self.path, self.busy_s = path, busy_s
        # `Path.is_dir` raises where its folder may not be looked into.
        if os.path.isdir(path):  # noqa: PTH112
            raise UsageError(
                f"{path}: this is a folder; give a file, e.g. {path / 'history.sqlite'}"
            )
        _refuse_others(path)
        if not path.is_file() and not create:
            raise UsageError(
                f"{path}: there is no history. Make one with: harness history add RUN --history"
                f" {path}"
            )
        try:
            # SQLite would write into a device, and beside it
            files.destination(path)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}. {remedy(error)}.") from error
        self._still = not create and _still(path)
        self._engine = self._connectable()
        try:
            if create:
                path.parent.mkdir(parents=True, exist_ok=True)
            with translated(path):
                self._prepare()
        except OSError as error:
            raise RecordError(
                f"{path}: the history cannot be made ({error.strerror}). {remedy(error)}."
            ) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; the last one who does so moves the log into it."""
        self._engine.dispose()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the file, whoever writes meanwhile."""
        with translated(self.path), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes all happen when the block ends, or none does."""
        with (
            translated(self.path),
            self._engine.connect().execution_options(write=True) as connection,
            connection.begin(),
        ):
            yield connection

    def faults(self) -> list[str]:
        """Return what is broken in the file, by SQLite's own check of every page and every
        reference; looks at all of it."""
        with self.reading() as connection:
            checked = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
            dangling = references.dangling(connection)
        return [line for line in checked if line != "ok"] + dangling

    def _connectable(self) -> Engine:
        where = URL.create("sqlite", database=str(self.path))
        if self._still:
            place = f"file:{quote(str(self.path.absolute()))}"
            where = URL.create("sqlite", database=place, query={"immutable": "1", "uri": "true"})
        engine = create_engine(
            where, connect_args={"timeout": self.busy_s}, json_deserializer=columns.parsed
        )

        @event.listens_for(engine, "connect")
        def connected(connection: Any, _: Any) -> None:
            # Transactions begin below, and not where the driver thinks best.
            connection.isolation_level = None
            # What is no UTF-8 is refused with its column (`columns`), and not by the driver.
            connection.text_factory = functools.partial(
                str, encoding="utf-8", errors="surrogateescape"
            )
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")

        @event.listens_for(engine, "begin")
        def begun(connection: Connection) -> None:
            connection.exec_driver_sql(
                "BEGIN IMMEDIATE" if connection.get_execution_options().get("write") else "BEGIN"
            )

        return engine

    def _prepare(self) -> None:
        """Refuse what is no history of ours, and take the steps that are missing."""
        with self.reading() as connection:
            version = self._version(connection)
            lost = references.dangling(connection)
            if lost:
                raise DamagedHistory(lost[0])
            logged = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        if not logged and not self._still:
            self._use_log()
        if version == LATEST:
            return
        with self.writing() as connection:
            version = self._version(connection)  # again: another process may have been faster
            for step in STEPS[version:]:
                for statement in step.statements:
                    connection.exec_driver_sql(statement)
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.exec_driver_sql(f"PRAGMA user_version = {LATEST}")

    def _version(self, connection: Connection) -> int:
        """Return how many steps the file has taken; 0 of an empty one."""
        application = _integer(connection, "PRAGMA application_id")
        version = _integer(connection, "PRAGMA user_version")
        tables = _integer(connection, "SELECT count(*) FROM sqlite_master")
        if application != APPLICATION_ID and (tables or version or application):
            raise CorruptRecord(
                f"{self.path}: this is another program's SQLite file, no history of the harness."
                " Name another file."
            )
        if version > LATEST:
            raise NewerSchema(
                f"{self.path}: this history has schema {version}, this harness reads up to"
                f" {LATEST}. Upgrade parity-harness, or name another file."
            )
        return version

    def _use_log(self) -> None:
        """Switch to the write-ahead log, which the file remembers. SQLite does not wait for others
        here, so we do."""
        deadline = time.monotonic() + self.busy_s
        while True:
            try:
                with self._engine.connect() as connection:
                    driver = connection.connection.driver_connection
                    assert isinstance(driver, sqlite3.Connection)
                    driver.execute("PRAGMA journal_mode = WAL").fetchall()
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(RETRY_S)


def _refuse_others(path: Path) -> None:
    """Refuse what SQLite might never come back from, before it opens anything.

    It follows a link to the database, and looks for the other files beside what the link leads to.

    Raises:
        UsageError: the database, or a file of its own beside it, is there and is no regular file.
    """
    for base in dict.fromkeys((path, Path(os.path.realpath(path)))):
        for end in BESIDE:
            part = base.with_name(f"{base.name}{end}")
            why = _no_file(part)
            if why:
                raise UsageError(
                    f"{part}: {why}, and only a file can be a part of the history {path}. Move it"
                    " away, or name another history."
                )


def _no_file(path: Path) -> str:
    """Return why something that is there is no regular file; an empty text for all else."""
    try:
        kind = files.kind_of(path.stat().st_mode)
        return f"this is {kind}" if kind else ""
    except OSError:
        return "this link leads to no file" if path.is_symlink() else ""


def _still(path: Path) -> bool:
    """Whether a history is one that we can only read, in a place that takes no files, and that
    nobody has open: SQLite then has to be told that nothing moves, or it wants to make its log."""
    log = path.with_name(f"{path.name}-wal")
    return not log.exists() and files.unwritable(path) is not None


def _integer(connection: Connection, statement: str) -> int:
    return int(connection.exec_driver_sql(statement).scalar_one())


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the database's errors into ours, with what to do."""
    try:
        yield
    except IntegrityError as error:
        # the harness writes nothing that would break a rule of its own tables
        raise _damaged(path, error.orig) from error
    except DBAPIError as error:
        raise _error(path, error.orig) from error
    except (DamagedHistory, NoResultFound, MultipleResultsFound, UnicodeDecodeError) as error:
        raise _damaged(path, error) from error
    except sqlite3.Error as error:
        raise _error(path, error) from error


def _again(path: Path) -> str:
    """Return what to do about a damaged history: one command that finds all runs, nights' too."""
    where = "" if path == DEFAULT else f" --history {shlex.quote(str(path))}"
    return f"Move it away and add the runs again: harness history add reports{where}"


def _damaged(path: Path, error: BaseException | None) -> CorruptRecord:
    why = spell.one_line(str(error))
    return CorruptRecord(f"{path}: this history is damaged, or no history ({why}). {_again(path)}")


def _error(path: Path, error: BaseException | None) -> HarnessError:
    text = str(error)
    if "locked" in text or "busy" in text:
        return Busy(
            f"{path}: other processes have kept the history locked for {BUSY_S:g} s. Try again."
        )
    if any(sign in text for sign in BROKEN):
        return _damaged(path, error)
    cause = _refusal(path, text)
    why = f"{text}: {cause.strerror}" if cause.errno else text
    return RecordError(
        f"{path}: the history cannot be used ({why}). {remedy(cause)}, and try again."
    )


def _refusal(path: Path, text: str) -> OSError:
    """Return what the system refuses. SQLite knows that it cannot open or write a file, and not
    why; so it is tried, and what is there is left as it is."""
    if any(sign in text for sign in FULL):
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    # the log lies beside it
    return files.unusable(path) or files.unwritable(path) or OSError()
