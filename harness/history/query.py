"""Questions to a history about its runs and nights, row by row."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from sqlalchemy import Connection, Table, func, select

from harness.errors import UnknownName
from harness.history import schema
from harness.history.columns import damaged
from harness.history.filters import filters, of_rows, pieces
from harness.history.model import Host, NightSummary, RunRow, Wanted

HOST = tuple(field.name for field in dataclasses.fields(Host))


def runs(connection: Connection, wanted: Wanted) -> list[RunRow]:
    """Return runs, the newest first."""
    table = schema.RUNS
    query = select(table).where(*filters(wanted), *of_rows(wanted))
    stored = connection.execute(
        query.order_by(table.c.created_s.desc(), table.c.number.desc()).limit(wanted.limit)
    ).all()
    numbers = [row.number for row in stored]
    versions, hosts = _versions(connection, numbers), _hosts(connection)
    stages = _counted(connection, schema.STAGES, numbers)
    speed = _counted(connection, schema.SPEED, numbers)
    names = [
        field.name
        for field in dataclasses.fields(RunRow)
        if field.name in schema.RUNS.c and field.name != "host"
    ]
    rows = []
    for row in stored:
        columns = {name: getattr(row, name) for name in names}
        rows.append(
            RunRow(
                **columns,
                versions=versions.get(row.number, {}),
                host=hosts.get(row.host),
                stages=stages.get(row.number, {}),
                speed=speed.get(row.number, {}),
            )
        )
    return rows


def _hosts(connection: Connection) -> dict[int, Host]:
    """Return all hosts by their numbers."""
    hosts = {}
    for row in connection.execute(select(schema.HOSTS)).mappings():
        hosts[row["number"]] = Host(**{name: row[name] for name in HOST})
    return hosts


def nights(connection: Connection, wanted: Wanted) -> list[NightSummary]:
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
        NightSummary(night, sum(codes[night].values()), codes[night])
        for night in sorted(codes, reverse=True)
    ][: wanted.limit]


def number_of(connection: Connection, run: str) -> int:
    """Return a run's number by its id, or by the beginning of it that no other has.

    Raises:
        UnknownName: no run, or several.
    """
    id_ = schema.RUNS.c.id
    named = select(schema.RUNS.c.number).where(id_.startswith(run, autoescape=True)).limit(2)
    numbers = connection.execute(named).scalars().all()
    if len(numbers) != 1 or not run:
        newest = select(id_).order_by(schema.RUNS.c.created_s.desc()).limit(10)
        raise UnknownName("run", run, connection.execute(newest).scalars())
    return int(numbers[0])


def _versions(
    connection: Connection, numbers: Sequence[int]
) -> dict[int, dict[str, dict[str, str]]]:
    """Return, of each run, the versions of each build's packages and of its Python.

    Raises:
        DamagedHistory: a package is of a build that its run does not have.
    """
    by_run: dict[int, dict[str, dict[str, str]]] = {}
    builds, packages = schema.BUILDS, schema.PACKAGES
    for piece in pieces(numbers):
        of_builds = select(builds).where(builds.c.run.in_(piece)).order_by(builds.c.number)
        for row in connection.execute(of_builds):
            by_run.setdefault(row.run, {})[row.build] = {"python": row.python}
        of_packages = select(packages).where(packages.c.run.in_(piece))
        for row in connection.execute(of_packages.order_by(packages.c.package)):
            builds_of = by_run.get(row.run, {})
            if row.build not in builds_of:
                raise damaged("packages.build", row.build, "which its run has no build of")
            builds_of[row.build][row.package] = row.version
    return by_run


def _counted(
    connection: Connection, table: Table, numbers: Sequence[int]
) -> dict[int, dict[str, int]]:
    """Return, of each run, how many rows of a table have which verdict."""
    by_run: dict[int, dict[str, int]] = {}
    for piece in pieces(numbers):
        query = select(table.c.run, table.c.verdict, func.count()).where(table.c.run.in_(piece))
        for run, verdict, count in connection.execute(query.group_by(table.c.run, table.c.verdict)):
            by_run.setdefault(run, {})[verdict] = count
    return by_run
