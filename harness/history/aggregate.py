"""Questions to long histories that the database answers itself: a million rows become a few hundred buckets, and none of them
is ever an object here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Integer, Table, and_, case, cast, func, select

from harness.errors import UnknownName, UsageError
from harness.history import schema
from harness.history.model import Bucket, Key, SpeedKey, StageKey, Wanted
from harness.history.query import filters, is_key

TABLES: dict[type[Key], Table] = {StageKey: schema.STAGES, SpeedKey: schema.SPEED}
#: What can be summed up. Every one is a number or None.
VALUES: dict[type[Key], tuple[str, ...]] = {
    StageKey: ("error", "floor", "threshold", "max_error"),
    SpeedKey: (
        "ratio", "low", "high", "a_step_s", "b_step_s", "a_rate", "b_rate", "a_warmup_s", "b_warmup_s", "a_peak_bytes", "b_peak_bytes",
    ),
}


def buckets(connection: Connection, key: Key, value: str, count: int, wanted: Wanted) -> list[Bucket]:
    """Return a series summed up in at most `count` stretches of equal duration, in time order; empty ones are left out.

    Raises:
        UnknownName: such rows have no such number. UsageError: a count below 1.
    """
    table, known = TABLES[type(key)], VALUES[type(key)]
    if value not in known:
        raise UnknownName("value", value, known)
    if count < 1:
        raise UsageError(f"buckets: {count} is too few; ask for at least 1.")
    time, number = table.c.created_s, table.c[value]
    series = connection.execute(select(schema.SERIES.c.number).where(is_key(key))).scalar_one_or_none()
    asked = [table.c.series == series]
    if wanted.since or wanted.until or wanted.hosts:
        asked.append(table.c.run.in_(select(schema.RUNS.c.number).where(*filters(wanted))))
    start, end = connection.execute(select(func.min(time), func.max(time)).where(*asked)).one()
    if start is None:
        return []
    place = cast((time - start) * (count / (end - start)), Integer) if end > start else cast(0 * time, Integer)
    bucket = func.min(place, count - 1)
    finite = case((schema.finite(number), number))
    query = select(
        bucket, table.c.verdict, func.count(), func.count(finite), func.total(finite), func.min(finite), func.max(finite),
        func.min(time), func.max(time),
    ).where(and_(*asked)).group_by(bucket, table.c.verdict)
    parts: dict[int, list[Sequence[Any]]] = {}
    for row in connection.execute(query):
        parts.setdefault(row[0], []).append(tuple(row))
    return [_bucket(parts[one]) for one in sorted(parts)]


def _bucket(parts: Sequence[Sequence[Any]]) -> Bucket:
    """Return one bucket from its parts, one a verdict."""
    values = sum(row[3] for row in parts)
    return Bucket(
        start_s=min(row[7] for row in parts), end_s=max(row[8] for row in parts), rows=sum(row[2] for row in parts), values=values,
        mean=sum(row[4] for row in parts) / values if values else None,
        low=min((row[5] for row in parts if row[3]), default=None), high=max((row[6] for row in parts if row[3]), default=None),
        verdicts={row[1]: row[2] for row in sorted(parts, key=lambda row: str(row[1]))},
    )


def verdicts(connection: Connection, kind: type[Key], wanted: Wanted) -> dict[str, dict[str, int]]:
    """Return how many rows have which verdict in each night, the oldest first."""
    table = TABLES[kind]
    query = select(schema.RUNS.c.night, table.c.verdict, func.count()).join(schema.RUNS, schema.RUNS.c.number == table.c.run)
    query = query.join(schema.SERIES, schema.SERIES.c.number == table.c.series).where(*filters(wanted, of_series=True))
    found: dict[str, dict[str, int]] = {}
    for night, verdict, count in connection.execute(query.group_by(schema.RUNS.c.night, table.c.verdict)):
        found.setdefault(night, {})[verdict] = count
    return {night: found[night] for night in sorted(found)}
