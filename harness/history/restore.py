"""From rows of the tables back to the report's own rows, through the report's JSON and its reader,
which checks every value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, select

from harness.errors import CorruptRecord
from harness.history import schema
from harness.history.columns import DamagedHistory
from harness.history.fields import OF_KEY, OURS, SUBJECT, Plain
from harness.history.model import FIDELITY, SPEED
from harness.report import json_format
from harness.results.model import Report, SpeedRow, StageRow
from harness.results.verdicts import Fidelity

EMPTY = Report(
    title="",
    created="",
    harness_version="",
    command="",
    fidelity=Fidelity.NONE,
    headline="",
    stages=(),
    speed=(),
    jobs=(),
    builds=(),
    tapes={},
)
#: What `runs` tells beside the report.
ABOUT = OURS | {
    "id",
    "asked",
    "content",
    "records",
    "night",
    "created_s",
    "revision",
    "folder",
    "added_s",
    "host",
}


def stage_rows(stored: Sequence[RowMapping]) -> tuple[StageRow, ...]:
    """Return rows of stages from rows of `joined`."""
    return _parse({"stages": [_of_key(FIDELITY, schema.STAGES, row) for row in stored]}).stages


def speed_rows(stored: Sequence[RowMapping]) -> tuple[SpeedRow, ...]:
    """Return rows of speed from rows of `joined`."""
    return _parse({"speed": [_of_key(SPEED, schema.SPEED, row) for row in stored]}).speed


def joined(table: Table) -> Select[Any]:
    """Return the query for rows of stages or speed with their keys."""
    key = [schema.SERIES.c[name] for name in schema.KEY]
    return select(table, *key).join(schema.SERIES, schema.SERIES.c.number == table.c.series)


def report(connection: Connection, run: int) -> Report:
    """Return a stored run's report, as it was added, but for what only its plots are drawn from."""
    of_run = select(schema.RUNS).where(schema.RUNS.c.number == run)
    stored = connection.execute(of_run).mappings().one()
    about = {**_plain(schema.RUNS, stored, ABOUT), "commit": stored["revision"]}
    summary = {name: about.pop(name) for name in json_format.SUMMARY}
    stages = _ordered(connection, joined(schema.STAGES), schema.STAGES, run)
    speed = _ordered(connection, joined(schema.SPEED), schema.SPEED, run)
    jobs = _ordered(connection, select(schema.JOBS), schema.JOBS, run)
    quality = _ordered(connection, select(schema.QUALITY), schema.QUALITY, run)
    reported = select(schema.BUILDS).where(schema.BUILDS.c.reported)
    builds = _ordered(connection, reported, schema.BUILDS, run)
    rows = {
        "stages": [_of_key(FIDELITY, schema.STAGES, row) for row in stages],
        "speed": [_of_key(SPEED, schema.SPEED, row) for row in speed],
        "jobs": [_plain(schema.JOBS, row) for row in jobs],
        "quality": [_plain(schema.QUALITY, row) for row in quality],
        "builds": [_plain(schema.BUILDS, row, OURS | {"reported"}) for row in builds],
    }
    return _parse({**about, "summary": summary, **rows})


def _ordered(
    connection: Connection, query: Select[Any], table: Table, run: int
) -> Sequence[RowMapping]:
    """Return a run's rows of a table, in the order in which they were added."""
    of_run = query.where(table.c.run == run).order_by(table.c.number)
    return connection.execute(of_run).mappings().all()


def _plain(table: Table, row: RowMapping, ours: set[str] = OURS) -> Plain:
    """Return a table's row as a report's JSON has it; what is missing, in rows older than its
    column too, has the field's default."""
    values = {
        column.name: row[column.name]
        for column in table.c
        if column.name not in ours and row[column.name] is not None
    }
    return {**values, **row["more"]}


def _of_key(kind: str, table: Table, row: RowMapping) -> Plain:
    """Return a row of a series as a report's JSON has it."""
    key = {name: row[name] for name in OF_KEY[kind]}
    return {**_plain(table, row), **key, SUBJECT[kind]: row["subject"]}


def _parse(parts: Plain) -> Report:
    """Return a report of these parts.

    Raises:
        DamagedHistory: they are none of a report.
    """
    try:
        return json_format.from_plain({**json_format.to_plain(EMPTY), **parts}, "read as a report")
    except CorruptRecord as error:
        raise DamagedHistory(f"the rows of {' and '.join(parts)}, {error}") from error
