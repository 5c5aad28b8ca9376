"""Which rows are meant, as conditions in SQL: keys of series, and what `Wanted` chooses."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, func, or_, select

from backends.contract import PRECISIONS
from harness.history import schema
from harness.history.model import FIDELITY, SPEED, SeriesKey, SpeedKey, StageKey, Wanted

KeyOf = TypeVar("KeyOf", bound=SeriesKey)
KIND: dict[type[SeriesKey], str] = {StageKey: FIDELITY, SpeedKey: SPEED}
#: As many numbers are looked up at once: older releases of SQLite take 999 parameters.
PIECE = 500


def pieces(numbers: Sequence[int]) -> Iterable[Sequence[int]]:
    """Return numbers of rows in pieces that one query can ask for."""
    return (numbers[start : start + PIECE] for start in range(0, len(numbers), PIECE))


def is_key(key: SeriesKey) -> ColumnElement[bool]:
    """Whether a row of `series` has this key."""
    values = dataclasses.asdict(key)
    return and_(
        schema.SERIES.c.kind == KIND[type(key)],
        *(schema.SERIES.c[name] == values[name] for name in schema.KEY),
    )


def filters(wanted: Wanted, of_series: bool = False) -> list[ColumnElement[bool]]:
    """Return what a filter asks of `runs`, and, where it is joined, of `series`."""
    night = schema.RUNS.c.night
    conditions: list[ColumnElement[bool]] = []
    if wanted.since:
        conditions.append(night >= wanted.since)
    if wanted.until:
        conditions.append(night <= wanted.until)
    if wanted.hosts:
        hosts = select(schema.HOSTS.c.number).where(schema.HOSTS.c.fingerprint.in_(wanted.hosts))
        conditions.append(schema.RUNS.c.host.in_(hosts))
    return [*conditions, *of_key(wanted)] if of_series else conditions


def of_key(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Return what a filter asks of `series`."""
    column = schema.SERIES.c
    named = (
        (column.workload, wanted.workloads),
        (column.preset, wanted.presets),
        (column.precision, wanted.precisions),
        (column.subject, wanted.subjects),
    )
    conditions: list[ColumnElement[bool]] = [names.in_(values) for names, values in named if values]
    if wanted.builds:
        of_sides = (side(name, build) for name in (column.a, column.b) for build in wanted.builds)
        conditions.append(or_(*of_sides))
    return conditions


def of_rows(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Return what a filter asks of `runs` by their rows: that a run has one of what is wanted."""
    about = of_key(wanted)
    if not about:
        return []
    having = (
        select(rows.c.run)
        .join(schema.SERIES, schema.SERIES.c.number == rows.c.series)
        .where(*about)
        for rows in (schema.STAGES, schema.SPEED)
    )
    return [or_(*(schema.RUNS.c.number.in_(runs) for runs in having))]


def side(column: ColumnElement[str], build: str) -> ColumnElement[bool]:
    """Whether a side is of a build: `torch`, `torch#2`, `torch@mine`, `torch-fp32` of a gain,
    `torch fp64` of a precision's bounds."""
    return or_(
        column.in_([build, *(f"{build}-{precision}" for precision in PRECISIONS)]),
        *(column.startswith(build + sign, autoescape=True) for sign in ("#", "@", " ")),
    )


def has_side(column: ColumnElement[str], build: str) -> ColumnElement[bool]:
    """Whether one of the sides that a text lists is of a build: `tf2 torch` of a round; of other
    jobs there is one."""
    listed = " " + column + " "
    names = (
        f"{build} ",
        f"{build}#",
        f"{build}@",
        *(f"{build}-{precision} " for precision in PRECISIONS),
    )
    return or_(*(func.instr(listed, f" {name}") > 0 for name in names))
