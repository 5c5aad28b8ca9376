"""Histories in which a value is not what its column is for: told, and never a traceback."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import CorruptRecord, UsageError
from harness.history import History, SpeedKey, Wanted, charts, columns, open_history, schema, tables
from tests.evaluation.hostile import histories, sockets

#: Table, column, value, and what is said of it.
VALUES = [
    ("runs", "records", "NaN", "runs.records is 'NaN', which is no whole number"),
    ("runs", "created_s", "NaN", "runs.created_s is 'NaN', which are no seconds since 1970"),
    ("runs", "created_s", 1e308, "runs.created_s is 1e.308, which are no seconds since 1970"),
    ("runs", "more", "[[[", r"runs.more is '\[\[\[', which is no JSON"),
    ("runs", "more", "[" * 100_000, r"runs.more is '\[{59}\.\.\., which is no JSON"),
    ("runs", "more", "[]", r"runs.more is '\[\]', which is no object"),
    ("runs", "more", '{"a": 1, "a": 2}', "has the name 'a' twice"),
    ("runs", "id", None, "runs.id is None, which is no text"),
    ("runs", "title", 7, "runs.title is 7, which is no text"),
    ("runs", "title", histories.NO_TEXT, r"runs.title is 'n\\udcffu\\udcfel', which is no UTF-8"),
    ("hosts", "fingerprint", b"\xff", r"hosts.fingerprint is b'\\xff', which is no text"),
    ("hosts", "cores", 0.5, "hosts.cores is 0.5, which is no whole number"),
    ("builds", "reported", 7, "builds.reported is 7, which is neither 0 nor 1"),
    ("packages", "build", "nulpy#2", "packages.build is 'nulpy#2', which its run has no build of"),
    ("stages", "verdict", None, "stages.verdict is None, which is no text"),
    ("stages", "run", 987_654, "stages.run of row 1 is 987654, which is no row of runs"),
    ("speed", "series", -3, "speed.series of row 1 is -3, which is no row of series"),
    ("runs", "host", 987_654, "runs.host of row 1 is 987654, which is no row of hosts"),
    ("rounds", "speed", 987_654, "rounds.speed of a row has a value that is no row of speed"),
]


@pytest.fixture
def stored(path: Path, sample, tmp_path: Path) -> Path:
    """A history with two runs, and rows in all tables."""
    with open_history(path) as history:
        for number in range(2):
            folder = tmp_path / str(number)
            history.add(sample.write(folder, sample.report(number)), folder)
        assert all(history.count().values())
    return path


def look(path: Path) -> None:
    """Ask a history everything that the commands ask."""
    with open_history(path, create=False) as history:
        for row in history.runs():
            history.report(row.id)
        history.nights()
        for key in (*history.stage_keys(), *history.speed_keys()):
            history.series(key)
        charts.drawn(history)
        for table in ("results", "rounds", "jobs", "quality", "runs", "builds", "ports"):
            history.export(path.with_name("out.csv"), table)


@pytest.mark.parametrize(
    ("table", "column", "value", "told"), VALUES, ids=[item[3][:40] for item in VALUES]
)
def test_a_value_of_another_kind_is_told(
    stored: Path, table: str, column: str, value: Any, told: str
):
    """With the file, the table, the column, the value, and what to do; the file stays as it is."""
    look(stored)
    histories.put(stored, table, column, value)
    before = stored.read_bytes()
    with pytest.raises(CorruptRecord, match=told) as caught:
        look(stored)
    text = str(caught.value)
    assert str(stored) in text and "harness history add" in text and text.isprintable()
    assert before == stored.read_bytes() and len(text) < 900


@pytest.mark.parametrize("value", ["other", b"", float("inf"), float("-inf")])
def test_a_number_that_is_none_is_not_left_out_of_a_sum(stored: Path, value: object):
    """What the database sums up itself is looked at too."""
    histories.put(stored, "speed", "ratio", value)
    with (
        open_history(stored) as history,
        pytest.raises(CorruptRecord, match=r"speed\.ratio is .*, which is neither"),
    ):
        charts.drawn(history, Wanted(subjects=("train",)))


@pytest.mark.parametrize(("table", "column"), [("runs", "created_s"), ("jobs", "job")])
def test_adding_to_a_damaged_history(stored: Path, sample, table: str, column: str):
    """The run's own old rows are read, and told."""
    histories.put(stored, table, column, None)
    more = sample.continued(sample.report())
    with open_history(stored) as history, pytest.raises(CorruptRecord, match=f"{table}.{column}"):
        history.report(history.add(more).id) and history.runs()


def test_numbers_of_rows_that_are_used_up(stored: Path, sample):
    """The largest number that there is has no next one."""
    histories.put(stored, "quality", "number", 2**63 - 1)
    with open_history(stored) as history, pytest.raises(CorruptRecord, match=r"quality\.number"):
        history.add(sample.report(5))


def test_every_column_is_checked():
    """No column of any table has a type of SQLAlchemy's own, and each knows its name."""
    for table in schema.METADATA.tables.values():
        for column in table.c:
            assert isinstance(column.type, columns.CheckedType)
            assert f"{table.name}.{column.name}" == column.type.place


def test_a_type_that_checks_nothing_is_noticed(stored: Path, monkeypatch: pytest.MonkeyPatch):
    """A planted fault: without the boundary, a value of another kind gets through."""
    monkeypatch.setattr(columns.CheckedType, "process_result_value", lambda _, value, __: value)
    histories.put(stored, "runs", "created_s", "NaN")
    with pytest.raises(TypeError), open_history(stored) as history:
        tables.runs(history.runs())


def test_words_of_numbers_and_old_rows_stay(history: History, sample):
    """What a writer puts there is no damage: NaN and infinities as words, and no value at all."""
    history.add(sample.report())
    keys = history.speed_keys()
    rows = [point.row for key in keys for point in history.series(key)]
    assert {float("inf"), 1.35} == {row.high for row in rows} and isinstance(keys[0], SpeedKey)
    assert None in {row.ratio for row in rows}


def test_a_schema_with_names_that_are_no_text(stored: Path):
    """SQLite's own message is no UTF-8 then."""
    with contextlib.closing(sqlite3.connect(stored, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = CAST(x'435245415445ff' AS TEXT),"
            " name = CAST(x'ffff' AS TEXT) WHERE name = 'rounds'"
        )
    with pytest.raises(CorruptRecord, match="damaged"):
        look(stored)


KINDS: dict[str, Callable[[Path], None]] = {
    "a FIFO": os.mkfifo,
    "a socket": sockets.bind,
    "a folder": Path.mkdir,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "leads to no file": lambda path: path.symlink_to("nowhere"),
}


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("end", ["", "-journal", "-wal", "-shm"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_refused_before_it_is_opened(
    stored: Path, kind: str, end: str, create: bool
):
    """SQLite would wait for a FIFO for ever; a link to the history leads to the same place."""
    part = stored.with_name(stored.name + end)
    part.unlink(missing_ok=True)
    KINDS[kind](part)
    with pytest.raises(UsageError, match=kind) as caught:
        open_history(stored, create=create)
    assert str(part) in str(caught.value) and os.path.lexists(part)
    if end:
        link = stored.with_name("link.sqlite")
        link.symlink_to(stored.name)
        with pytest.raises(UsageError, match=kind) as caught:
            open_history(link, create=create)
        assert str(part) in str(caught.value)
