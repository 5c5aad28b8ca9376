"""A night's series of speed ratios as the report draws them, with the steps that were found in
them. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.changes import provenance, series
from harness.changes.model import Point, Series
from harness.results.series import Change, Column, History

#: Standard errors on either side of a night's mean.
BAND = 2.0


def histories(given: Sequence[Series]) -> tuple[History, ...]:
    """Return one history for each series with at least two nights that have a number, oldest night
    first."""
    return tuple(
        _history(one)
        for one in given
        if sum(math.isfinite(point.mean) for point in one.points) >= 2
    )


def _history(one: Series) -> History:
    what, points = one.measurand, [point for point in one.points if math.isfinite(point.mean)]
    low, middle, high = (_ratios(points, errors) for errors in (-BAND, 0.0, BAND))
    return History(
        what.workload,
        what.a,
        what.b,
        what.precision,
        f"time of b / time of a, {what.action}",
        "",
        len(points),
        tuple(point.time for point in points),
        low,
        middle,
        high,
        tuple(_change(found) for found in series.steps(one)),
        f"the night's mean ± {BAND:g} standard errors",
    )


def _ratios(points: Sequence[Point], errors: float) -> Column:
    logs = [point.mean + errors * point.error if errors else point.mean for point in points]
    return tuple(float(f"{math.exp(log):.4g}") if math.isfinite(log) else None for log in logs)


def _change(found: series.Found) -> Change:
    moved = provenance.moved_versions(found.last.versions, found.first.versions)
    suspects = ", ".join(str(one) for part in moved.values() for one in part)
    return Change(
        found.first.time, math.exp(found.step.before), math.exp(found.step.after), suspects
    )
