"""Histories whose columns hold what SQLite lets lie there and no writer puts there, and every
command that reads one."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from harness.history import schema
from tests.evaluation.hostile.calls import Ended, command
from tests.evaluation.hostile.mutations import Mutation
from tests.evaluation.hostile.stock import Stock

#: What takes the place of a value of any column.
VALUES: dict[str, Any] = {
    "NULL": None,
    "number": 7,
    "negative": -1,
    "zero": 0,
    "fraction": 0.5,
    "largest integer": 2**63 - 1,
    "smallest integer": -(2**63),
    "huge": 1e308,
    "infinite": float("inf"),
    "minus infinite": float("-inf"),
    "text": "other",
    "empty text": "",
    "NaN in words": "NaN",
    "infinity in words": "-Infinity",
    "deep": "[[[",
    "deeper": "[" * 100_000,
    "list": "[]",
    "nulls": '{"stages": null, "summary": null, "logs": 7, "verdict": []}',
    "twice": '{"logs": [], "logs": []}',
    "no finite number": '{"step": NaN, "place": 1e999}',
    "nested": '{"a": ' * 100 + "1" + "}" * 100,
    "path": "../../../../etc/passwd",
    "controls": "\x00\x1b[31mred\x07\x9b2J\u202e\r\n",
    "long text": "long " * 20_000,
    "blob": b"\xff\xfe\x00\x80",
    "empty blob": b"",
}
#: Text that is no UTF-8, which no driver would write as text.
NO_TEXT = "CAST(x'6eff75fe6c' AS TEXT)"
#: Leads nowhere.
NOWHERE = 987_654_321
#: Declarations that let a column hold anything; keys that number rows stay.
DECLARED = re.compile(r"\b(TEXT|FLOAT|JSON|BOOLEAN|INTEGER)\b(?! PRIMARY KEY)( NOT NULL)?")
#: Ends of the names of the files that SQLite keeps beside a database.
OWN = ("-journal", "-wal", "-shm")


@contextlib.contextmanager
def lax(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection to a history that takes any value in any column; afterwards, its tables are
    declared as they were."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        declared = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql != ''"))
        tables = {name: sql for name, sql in declared.items() if "CREATE TABLE" in sql}
        _declare(connection, {name: DECLARED.sub("BLOB", sql) for name, sql in tables.items()})
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection
        _declare(connection, tables)


def _declare(connection: sqlite3.Connection, tables: dict[str, str]) -> None:
    connection.execute("PRAGMA writable_schema = ON")
    for name, sql in tables.items():
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (sql, name))


def put(path: Path, table: str, column: str, value: Any, row: int = 0) -> None:
    """Put a value into a column of one row, whatever the column is for.

    Args:
        path: the history. value: or `NO_TEXT`, as it stands.
        row: which one, counted from 0.
    """
    key = [part.name for part in schema.METADATA.tables[table].primary_key] or ["rowid"]
    with lax(path) as connection:
        names = ", ".join(key)
        which = connection.execute(f"SELECT {names} FROM {table}").fetchall()[row]
        where = " AND ".join(f"{name} IS ?" for name in key)
        put_there, values = (NO_TEXT, ()) if value == NO_TEXT else ("?", (value,))
        connection.execute(
            f"UPDATE {table} SET {column} = {put_there} WHERE {where}",
            (*values, *which),
        )


def _columns(table: Table, foreign: bool) -> list[str]:
    """Return the names of a table's columns, or of those alone that hold keys of others."""
    return [part.name for part in table.c if part.foreign_keys or not foreign]


def _in_any(value: Any, foreign: bool = False) -> Mutation:
    """Return the mutation that puts a value into one column of one row; each table is as likely."""

    def mutate(path: Path, chance: random.Random) -> None:
        tables = schema.METADATA.tables
        columns = {name: _columns(table, foreign) for name, table in tables.items()}
        table = chance.choice(sorted(name for name in columns if columns[name]))
        column = chance.choice(columns[table])
        with contextlib.closing(sqlite3.connect(path)) as connection:
            count = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        # a key that numbers rows takes only numbers, and no column of a key none
        with contextlib.suppress(sqlite3.IntegrityError):
            put(path, table, column, value, chance.randrange(count))

    return mutate


COLUMNS: dict[str, Mutation] = {
    **{f"column: {name}": _in_any(value) for name, value in VALUES.items()},
    "column: no UTF-8": _in_any(NO_TEXT),
    "column: leads nowhere": _in_any(NOWHERE, foreign=True),
    "column: leads nowhere, again": _in_any(-3, foreign=True),
}


def _beside(make: Callable[[Path], None], end: str) -> Mutation:
    def mutate(path: Path, _: random.Random) -> None:
        part = path.with_name(path.name + end)
        part.unlink(missing_ok=True)
        make(part)

    return mutate


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


#: What lies where SQLite keeps its own files.
BESIDE: dict[str, Mutation] = {
    f"beside: {name} {end}": _beside(make, end)
    for end in OWN
    for name, make in (
        ("FIFO", os.mkfifo),
        ("folder", Path.mkdir),
        ("dangling link", _link("nothing-is-here")),
        ("link to a device", _link("/dev/zero")),
    )
}


def _listed(words: list[str], _: Stock, path: Path) -> Ended:
    return command(["history", *words, "--history", str(path)])


def _series(stock: Stock, path: Path) -> Ended:
    """List all series, and show one of stages and one of speed."""
    one = ["series", "--workloads", "cnn", "--precision", "fp32", "--of"]
    return _first(
        lambda: _listed(["series"], stock, path),
        lambda: _listed([*one, "weights"], stock, path),
        lambda: _listed([*one, "train"], stock, path),
    )


def _export(stock: Stock, path: Path) -> Ended:
    """Write every table."""
    tables = ("results", "rounds", "jobs", "quality", "runs", "builds", "packages", "ports")
    out = str(path.with_name("out.csv"))
    return _first(
        *(
            functools.partial(_listed, ["export", "--csv", out, "--table", table], stock, path)
            for table in tables
        )
    )


def _page(stock: Stock, path: Path) -> Ended:
    return _listed(["page", "--out", str(path.with_name("out.html"))], stock, path)


def _add(stock: Stock, path: Path) -> Ended:
    """Add runs that are there already, one of them, and then look at what there is."""
    runs = [str(stock.root / "timed" / name) for name in ("0", "1")]
    return _first(
        lambda: command(["history", "add", *runs, "--history", str(path)]),
        lambda: _listed([], stock, path),
    )


def _first(*calls: Callable[[], Ended]) -> Ended:
    """Return how the first call ended that did not end well, or the last one."""
    for call in calls:
        ended = call()
        if ended.code != 0 or ended.crashed or ended.controls:
            break
    return ended


READERS: dict[str, Callable[[Stock, Path], Ended]] = {
    "history": lambda stock, path: _listed([], stock, path),
    "history series": _series,
    "history export": _export,
    "history page": _page,
    "history add": _add,
}
