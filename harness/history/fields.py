"""Where a field of a report's row lies: in a column, in the key of its series, or in `more`."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Table

from harness.history import schema
from harness.history.model import FIDELITY, SPEED
from harness.report import implied_fields
from harness.results.model import JobRow, QualityRow, SpeedRow, StageRow

#: A row, or a whole report, as its JSON has it.
Plain = dict[str, Any]
#: What every row of a run, or of a series, has beside the fields of the report.
OURS = {"number", "run", "series", "created_s", "source_hash", "more"}
#: What the key of a series holds of a row; its stage or action, which is `subject` there, too.
KEY = tuple(name for name in schema.KEY if name != "subject")
OF_KEY = {FIDELITY: KEY, SPEED: KEY}
SUBJECT = {FIDELITY: "stage", SPEED: "action"}


def split(
    table: Table, row: Plain, taken: Iterable[str], defaults: Mapping[str, Any] | None = None
) -> Plain:
    """Return a report's row as a table's: fields with a column, and the others in `more`.

    Args:
        taken: fields that lie elsewhere.
        defaults: values that say nothing, and are left out of `more`.
    """
    columns = {column.name for column in table.c} - OURS - {*taken}
    values = {name: row.get(name) for name in columns}
    more = {name: value for name, value in row.items() if name not in columns and name not in taken}
    telling = {
        name: value for name, value in more.items() if (defaults or {}).get(name, ...) != value
    }
    return {**values, "more": telling}


@functools.cache
def defaults(kind: type[StageRow | SpeedRow | JobRow | QualityRow]) -> Mapping[str, Any]:
    """Return the defaults of a kind of row, as JSON; where a row's words would be read as something
    else, a field's default says something too."""
    by_name = {field.name: field.default for field in dataclasses.fields(kind)}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in by_name.items()
        if value is not dataclasses.MISSING and name not in implied_fields.FIELDS
    }
