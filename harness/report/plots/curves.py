"""Loss over training of both sides, with the band over seeds where there are several."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from markupsafe import Markup

from harness.report.plots.canvas import Canvas, Frame
from harness.report.plots.figure import ROOM, Figure, Room, sides, spaced
from harness.report.plots.scale import finite, mark
from harness.results.model import Report
from harness.results.series import Column, Curve
from harness.results.verdicts import Fidelity

#: Steps of the table of numbers.
TABLE_STEPS = 8
#: Above this factor between the largest and the least loss, the axis is logarithmic.
WIDE = 50.0
MODES = {"lockstep": "on the tape", "native": "from seeds of their own"}


def figures(report: Report, workload: str, a: str, b: str, room: Room = ROOM) -> list[Figure]:
    """Return a figure for each precision, mode and term that both sides have, totals first; of a
    precision at which the pair fails also the difference of both curves."""
    failing = {
        row.precision
        for row in report.stages
        if (row.workload, row.a, row.b) == (workload, a, b) and row.verdict == Fidelity.FAIL
    }
    curves = {
        (item.precision, item.mode, item.term, item.build): item
        for item in report.curves
        if item.workload == workload
    }
    drawn: list[Figure] = []
    counts: dict[tuple[str, str], int] = {}
    for (precision, mode, term, build), first in curves.items():
        second = curves.get((precision, mode, term, b))
        if build == a and second is not None and counts.get((precision, mode), 0) < room.curves:
            counts[precision, mode] = counts.get((precision, mode), 0) + 1
            drawn.append(_figure(first, second, room, precision in failing))
    return drawn


def _figure(a: Curve, b: Curve, room: Room, departs: bool) -> Figure:
    name = f"{a.term}, {a.precision}, {MODES.get(a.mode, a.mode)}"
    columns = (a.low, a.middle, a.high, b.low, b.middle, b.high)
    values = finite(itertools.chain.from_iterable(columns)) or [0.0, 1.0]
    low, high = min(values), max(values)
    logarithmic = low > 0.0 and high / low > WIDE
    margin = 0.04 * (high - low)
    ends = (low / 1.1, high * 1.1) if logarithmic else (low - margin, high + margin)
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
        xs = [float(curve.steps[index]) for index in kept]
        if curve.low:
            canvas.band(xs, _at(curve.low, kept), _at(curve.high, kept), kind)
        canvas.line(list(zip(xs, _at(curve.middle, kept), strict=True)), kind)
    broken = [
        f"{curve.build} has values that are not finite"
        for curve in (a, b)
        if len(finite(curve.middle)) < len(curve.middle)
    ]
    seeds = "One seed"
    if a.low or b.low:
        seeds = f"Median of {a.seeds} and {b.seeds} seeds, band from the 10 % to the 90 % quantile"
    count = len(a.steps)
    apart = _difference(a, b, room, name) if departs else None
    return Figure(
        title=f"Loss {name}" + (", and the difference of both" if apart else ""),
        svg=(canvas.svg(), apart) if apart else (canvas.svg(),),
        columns=("step", f"a {a.build}", f"b {b.build}", "difference"),
        rows=_table(a, b),
        note="; ".join([seeds, *broken]) + ".",
        legend=sides(a.build, b.build),
        excerpt=f"{TABLE_STEPS} of {count} steps" if count > TABLE_STEPS else "",
    )


def _difference(a: Curve, b: Curve, room: Room, name: str) -> Markup | None:
    """Return the drawing of |a - b|, logarithmic; None where both are the same at every step.

    Two curves that part by a thousandth look like one; what parts them grows, and that is seen.
    """
    gaps = _gaps(a, b)
    known = finite((gap for _, gap in gaps), positive=True)
    if not known:
        return None
    canvas = Canvas(
        f"difference of loss {name} of {a.build} and {b.build}",
        (float(gaps[0][0]), float(gaps[-1][0])),
        (min(known) / 1.5, max(known) * 1.5),
        Frame(left=52, height=150),
        "y",
    )
    canvas.axes("step; |a - b|, logarithmic, equal ones left out", most=(5, 4))
    kept = spaced(len(gaps), room.points)
    canvas.line([(float(gaps[at][0]), gaps[at][1] or None) for at in kept], "gap")
    return canvas.svg()


def _gaps(a: Curve, b: Curve) -> list[tuple[int, float | None]]:
    """Return |a - b| of both middles at the steps that both have; None where one is missing."""
    other = dict(zip(b.steps, b.middle, strict=True))
    pairs = [
        (step, value, other[step])
        for step, value in zip(a.steps, a.middle, strict=True)
        if step in other
    ]
    return [
        (step, None if own is None or its is None else abs(own - its)) for step, own, its in pairs
    ]


def _at(column: Column, indices: Sequence[int]) -> list[float | None]:
    return [column[index] for index in indices]


def _table(a: Curve, b: Curve) -> tuple[tuple[str, ...], ...]:
    other, gaps = dict(zip(b.steps, b.middle, strict=True)), dict(_gaps(a, b))
    rows = []
    for index in spaced(len(a.steps), TABLE_STEPS):
        step = a.steps[index]
        numbers = (a.middle[index], other.get(step), gaps.get(step))
        rows.append((str(step), *map(_number, numbers)))
    return tuple(rows)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return mark(value) if math.isfinite(value) else str(value)
