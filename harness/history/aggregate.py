"""Questions to long histories that the database answers itself: a million rows become a few hundred
buckets, and none of them is ever an object here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Table, and_, case, cast, func, select

from harness.errors import UnknownName, UsageError
from harness.history import schema
from harness.history.filters import filters, is_key
from harness.history.model import Bucket, SeriesKey, SpeedKey, StageKey, Wanted

TABLES: dict[type[SeriesKey], Table] = {StageKey: schema.STAGES, SpeedKey: schema.SPEED}
#: What can be summed up. Every one is a number or None.
VALUES: dict[type[SeriesKey], tuple[str, ...]] = {
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

#: Columns before the sums of values, and sums of each value.
FIRST, SUMS = 5, 5


def buckets(
    connection: Connection, key: SeriesKey, values: Sequence[str], count: int, wanted: Wanted
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
    conditions = [table.c.series == series]
    if wanted.since or wanted.until or wanted.hosts:
        conditions.append(table.c.run.in_(select(schema.RUNS.c.number).where(*filters(wanted))))
    edges = select(schema.optional(func.min(time)), schema.optional(func.max(time))).where(
        *conditions
    )
    start, end = connection.execute(edges).one()
    if start is None:
        return {value: [] for value in values}
    stretch = (time - start) * (count / (end - start)) if end > start else 0 * time
    bucket = func.min(cast(stretch, Integer), count - 1)
    sums: list[ColumnElement[Any]] = []
    for value in values:
        finite = case((schema.finite(table.c[value]), table.c[value]))
        least, most = schema.optional(func.min(finite)), schema.optional(func.max(finite))
        # what is no number is read for its type alone
        sums += [func.count(finite), func.total(finite), least, most, schema.odd(table.c[value])]
    query = select(bucket, table.c.verdict, func.count(), func.min(time), func.max(time), *sums)
    by_verdict = query.where(and_(*conditions)).group_by(bucket, table.c.verdict)
    parts: dict[int, list[Sequence[Any]]] = {}
    for row in connection.execute(by_verdict):
        parts.setdefault(row[0], []).append(tuple(row))
    in_order = [parts[number] for number in sorted(parts)]
    summed = {}
    for index, value in enumerate(values):
        at = FIRST + SUMS * index
        summed[value] = [_bucket(of_bucket, at) for of_bucket in in_order]
    return summed


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


def verdicts(
    connection: Connection, kind: type[SeriesKey], wanted: Wanted
) -> dict[str, dict[str, int]]:
    """Return how many rows have which verdict in each night, the oldest first."""
    table = TABLES[kind]
    night = schema.RUNS.c.night
    query = (
        select(night, table.c.verdict, func.count())
        .join(schema.RUNS, schema.RUNS.c.number == table.c.run)
        .join(schema.SERIES, schema.SERIES.c.number == table.c.series)
        .where(*filters(wanted, of_series=True))
        .group_by(night, table.c.verdict)
    )
    by_night: dict[str, dict[str, int]] = {}
    for date, verdict, count in connection.execute(query):
        by_night.setdefault(date, {})[verdict] = count
    return {date: by_night[date] for date in sorted(by_night)}
