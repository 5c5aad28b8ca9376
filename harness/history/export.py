"""A history as a table for other programs: CSV by the standard library, or Parquet by pyarrow.

Both are streamed. A row that a table has no number for has an empty cell in CSV and a null in
Parquet. Numbers that are not finite are "NaN", "inf" and "-inf" in CSV, and themselves in Parquet;
pandas reads an empty cell and NaN as the same.
"""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    func,
    null,
    or_,
    select,
)
from sqlalchemy.types import TypeEngine

from harness.errors import UnknownName, UsageError, remedy
from harness.history import schema
from harness.history.columns import KINDS, CheckedType
from harness.history.database import Database
from harness.history.fields import OURS
from harness.history.filters import filters, has_side, of_rows
from harness.history.model import Wanted
from harness.records import files

#: Rows that are in memory at a time.
BATCH = 20_000
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
#: Of its run and its host, in front of every row; of its key, behind them.
RUN: tuple[ColumnElement[Any], ...] = (
    schema.RUNS.c.id.label("run"),
    *(
        schema.RUNS.c[name]
        for name in ("night", "created", "created_s", "harness_version", "revision")
    ),
    func.coalesce(schema.HOSTS.c.fingerprint, "").label("host"),
)
KEY = (schema.SERIES.c.kind, *(schema.SERIES.c[name] for name in schema.KEY))
OF_SERIES = (schema.STAGES, schema.SPEED)
#: Columns of runs, of their hosts, and of rounds.
OF_RUN = ("title", "command", "fidelity", "headline", "exit_code", "folder")
OF_HOST = ("cpu", "cores", "machine", "system", "accelerator")
OF_ROUND = ("number", "log_ratio", "a_step_s", "b_step_s")
#: What can be exported: all rows of series, or one of the tables.
RESULTS = "results"
NAMES = (
    RESULTS,
    "stages",
    "speed",
    "rounds",
    "jobs",
    "quality",
    "runs",
    "builds",
    "packages",
    "ports",
)
#: Tables whose rows are of a series, and can be chosen by what it is of; `runs` by what rows they
#: have.
KEYED = (RESULTS, "stages", "speed", "rounds", "runs")
#: Of the other tables: the column that a filter of `Wanted` asks, and the filter's option. A
#: `subject` is told by a key alone.
OWN_FILTERS = {
    "workloads": ("workload", "--workloads"),
    "builds": ("build", "--builds"),
    "presets": ("preset", "--presets"),
    "precisions": ("precision", "--precision"),
    "subjects": ("subject", "--of"),
}
Batches = Iterator[list[Sequence[Any]]]
Kinds = dict[str, type]


@dataclasses.dataclass(frozen=True)
class Sheet:
    """What is written: the columns' names and kinds, and the queries whose rows follow in turn."""

    kinds: Kinds
    queries: tuple[Select[Any], ...]


def export(database: Database, path: Path, name: str, form: str, wanted: Wanted) -> int:
    """Write a table to a file, as a whole or not at all; return its number of rows.

    Args:
        name: one of `NAMES`.
        form: `csv` or `parquet`.
        wanted: nights and hosts; of rows that have a key, also what the key tells; of others, what
            they tell themselves; runs that have a row of it.

    Raises:
        UnknownName: no such table.
        UsageError: the table does not tell what is wanted, the file cannot be written, or pyarrow
            is missing.
    """
    if name not in NAMES:
        raise UnknownName("table", name, NAMES)
    write = _parquet() if form == "parquet" else _csv
    sheet = _sheet(name, wanted)
    try:
        with files.replacing(path) as temporary, database.reading() as connection:
            return write(temporary, sheet.kinds, _batches(connection, sheet))
    except OSError as error:
        raise UsageError(
            f"--{form} {path}: cannot be written ({error.strerror}). {remedy(error)}."
        ) from error


def _batches(connection: Connection, sheet: Sheet) -> Batches:
    for query in sheet.queries:
        for batch in connection.execute(query, execution_options={"yield_per": BATCH}).partitions():
            yield [_row(row, sheet.kinds) for row in batch]


def _row(row: Sequence[Any], kinds: Kinds) -> list[Any]:
    return [
        None if value is None else _cell(value, kind)
        for value, kind in zip(row, kinds.values(), strict=True)
    ]


def _cell(value: Any, kind: type) -> Any:
    if kind is float and isinstance(value, str):
        return NOT_FINITE.get(value, value)
    return kind(value)


def _csv(path: Path, kinds: Kinds, batches: Batches) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(kinds)
        for batch in batches:
            writer.writerows(_words(row) for row in batch)
            count += len(batch)
    return count


def _words(row: Sequence[Any]) -> list[Any]:
    """Return a row with the word for NaN, which alone is not itself."""
    return ["NaN" if value != value else value for value in row]  # noqa: PLR0124


def _parquet() -> Callable[[Path, Kinds, Batches], int]:
    """Return the writer, before anything is asked of the database.

    Raises:
        UsageError: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            "--parquet: Parquet is written by pyarrow, which is not installed. Install it: pip"
            " install 'parity-harness[parquet]'. Or take --csv, which needs nothing."
        ) from error
    types: Mapping[type, Any] = {
        str: pyarrow.string(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        bool: pyarrow.bool_(),
    }

    def write(path: Path, kinds: Kinds, batches: Batches) -> int:
        form, count = pyarrow.schema([(name, types[kind]) for name, kind in kinds.items()]), 0
        # an open file: pyarrow takes no path that is not UTF-8
        with path.open("wb") as file, parquet.ParquetWriter(file, form) as writer:
            for batch in batches:
                columns = [
                    pyarrow.array(column, field.type)
                    for column, field in zip(zip(*batch, strict=True), form, strict=True)
                ]
                writer.write_table(pyarrow.table(columns, form))
                count += len(batch)
        return count

    return write


def _sheet(name: str, wanted: Wanted) -> Sheet:
    if name == RESULTS:
        return _results(wanted)
    table = schema.METADATA.tables[name]
    if name == "runs":
        columns = [*RUN, *_named(table, OF_RUN), *_of_host()]
    elif name == "rounds":
        columns = [*RUN, *KEY, schema.SPEED.c.source_hash, *_named(table, OF_ROUND)]
    else:
        columns = [*RUN, *(KEY if table in OF_SERIES else ()), *_own(table)]
    return Sheet(_kinds(columns), (_query(table, columns, wanted),))


def _results(wanted: Wanted) -> Sheet:
    """Return all rows of series on one sheet, which has the columns of all their tables."""
    # The first table that has a name tells its place, the last one its kind.
    own = {column.name: column for table in OF_SERIES for column in _own(table)}
    queries = []
    for table in OF_SERIES:
        part = [table.c[name] if name in table.c else null().label(name) for name in own]
        queries.append(_query(table, [*RUN, *KEY, *part], wanted))
    return Sheet(_kinds([*RUN, *KEY, *own.values()]), tuple(queries))


def _named(table: Table, names: Sequence[str]) -> list[Column[Any]]:
    return [table.c[name] for name in names]


def _of_host() -> list[ColumnElement[Any]]:
    """Return what is told of a run's host, which may be unknown."""
    return [schema.optional(schema.HOSTS.c[name]).label(name) for name in OF_HOST]


def _own(table: Table) -> list[Column[Any]]:
    """Return what a table tells beside numbers of other tables."""
    hidden = (OURS - {"source_hash"}) | {"reported"}
    return [column for column in table.c if column.name not in hidden]


def _kinds(columns: Sequence[ColumnElement[Any]]) -> Kinds:
    return {str(column.key): _exported(column.type) for column in columns}


def _exported(kind: TypeEngine[Any]) -> type:
    return KINDS[kind.kind].exported if isinstance(kind, CheckedType) else str


def _query(table: Table, columns: Sequence[ColumnElement[Any]], wanted: Wanted) -> Select[Any]:
    """Return the query for a table's rows in the order in which they were added."""
    rows = schema.SPEED if table is schema.ROUNDS else table
    query = select(*columns).select_from(table)
    if table is schema.ROUNDS:
        query = query.join(rows, rows.c.number == table.c.speed)
    if rows in OF_SERIES:
        query = query.join(schema.SERIES, schema.SERIES.c.number == rows.c.series)
    if rows is not schema.RUNS:
        query = query.join(schema.RUNS, schema.RUNS.c.number == rows.c.run)
    query = query.outerjoin(schema.HOSTS, schema.HOSTS.c.number == schema.RUNS.c.host)
    conditions = filters(wanted, of_series=rows in OF_SERIES)
    if rows is schema.RUNS:
        conditions += of_rows(wanted)
    elif rows not in OF_SERIES:
        conditions += _of_own(table, wanted)
    return query.where(*conditions).order_by(*table.primary_key or [schema.RUNS.c.number])


def _of_own(table: Table, wanted: Wanted) -> list[ColumnElement[bool]]:
    """Return what a filter asks of a table without a key, by its own columns.

    Raises:
        UsageError: it asks for what the table does not tell.
    """
    chosen = [
        (getattr(wanted, name), column, option)
        for name, (column, option) in OWN_FILTERS.items()
        if getattr(wanted, name)
    ]
    refused = [
        f"{option} {' '.join(values)}" for values, column, option in chosen if column not in table.c
    ]
    if refused:
        can = [option for column, option in OWN_FILTERS.values() if column in table.c]
        raise UsageError(
            f"--table {table.name}: its rows cannot be chosen by {' and '.join(refused)};"
            f" {', '.join(can)}, --since, --until and --hosts can. Tables that can be:"
            f" {', '.join(KEYED)}."
        )
    return [_condition(table, column, values) for values, column, _ in chosen]


def _condition(table: Table, column: str, values: Sequence[str]) -> ColumnElement[bool]:
    """Return that a row has one of some values; of a build, that it is a side."""
    if column == "build":
        return or_(*(has_side(table.c.build, build) for build in values))
    return table.c[column].in_(values)
