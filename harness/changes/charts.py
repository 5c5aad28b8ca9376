"""A night's series of speed ratios as the report draws them, with the steps in them. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.changes import provenance, series
from harness.changes.model import Series, SeriesPoint
from harness.results.series import RATIO, Column, FigureHistory, LevelChange

#: Standard errors on either side of a night's mean.
BAND = 2.0


def histories(all_series: Sequence[Series]) -> tuple[FigureHistory, ...]:
    """Return a history, oldest night first, of each series with a number on two nights or more."""
    return tuple(_history(ratio) for ratio in all_series if len(_measured(ratio)) >= 2)


def _measured(ratio: Series) -> list[SeriesPoint]:
    """Return the nights that have a number."""
    return [point for point in ratio.points if math.isfinite(point.mean)]


def _history(ratio: Series) -> FigureHistory:
    what, points = ratio.measurand, _measured(ratio)
    return FigureHistory(
        workload=what.workload,
        a=what.a,
        b=what.b,
        precision=what.precision,
        figure=f"{RATIO}, {what.action}",
        unit="",
        runs=len(points),
        when=tuple(point.time for point in points),
        low=_ratios(points, -BAND),
        middle=_ratios(points, 0.0),
        high=_ratios(points, BAND),
        changes=tuple(_change(step) for step in series.steps(ratio)),
        band=f"the night's mean ± {BAND:g} standard errors",
    )


def _ratios(points: Sequence[SeriesPoint], errors: float) -> Column:
    logs = [point.mean + errors * point.error if errors else point.mean for point in points]
    return tuple(float(f"{math.exp(log):.4g}") if math.isfinite(log) else None for log in logs)


def _change(dated: series.DatedStep) -> LevelChange:
    moved = provenance.moved_versions(dated.last.versions, dated.first.versions)
    suspects = ", ".join(str(suspect) for of_side in moved.values() for suspect in of_side)
    return LevelChange(
        dated.first.time, math.exp(dated.step.before), math.exp(dated.step.after), suspects
    )
