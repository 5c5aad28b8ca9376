"""Questions to a history about its series: their keys, and their points, row by row."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, Table, func, select

from harness.history import restore, schema
from harness.history.filters import KIND, KeyOf, filters, is_key, of_key, pieces
from harness.history.model import SpeedKey, SpeedPoint, SpeedRound, StageKey, StagePoint, Wanted


def keys(connection: Connection, kind: type[KeyOf], wanted: Wanted) -> list[KeyOf]:
    """Return the keys of all series of one kind, sorted."""
    columns = [schema.SERIES.c[name] for name in schema.KEY]
    query = select(*columns).where(schema.SERIES.c.kind == KIND[kind], *of_key(wanted))
    return sorted(kind(**row) for row in connection.execute(query).mappings())


def stage_series(connection: Connection, key: StageKey, wanted: Wanted) -> list[StagePoint]:
    """Return a stage's rows in time order."""
    stored = _points(connection, schema.STAGES, key, wanted)
    rows = restore.stage_rows(stored)
    return [StagePoint(*_when(point), row=row) for point, row in zip(stored, rows, strict=True)]


def speed_series(connection: Connection, key: SpeedKey, wanted: Wanted) -> list[SpeedPoint]:
    """Return an action's rows in time order, with their rounds."""
    stored = _points(connection, schema.SPEED, key, wanted)
    rows = restore.speed_rows(stored)
    rounds = _rounds(connection, [point["number"] for point in stored])
    return [
        SpeedPoint(*_when(point), row=row, rounds=tuple(rounds.get(point["number"], ())))
        for point, row in zip(stored, rows, strict=True)
    ]


def _points(
    connection: Connection, table: Table, key: StageKey | SpeedKey, wanted: Wanted
) -> Sequence[RowMapping]:
    """Return the rows of a series; with a limit, the newest so many."""
    runs = schema.RUNS
    extra = [
        runs.c.id,
        runs.c.night,
        runs.c.revision,
        func.coalesce(schema.HOSTS.c.fingerprint, "").label("host"),
    ]
    query = restore.joined(table).add_columns(*extra).join(runs, runs.c.number == table.c.run)
    query = query.outerjoin(schema.HOSTS, schema.HOSTS.c.number == runs.c.host)
    query = query.where(is_key(key), *filters(wanted))
    query = query.order_by(table.c.created_s.desc(), table.c.number.desc()).limit(wanted.limit)
    return connection.execute(query).mappings().all()[::-1]


def _when(row: RowMapping) -> tuple[str, str, float, str, str, str]:
    """Return the fields of a `Point`."""
    return (
        row["id"],
        row["night"],
        row["created_s"],
        row["revision"],
        row["source_hash"],
        row["host"],
    )


def _rounds(connection: Connection, numbers: Sequence[int]) -> dict[int, list[SpeedRound]]:
    by_row: dict[int, list[SpeedRound]] = {}
    rounds = schema.ROUNDS.c
    for piece in pieces(numbers):
        query = select(schema.ROUNDS).where(rounds.speed.in_(piece))
        for row in connection.execute(query.order_by(rounds.speed, rounds.number)):
            by_row.setdefault(row.speed, []).append(
                SpeedRound(row.number, row.log_ratio, row.a_step_s, row.b_step_s)
            )
    return by_row
