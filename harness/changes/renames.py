"""Sides of earlier reports under today's names, so that runs from before can be compared with runs
of today.

A side with ports of its own was once called as its build, with a number where that was taken
(`torch#2`); now it is called by the folder (`torch@mine`). The command in the report tells which is
which. It is read here, where reports are compared, and not where they are decoded: an old report is
drawn with the names that it was written with, and the ratios of its rounds, which are no part of
it, have to be called as its rows are.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping
from typing import Any, TypeVar

from backends.contract import PRECISIONS
from harness import plan
from harness.changes.model import JudgedNight, Ratios
from harness.results.model import JobRow, Report, StageRow

Row = TypeVar("Row")
BACKENDS = "--backends"
#: Fields of rows that name a side.
NAMED = ("a", "b", "build", "a_side", "b_side")


def today(night: JudgedNight) -> JudgedNight:
    """Return a run with its sides under the names that they would have now."""
    names = renamed(night.report)
    if not names:
        return night
    report = dataclasses.replace(
        night.report,
        stages=_all(night.report.stages, names),
        speed=_all(night.report.speed, names),
        jobs=_all(night.report.jobs, names),
        builds=_all(night.report.builds, names),
        quality=_all(night.report.quality, names),
    )
    return JudgedNight(report, tuple(_ratios(ratios, names) for ratios in night.ratios))


def _ratios(ratios: Ratios, names: Mapping[str, str]) -> Ratios:
    return dataclasses.replace(
        ratios,
        measurand=_row(ratios.measurand, names),
        sources={_name(side, names): digest for side, digest in ratios.sources.items()},
        versions={_name(side, names): versions for side, versions in ratios.versions.items()},
    )


def renamed(report: Report) -> dict[str, str]:
    """Return today's name of each side that a report calls otherwise."""
    words = _backends(report.command)
    named = [*(row.build for row in report.builds), *(row.build for row in report.jobs)]
    if not any("@" in word for word in words) or any("@" in name for name in named):
        return {}
    seen: dict[str, int] = {}
    before, requested = [], []
    for word in words:
        build, at, folder = word.partition("@")
        seen[build] = seen.get(build, 0) + 1
        before.append(build if seen[build] == 1 else f"{build}#{seen[build]}")
        requested.append(plan.Side("", build, "", (folder,), only=bool(at)))
    return {
        old: side.label
        for old, side in zip(before, plan.sides(requested), strict=True)
        if old != side.label
    }


def _backends(command: str) -> list[str]:
    """Return what a command line compares."""
    try:
        words = shlex.split(command)
    except ValueError:  # the command of a report that somebody wrote
        return []
    compared, inside = [], False
    for word in words:
        if word.startswith("-"):
            inside = word == BACKENDS
        elif inside:
            compared.append(word)
    return compared


def _all(rows: tuple[Row, ...], names: Mapping[str, str]) -> tuple[Row, ...]:
    return tuple(_row(row, names) for row in rows)


def _row(row: Row, names: Mapping[str, str]) -> Row:
    changed: dict[str, Any] = {
        name: _name(getattr(row, name), names) for name in NAMED if hasattr(row, name)
    }
    if isinstance(row, StageRow):
        changed |= {
            name: _name(side, names) + getattr(row, name).removeprefix(side)
            for name, side in zip(("a", "b"), row.sides, strict=True)
        }
    if isinstance(row, JobRow):
        builds = tuple(_name(build, names) for build in row.builds)
        changed |= {"build": " ".join(builds), "sides": builds if row.sides else ()}
    return dataclasses.replace(row, **changed)  # type: ignore[type-var]  # all rows are dataclasses


def _name(side: str, names: Mapping[str, str]) -> str:
    """Return a side's name; the precision that a gain adds to it stays: `torch-fp32`."""
    stem, dash, end = side.rpartition("-")
    if dash and end in PRECISIONS:
        return f"{names.get(stem, stem)}-{end}"
    return names.get(side, side)
