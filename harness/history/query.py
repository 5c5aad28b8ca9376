"""Questions to a history that are answered row by row: runs, nights, the points of a series."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, func, or_, select

from backends.contract import PRECISIONS
from harness.errors import UnknownName
from harness.history import restore, schema
from harness.history.model import (
    FIDELITY,
    SPEED,
    Host,
    Key,
    Night,
    RunRow,
    SpeedKey,
    SpeedPoint,
    SpeedRound,
    StageKey,
    StagePoint,
    Wanted,
)

KeyOf = TypeVar("KeyOf", bound=Key)
KIND: dict[type[Key], str] = {StageKey: FIDELITY, SpeedKey: SPEED}
HOST = tuple(field.name for field in dataclasses.fields(Host))
#: As many numbers are looked up at once: older releases of SQLite take 999 parameters.
PIECE = 500


def runs(connection: Connection, wanted: Wanted) -> list[RunRow]:
    """Return runs, the newest first."""
    table = schema.RUNS
    query = select(table).where(*filters(wanted), *of_rows(wanted))
    found = connection.execute(
        query.order_by(table.c.created_s.desc(), table.c.number.desc()).limit(wanted.limit)
    ).all()
    numbers = [row.number for row in found]
    versions = _versions(connection, numbers)
    stages, speed = (
        _counted(connection, counted, numbers) for counted in (schema.STAGES, schema.SPEED)
    )
    hosts = {
        row["number"]: Host(**{name: row[name] for name in HOST})
        for row in connection.execute(select(schema.HOSTS)).mappings()
    }
    names = [
        field.name
        for field in dataclasses.fields(RunRow)
        if field.name in schema.RUNS.c and field.name != "host"
    ]
    return [
        RunRow(
            **{name: getattr(row, name) for name in names},
            versions=versions.get(row.number, {}),
            host=hosts.get(row.host),
            stages=stages.get(row.number, {}),
            speed=speed.get(row.number, {}),
        )
        for row in found
    ]


def nights(connection: Connection, wanted: Wanted) -> list[Night]:
    """Return nights, the newest first."""
    table = schema.RUNS
    query = (
        select(table.c.night, table.c.exit_code, func.count())
        .where(*filters(wanted))
        .group_by(table.c.night, table.c.exit_code)
    )
    codes: dict[str, dict[int, int]] = {}
    for night, code, count in connection.execute(query):
        codes.setdefault(night, {})[code] = count
    return [
        Night(night, sum(codes[night].values()), codes[night])
        for night in sorted(codes, reverse=True)
    ][: wanted.limit]


def number_of(connection: Connection, run: str) -> int:
    """Return a run's number by its id, or by the beginning of it that no other has.

    Raises:
        UnknownName: no run, or several.
    """
    found = connection.execute(
        select(schema.RUNS.c.number)
        .where(schema.RUNS.c.id.startswith(run, autoescape=True))
        .limit(2)
    ).all()
    if len(found) != 1 or not run:
        newest = connection.execute(
            select(schema.RUNS.c.id).order_by(schema.RUNS.c.created_s.desc()).limit(10)
        ).scalars()
        raise UnknownName("run", run, newest)
    return int(found[0][0])


def keys(connection: Connection, kind: type[KeyOf], wanted: Wanted) -> list[KeyOf]:
    """Return the keys of all series of one kind, sorted."""
    columns = [schema.SERIES.c[name] for name in schema.KEY]
    query = select(*columns).where(schema.SERIES.c.kind == KIND[kind], *of_key(wanted))
    return sorted(kind(**row) for row in connection.execute(query).mappings())


def stage_series(connection: Connection, key: StageKey, wanted: Wanted) -> list[StagePoint]:
    """Return a stage's rows in time order."""
    found = _points(connection, schema.STAGES, key, wanted)
    rows = restore.stage_rows(found)
    return [StagePoint(*_when(one), row=row) for one, row in zip(found, rows, strict=True)]


def speed_series(connection: Connection, key: SpeedKey, wanted: Wanted) -> list[SpeedPoint]:
    """Return an action's rows in time order, with their rounds."""
    found = _points(connection, schema.SPEED, key, wanted)
    rows, rounds = restore.speed_rows(found), _rounds(connection, [one["number"] for one in found])
    return [
        SpeedPoint(*_when(one), row=row, rounds=tuple(rounds.get(one["number"], ())))
        for one, row in zip(found, rows, strict=True)
    ]


def _points(connection: Connection, table: Table, key: Key, wanted: Wanted) -> Sequence[RowMapping]:
    """Return the rows of a series; with a limit, the newest so many."""
    runs_ = schema.RUNS
    extra = [
        runs_.c.id,
        runs_.c.night,
        runs_.c.revision,
        func.coalesce(schema.HOSTS.c.fingerprint, "").label("host"),
    ]
    query = restore.joined(table).add_columns(*extra).join(runs_, runs_.c.number == table.c.run)
    query = query.outerjoin(schema.HOSTS, schema.HOSTS.c.number == runs_.c.host)
    query = (
        query.where(is_key(key), *filters(wanted))
        .order_by(table.c.created_s.desc(), table.c.number.desc())
        .limit(wanted.limit)
    )
    return connection.execute(query).mappings().all()[::-1]


def _when(row: RowMapping) -> tuple[str, str, float, str, str, str]:
    return (
        row["id"],
        row["night"],
        row["created_s"],
        row["revision"],
        row["source_hash"],
        row["host"],
    )


def _rounds(connection: Connection, numbers: Sequence[int]) -> dict[int, list[SpeedRound]]:
    found: dict[int, list[SpeedRound]] = {}
    table = schema.ROUNDS
    for piece in _pieces(numbers):
        query = (
            select(table).where(table.c.speed.in_(piece)).order_by(table.c.speed, table.c.number)
        )
        for row in connection.execute(query):
            found.setdefault(row.speed, []).append(
                SpeedRound(row.number, row.log_ratio, row.a_step_s, row.b_step_s)
            )
    return found


def _versions(
    connection: Connection, numbers: Sequence[int]
) -> dict[int, dict[str, dict[str, str]]]:
    """Return, of each run, the versions of each build's packages and of its Python."""
    found: dict[int, dict[str, dict[str, str]]] = {}
    builds, packages = schema.BUILDS, schema.PACKAGES
    for piece in _pieces(numbers):
        for row in connection.execute(
            select(builds).where(builds.c.run.in_(piece)).order_by(builds.c.number)
        ):
            found.setdefault(row.run, {})[row.build] = {"python": row.python}
        for row in connection.execute(
            select(packages).where(packages.c.run.in_(piece)).order_by(packages.c.package)
        ):
            found[row.run][row.build][row.package] = row.version
    return found


def _counted(
    connection: Connection, table: Table, numbers: Sequence[int]
) -> dict[int, dict[str, int]]:
    """Return, of each run, how many rows of a table have which verdict."""
    found: dict[int, dict[str, int]] = {}
    for piece in _pieces(numbers):
        query = (
            select(table.c.run, table.c.verdict, func.count())
            .where(table.c.run.in_(piece))
            .group_by(table.c.run, table.c.verdict)
        )
        for run, verdict, count in connection.execute(query):
            found.setdefault(run, {})[verdict] = count
    return found


def _pieces(numbers: Sequence[int]) -> Iterable[Sequence[int]]:
    return (numbers[start : start + PIECE] for start in range(0, len(numbers), PIECE))


def is_key(key: Key) -> ColumnElement[bool]:
    """Whether a row of `series` has this key."""
    told = dataclasses.asdict(key)
    return and_(
        schema.SERIES.c.kind == KIND[type(key)],
        *(schema.SERIES.c[name] == told[name] for name in schema.KEY),
    )


def filters(wanted: Wanted, of_series: bool = False) -> list[ColumnElement[bool]]:
    """Return what a filter asks of `runs`, and, where it is joined, of `series`."""
    night = schema.RUNS.c.night
    found = ([night >= wanted.since] if wanted.since else []) + (
        [night <= wanted.until] if wanted.until else []
    )
    if wanted.hosts:
        found.append(
            schema.RUNS.c.host.in_(
                select(schema.HOSTS.c.number).where(schema.HOSTS.c.fingerprint.in_(wanted.hosts))
            )
        )
    return [*found, *of_key(wanted)] if of_series else found


def of_key(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Return what a filter asks of `series`."""
    column = schema.SERIES.c
    asked = (
        (column.workload, wanted.workloads),
        (column.preset, wanted.presets),
        (column.precision, wanted.precisions),
        (column.subject, wanted.subjects),
    )
    found: list[ColumnElement[bool]] = [names.in_(values) for names, values in asked if values]
    if wanted.builds:
        found.append(
            or_(*(side(name, build) for name in (column.a, column.b) for build in wanted.builds))
        )
    return found


def of_rows(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Return what a filter asks of `runs` by their rows: that a run has one of what is wanted."""
    about = of_key(wanted)
    having = (
        select(rows.c.run)
        .join(schema.SERIES, schema.SERIES.c.number == rows.c.series)
        .where(*about)
        for rows in (schema.STAGES, schema.SPEED)
    )
    return [or_(*(schema.RUNS.c.number.in_(one) for one in having))] if about else []


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
