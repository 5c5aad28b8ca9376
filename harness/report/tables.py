"""A report as flat tables: every row and every series that it holds, as plain values by column.

pandas makes a frame of each (`Report.to_pandas`). Names of columns are those of the JSON. The CSV
is one table for files; this is one table for each kind, with what the CSV leaves to the JSON:
single tensors, rounds, curves.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from harness.report import csv_format
from harness.results.model import Cost, JobRow, QualityRow, Report, SpeedRow, StageRow

Row: TypeAlias = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class FlatTable:
    """One table. `columns`: names, which are there also where there are no rows."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


#: What tells the rows of a stage, and of a timing, from each other.
OF_STAGE = ("workload", "a", "b", "precision", "preset", "seed", "stage")
OF_SPEED = ("workload", "a", "b", "precision", "preset", "seed", "action", "machine")
OF_BUILD = ("workload", "build", "precision", "preset")


def table(report: Report, name: str) -> FlatTable:
    """Return one table of a report.

    Args:
        report: of a run. name: a key of `TABLES`.
    """
    columns, make = TABLES[name]
    return FlatTable(columns, tuple(_plain(row) for row in make(report)))


def _plain(row: Row) -> Row:
    """Return a row in which words of enumerations are the texts that they are."""
    return {
        name: str(value) if isinstance(value, enum.Enum) else value for name, value in row.items()
    }


def _columns(kind: type[Any]) -> tuple[str, ...]:
    return tuple(name for name in csv_format.names(kind) if name not in csv_format.COST)


def _rows(rows: tuple[Any, ...]) -> Iterator[Row]:
    for row in rows:
        yield {name: getattr(row, name) for name in _columns(type(row))}


def _key(row: Any, names: tuple[str, ...]) -> Row:
    return {name: getattr(row, name) for name in names}


def _costs(report: Report) -> Iterator[Row]:
    for row in report.speed:
        for side, build, cost in (("a", row.a, row.a_cost), ("b", row.b, row.b_cost)):
            if cost is not None:
                own = {field.name: getattr(cost, field.name) for field in dataclasses.fields(Cost)}
                yield {**_key(row, OF_SPEED), "side": side, "build": build, **own}


def _tensors(report: Report) -> Iterator[Row]:
    for row in report.stages:
        listed = row.compared
        if listed is None:
            continue
        columns = (listed.names, listed.verdicts, listed.errors, listed.floors, listed.thresholds)
        for values in zip(*columns, strict=True):
            yield {**_key(row, OF_STAGE), **dict(zip(TENSOR, values, strict=True))}


def _rounds(report: Report) -> Iterator[Row]:
    for row in report.speed:
        if row.turns is None:
            continue
        for side, rounds in (("a", row.turns.a), ("b", row.turns.b)):
            for number, times in enumerate(rounds):
                label = row.turns.rounds[number] if row.turns.rounds else number + 1
                for turn, step_s in enumerate(times, 1):
                    values = (side, label, turn, step_s)
                    yield {**_key(row, OF_SPEED), **dict(zip(ROUND, values, strict=True))}


def _builds(report: Report) -> Iterator[Row]:
    for row in report.builds:
        yield {**_key(row, ("build", "python", "platform", "origin")), "versions": row.versions}


def _settings(report: Report) -> Iterator[Row]:
    for row in report.builds:
        for what, settings in (("", row.effective), *row.timed.items()):
            for name, value in settings.items():
                yield {"build": row.build, "timed": what, "setting": name, "value": value}


def _curves(report: Report) -> Iterator[Row]:
    for curve in report.curves:
        key = _key(curve, (*OF_BUILD, "mode", "term", "seeds"))
        for at, step in enumerate(curve.steps):
            quantiles = (curve.low, curve.middle, curve.high)
            values = (column[at] if at < len(column) else None for column in quantiles)
            yield {**key, **dict(zip(CURVE, (step, *values), strict=True))}


def _spreads(report: Report) -> Iterator[Row]:
    for spread in report.spreads:
        for channel, quantiles in zip(spread.channels, spread.quantiles, strict=True):
            for at, value in enumerate(quantiles):
                share = at / max(1, len(quantiles) - 1)
                own = {"channel": channel, "share": share, "value": value}
                yield {**_key(spread, (*OF_BUILD, "models")), **own}


TENSOR = ("tensor", "verdict", "error", "floor", "threshold")
ROUND = ("side", "round", "turn", "step_s")
CURVE = ("step", "low", "middle", "high")
#: Of each table its columns, and what yields its rows.
TABLES: Mapping[str, tuple[tuple[str, ...], Callable[[Report], Iterator[Row]]]] = {
    "stages": (_columns(StageRow), lambda report: _rows(report.stages)),
    "tensors": ((*OF_STAGE, *TENSOR), _tensors),
    "speed": (_columns(SpeedRow), lambda report: _rows(report.speed)),
    "rounds": ((*OF_SPEED, *ROUND), _rounds),
    "costs": (
        (*OF_SPEED, "side", "build", *(field.name for field in dataclasses.fields(Cost))),
        _costs,
    ),
    "quality": (_columns(QualityRow), lambda report: _rows(report.quality)),
    "jobs": (_columns(JobRow), lambda report: _rows(report.jobs)),
    "builds": (("build", "python", "platform", "origin", "versions"), _builds),
    "settings": (("build", "timed", "setting", "value"), _settings),
    "curves": ((*OF_BUILD, "mode", "term", "seeds", *CURVE), _curves),
    "spreads": ((*OF_BUILD, "models", "channel", "share", "value"), _spreads),
    "notes": (("text",), lambda report: ({"text": text} for text in report.notes)),
}
