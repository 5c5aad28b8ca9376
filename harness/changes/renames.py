"""Sides of earlier reports under today's names, so that runs from before can be compared with runs
of today.

A side with ports of its own was once called as its build, with a number where that was taken
(`torch#2`); now it is called by the folder (`torch@mine`). The command in the report tells which is
which.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping
from typing import TypeVar

from backends.contract import PRECISIONS
from harness import plan
from harness.changes.model import Night
from harness.results.model import Report

Row = TypeVar("Row")
BACKENDS = "--backends"
NAMED = ("a", "b", "build")


def today(night: Night) -> Night:
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
    ratios = tuple(
        dataclasses.replace(
            one,
            measurand=_row(one.measurand, names),
            sources={_name(side, names): text for side, text in one.sources.items()},
            versions={_name(side, names): told for side, told in one.versions.items()},
        )
        for one in night.ratios
    )
    return Night(report, ratios)


def renamed(report: Report) -> dict[str, str]:
    """Return today's name of each side of a report that has another there; empty where all have
    theirs."""
    words = _backends(report.command)
    named = [*(row.build for row in report.builds), *(row.build for row in report.jobs)]
    if not any("@" in word for word in words) or any("@" in name for name in named):
        return {}
    seen: dict[str, int] = {}
    before, asked = [], []
    for word in words:
        build, at, folder = word.partition("@")
        seen[build] = seen.get(build, 0) + 1
        before.append(build if seen[build] == 1 else f"{build}#{seen[build]}")
        asked.append(plan.Side("", build, "", (folder,), only=bool(at)))
    return {
        old: side.label
        for old, side in zip(before, plan.sides(asked), strict=True)
        if old != side.label
    }


def _backends(command: str) -> list[str]:
    """Return what a command line compares."""
    try:
        words = shlex.split(command)
    except ValueError:  # the command of a report that somebody wrote
        return []
    found, inside = [], False
    for word in words:
        if word.startswith("-"):
            inside = word == BACKENDS
        elif inside:
            found.append(word)
    return found


def _all(rows: tuple[Row, ...], names: Mapping[str, str]) -> tuple[Row, ...]:
    return tuple(_row(row, names) for row in rows)


def _row(row: Row, names: Mapping[str, str]) -> Row:
    changed = {name: _name(getattr(row, name), names) for name in NAMED if hasattr(row, name)}
    return dataclasses.replace(row, **changed)  # type: ignore[type-var]  # all rows are dataclasses


def _name(told: str, names: Mapping[str, str]) -> str:
    """Return a side's name, or those of the sides of a round; what a row adds to it stays: `torch
    fp64`, `torch-fp32`."""
    return " ".join(_word(word, names) for word in told.split(" "))


def _word(word: str, names: Mapping[str, str]) -> str:
    stem, dash, end = word.rpartition("-")
    return f"{names.get(stem, stem)}-{end}" if dash and end in PRECISIONS else names.get(word, word)
