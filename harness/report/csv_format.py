"""The report's rows as one CSV: stages, speed, jobs and quality below each other, told apart by the
column `kind`.

One flat table with one header, because that is what reads back in one call:
`pandas.read_csv(path)`, then `table[table.kind == "speed"].dropna(axis=1, how="all")`; files of
several nights go below each other with `pandas.concat`, for every row has its report's title and
time. Several sections in one file would need a parser of their own. The columns are the same in
every report, whatever rows it has, and their names are those of the JSON.

A number is written with all of its digits; what is missing is empty, NaN and infinities are `nan`,
`inf` and `-inf`, which pandas knows. Of a list the parts are joined by "; ". A text that a
spreadsheet would take for a formula begins with an apostrophe. The module is not called `csv` so
that the standard library's is never shadowed.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from harness.report import implied_fields
from harness.report.format import one_line
from harness.results.model import Cost, JobRow, QualityRow, Report, SpeedRow, StageRow

KINDS = {"stage": StageRow, "speed": SpeedRow, "job": JobRow, "quality": QualityRow}
#: Of the report, in front of every row.
REPORT = ("kind", "title", "created", "harness_version")
#: A field whose name is taken has another one here.
RENAMED = {"kind": "job_kind"}
COST = ("a_cost", "b_cost")
#: With these a spreadsheet begins a formula.
FORMULA = ("=", "+", "-", "@")
JOINED = "; "


def render(report: Report) -> str:
    """Return a report as CSV (RFC 4180, with line feeds); the same report gives the same bytes."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns(), restval="", lineterminator="\n")
    writer.writeheader()
    head = {
        "title": report.title,
        "created": report.created,
        "harness_version": report.harness_version,
    }
    for kind, rows in (
        ("stage", report.stages),
        ("speed", report.speed),
        ("job", report.jobs),
        ("quality", report.quality),
    ):
        for row in rows:
            values = {"kind": kind, **head, **_fields(row)}
            writer.writerow({name: _cell(value) for name, value in values.items()})
    return text.getvalue()


def columns() -> list[str]:
    """Return the names of all columns."""
    every = dict.fromkeys(REPORT)
    for kind in KINDS.values():
        for name in names(kind):
            fields = _costs(name) if name in COST else [RENAMED.get(name, name)]
            every.update(dict.fromkeys(fields))
    return list(every)


def names(kind: type[Any]) -> Iterator[str]:
    """Yield the costs and the fields that a cell can hold; plots' data stay in the JSON, and what
    the words of a row tell is in its words.

    Args:
        kind: of the rows, a dataclass.
    """
    for name, hint in typing.get_type_hints(kind).items():
        held = any(dataclasses.is_dataclass(part) for part in (hint, *typing.get_args(hint)))
        if name in COST or not (held or name in implied_fields.FIELDS):
            yield name


def _costs(side: str) -> list[str]:
    return [f"{side}_{field.name}" for field in dataclasses.fields(Cost)]


def _fields(row: StageRow | SpeedRow | JobRow | QualityRow) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in names(type(row)):
        value = getattr(row, name)
        if name not in COST:
            values[RENAMED.get(name, name)] = value
        elif value is not None:
            for part in dataclasses.fields(Cost):
                values[f"{name}_{part.name}"] = getattr(value, part.name)
    return values


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (float, bool, int)):
        return repr(value)  # what is not finite reads nan, inf or -inf
    if isinstance(value, Mapping):
        value = JOINED.join(f"{name}: {part}" for name, part in sorted(value.items()))
    elif not isinstance(value, str):
        value = JOINED.join(str(part) for part in value)
    text = one_line(str(value))
    return f"'{text}" if text.startswith(FORMULA) else text
