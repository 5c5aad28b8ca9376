"""Every schema that ever was is read: frozen files of each become today's, with everything in
them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine

from harness.errors import CorruptRecord, NewerSchema, RecordError
from harness.history import SpeedKey, StageKey, database, migrations, open_history, schema
from harness.report import json_format

FROZEN = Path(__file__).parents[2] / "data" / "history"
VERSIONS = range(1, migrations.LATEST + 1)


def thaw(version: int, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    connection.executescript((FROZEN / f"version{version}.sql").read_text(encoding="utf-8"))
    connection.close()
    return path


def shape(connection: sqlite3.Connection) -> set[str]:
    return {
        " ".join(row[0].split())
        for row in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
    }


def version_of(path: Path) -> int:
    connection = sqlite3.connect(path)
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return int(found)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_frozen_file_of_every_schema_is_read(version: int, path: Path):
    """The real run in it comes out as it went in, with its rounds, and the file is of today's
    schema afterwards."""
    frozen = json_format.from_json((FROZEN / "report.json").read_text(encoding="utf-8"))
    with open_history(thaw(version, path), create=False) as history:
        (run,) = history.runs()
        assert frozen == history.report(run.id)
        assert ("fp64", 1) == (history.stage_keys()[0].precision, history.stage_keys()[0].threads)
        (point,) = history.series(history.speed_keys()[1])
        assert (point.row, 5) == (frozen.speed[0], len(point.rounds))
        assert (version >= 2) == (run.host is not None) == bool(point.host)
        assert not history.add(frozen).new
        assert [] == history.faults()
    assert migrations.LATEST == version_of(path)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_step_that_was_released_never_changes(version: int, tmp_path: Path):
    """The steps up to a version make exactly the tables that its frozen file has."""
    made, frozen = (
        sqlite3.connect(":memory:"),
        sqlite3.connect(thaw(version, tmp_path / "frozen.sqlite")),
    )
    for step in migrations.STEPS[:version]:
        for statement in step.statements:
            made.execute(statement)
    assert shape(frozen) == shape(made)
    made.close()
    frozen.close()


def test_all_steps_together_make_the_tables_that_queries_are_written_for(path: Path):
    """Tables, columns, types, and what may be missing: `schema` says what `migrations` does."""
    open_history(path).close()
    engine, found = create_engine(f"sqlite:///{path}"), MetaData()
    found.reflect(engine)
    engine.dispose()
    for name, table in schema.METADATA.tables.items():
        told = {
            column.name: (str(column.type), column.nullable or column.primary_key)
            for column in table.c
        }
        met = {
            column.name: (str(column.type), column.nullable or column.primary_key)
            for column in found.tables[name].c
        }
        assert told == met, name
    assert set(schema.METADATA.tables) == set(found.tables)


def test_a_step_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch):
    """A later step that breaks, after it has changed a table, is undone with all the others."""
    broken = migrations.Migration(
        "breaks", ("ALTER TABLE runs ADD COLUMN more_still TEXT", "INSERT INTO nowhere VALUES (1)")
    )
    with monkeypatch.context() as patch:
        patch.setattr(database, "STEPS", (*migrations.STEPS, broken))
        patch.setattr(database, "LATEST", migrations.LATEST + 1)
        with pytest.raises(RecordError, match="nowhere"):
            open_history(thaw(1, path))
    assert 1 == version_of(path)
    with open_history(path) as history:
        assert 1 == history.count()["runs"]


def test_a_newer_schema_is_refused(path: Path):
    """The message has both numbers and what to do."""
    open_history(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(
        NewerSchema, match=f"schema 99, this harness reads up to {migrations.LATEST}. Upgrade"
    ):
        open_history(path)
    assert 99 == version_of(path)


def test_another_programs_database_is_left_alone(path: Path):
    """An SQLite file with tables that are not ours is not written to."""
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(CorruptRecord, match="another program"):
        open_history(path)
    assert before == path.read_bytes()


def test_keys_of_both_kinds_cover_the_columns():
    """A key's fields are the columns of a series."""
    assert (
        schema.KEY == tuple(StageKey.__dataclass_fields__) == tuple(SpeedKey.__dataclass_fields__)
    )
