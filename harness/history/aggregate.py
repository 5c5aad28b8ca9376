"""Questions to long histories that the database answers itself: a million rows become a few hundred
buckets, and none of them is ever an object here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Table, and_, case, cast, func, select

from harness.errors import UnknownName, UsageError
from harness.history import schema
from harness.history.model import Bucket, Key, SpeedKey, StageKey, Wanted
from harness.history.query import filters, is_key

TABLES: dict[type[Key], Table] = {StageKey: schema.STAGES, SpeedKey: schema.SPEED}
#: What can be summed up. Every one is a number or None.
VALUES: dict[type[Key], tuple[str, ...]] = {
    StageKey: ("error", "floor", "threshold", "max_error"),
    SpeedKey: (
        "ratio",
        "low",
        "high",
        "a_step_s",
        "b_step_s",
        "a_rate",
        "b_rate",
        "a_warmup_s",
        "b_warmup_s",
        "a_peak_bytes",
        "b_peak_bytes",
    ),
}


def buckets(
    connection: Connection, key: Key, values: Sequence[str], count: int, wanted: Wanted
) -> dict[str, list[Bucket]]:
    """Return some numbers of a series, each summed up in at most `count` stretches of equal
    duration, in time order; empty ones are left out. All are read in one pass.

    Raises:
        UnknownName: such rows have no such number. UsageError: a count below 1.
    """
    table, known = TABLES[type(key)], VALUES[type(key)]
    for value in values:
        if value not in known:
            raise UnknownName("value", value, known)
    if count < 1:
        raise UsageError(f"buckets: {count} is too few; ask for at least 1.")
    time = table.c.created_s
    series = connection.execute(
        select(schema.SERIES.c.number).where(is_key(key))
    ).scalar_one_or_none()
    asked = [table.c.series == series]
    if wanted.since or wanted.until or wanted.hosts:
        asked.append(table.c.run.in_(select(schema.RUNS.c.number).where(*filters(wanted))))
    start, end = connection.execute(select(func.min(time), func.max(time)).where(*asked)).one()
    if start is None:
        return {value: [] for value in values}
    place = (
        cast((time - start) * (count / (end - start)), Integer)
        if end > start
        else cast(0 * time, Integer)
    )
    bucket = func.min(place, count - 1)
    sums: list[ColumnElement[Any]] = []
    for value in values:
        finite = case((schema.finite(table.c[value]), table.c[value]))
        sums += [func.count(finite), func.total(finite), func.min(finite), func.max(finite)]
    query = select(bucket, table.c.verdict, func.count(), func.min(time), func.max(time), *sums)
    parts: dict[int, list[Sequence[Any]]] = {}
    for row in connection.execute(query.where(and_(*asked)).group_by(bucket, table.c.verdict)):
        parts.setdefault(row[0], []).append(tuple(row))
    return {
        value: [_bucket(parts[one], FIRST + SUMS * place) for one in sorted(parts)]
        for place, value in enumerate(values)
    }


#: Columns before the sums of values, and sums of each value.
FIRST, SUMS = 5, 4


def _bucket(parts: Sequence[Sequence[Any]], at: int) -> Bucket:
    """Return one bucket of the value whose sums begin `at` a column, from its parts, one a
    verdict."""
    values = sum(row[at] for row in parts)
    return Bucket(
        start_s=min(row[3] for row in parts),
        end_s=max(row[4] for row in parts),
        rows=sum(row[2] for row in parts),
        values=values,
        mean=sum(row[at + 1] for row in parts) / values if values else None,
        low=min((row[at + 2] for row in parts if row[at]), default=None),
        high=max((row[at + 3] for row in parts if row[at]), default=None),
        verdicts={row[1]: row[2] for row in sorted(parts, key=lambda row: str(row[1]))},
    )


def verdicts(connection: Connection, kind: type[Key], wanted: Wanted) -> dict[str, dict[str, int]]:
    """Return how many rows have which verdict in each night, the oldest first."""
    table = TABLES[kind]
    query = select(schema.RUNS.c.night, table.c.verdict, func.count()).join(
        schema.RUNS, schema.RUNS.c.number == table.c.run
    )
    query = query.join(schema.SERIES, schema.SERIES.c.number == table.c.series).where(
        *filters(wanted, of_series=True)
    )
    found: dict[str, dict[str, int]] = {}
    for night, verdict, count in connection.execute(
        query.group_by(schema.RUNS.c.night, table.c.verdict)
    ):
        found.setdefault(night, {})[verdict] = count
    return {night: found[night] for night in sorted(found)}
