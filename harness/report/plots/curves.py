"""Loss over training of both sides, with the band over seeds where there are several."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.report.plots.canvas import Canvas, Frame
from harness.report.plots.figure import ROOM, Figure, Room, sides, spaced
from harness.report.plots.scale import finite, mark
from harness.results.model import Report
from harness.results.series import Column, Curve

#: Steps of the table of numbers.
TOLD = 8
#: Above this factor between the largest and the least loss, the axis is logarithmic.
WIDE = 50.0
MODES = {"lockstep": "on the tape", "native": "from seeds of their own"}


def figures(report: Report, workload: str, a: str, b: str, room: Room = ROOM) -> list[Figure]:
    """Return a figure for each precision, mode and term that both sides have, totals first."""
    curves = {
        (item.precision, item.mode, item.term, item.build): item
        for item in report.curves
        if item.workload == workload
    }
    found: list[Figure] = []
    counts: dict[tuple[str, str], int] = {}
    for (precision, mode, term, build), first in curves.items():
        second = curves.get((precision, mode, term, b))
        if build == a and second is not None and counts.get((precision, mode), 0) < room.curves:
            counts[precision, mode] = counts.get((precision, mode), 0) + 1
            found.append(_figure(first, second, room))
    return found


def _figure(a: Curve, b: Curve, room: Room) -> Figure:
    name = f"{a.term}, {a.precision}, {MODES.get(a.mode, a.mode)}"
    values = finite(
        [
            value
            for curve in (a, b)
            for column in (curve.low, curve.middle, curve.high)
            for value in column
        ]
    )
    if not values:
        values = [0.0, 1.0]
    logarithmic = min(values) > 0.0 and max(values) / min(values) > WIDE
    margin = 0.04 * (max(values) - min(values))
    ends = (
        (min(values) / 1.1, max(values) * 1.1)
        if logarithmic
        else (min(values) - margin, max(values) + margin)
    )
    canvas = Canvas(
        f"loss {name} of {a.build} and {b.build}",
        (min(a.steps[0], b.steps[0]), max(a.steps[-1], b.steps[-1])),
        ends,
        Frame(left=52),
        "y" if logarithmic else "",
    )
    canvas.axes("step" + (", loss logarithmic" if logarithmic else ""))
    for curve, kind in ((a, "sa"), (b, "sb")):
        kept = spaced(len(curve.steps), room.points)
        xs = [float(curve.steps[at]) for at in kept]
        if curve.low:
            canvas.band(xs, _at(curve.low, kept), _at(curve.high, kept), kind)
        canvas.line(list(zip(xs, _at(curve.middle, kept), strict=True)), kind)
    broken = [
        f"{curve.build} has values that are not finite"
        for curve in (a, b)
        if len(finite(curve.middle)) < len(curve.middle)
    ]
    seeds = (
        f"Median of {a.seeds} and {b.seeds} seeds, band from the 10 % to the 90 % quantile"
        if a.low or b.low
        else "One seed"
    )
    return Figure(
        f"Loss {name}",
        (canvas.svg(),),
        ("step", f"a {a.build}", f"b {b.build}"),
        _table(a, b),
        "; ".join([seeds, *broken]) + ".",
        sides(a.build, b.build),
        told=f"{TOLD} of {len(a.steps)} steps" if len(a.steps) > TOLD else "",
    )


def _at(column: Column, places: Sequence[int]) -> list[float | None]:
    return [column[at] for at in places]


def _table(a: Curve, b: Curve) -> tuple[tuple[str, ...], ...]:
    other = dict(zip(b.steps, b.middle, strict=True))
    return tuple(
        (str(a.steps[at]), _number(a.middle[at]), _number(other.get(a.steps[at])))
        for at in spaced(len(a.steps), TOLD)
    )


def _number(value: float | None) -> str:
    return "-" if value is None else mark(value) if math.isfinite(value) else str(value)
