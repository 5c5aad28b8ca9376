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
from harness.changes.model import Night, Ratios
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
    return Night(report, tuple(_ratios(ratios, names) for ratios in night.ratios))


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
    changed = {name: _name(getattr(row, name), names) for name in NAMED if hasattr(row, name)}
    return dataclasses.replace(row, **changed)  # type: ignore[type-var]  # all rows are dataclasses


def _name(label: str, names: Mapping[str, str]) -> str:
    """Return a side's name, or those of a round's sides; what a row adds to it stays: `torch fp64`,
    `torch-fp32`."""
    return " ".join(_word(word, names) for word in label.split(" "))


def _word(word: str, names: Mapping[str, str]) -> str:
    stem, dash, end = word.rpartition("-")
    if dash and end in PRECISIONS:
        return f"{names.get(stem, stem)}-{end}"
    return names.get(word, word)
