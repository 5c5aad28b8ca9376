"""Ratios of step times with their intervals: beside rows of a table, and as a pair's figure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from harness.report import format as spell
from harness.report.labels import action
from harness.report.plots.canvas import Canvas, Frame, shortened
from harness.report.plots.figure import Figure, LegendKey
from harness.report.plots.scale import finite
from harness.results.model import SpeedRow
from harness.results.speed_words import relation, relation_interval
from harness.results.verdicts import Speed
from harness.speed.verdict import MARGIN

TONES = {Speed.FASTER: "good", Speed.SLOWER: "bad", Speed.SAME: "good"}
#: Of a row's drawing, in units of its view box.
BESIDE, HEIGHT, EDGE = 240, 26, 16
#: A mark nearer than this to that of 1 would be written across it.
MARK_WIDTH = 24
#: Ratios that an axis can be marked with; of those in range, the outermost are shown.
TICKS = (0.01, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 1.02, 1.05, 1.1, 1.25, 2.0, 5.0, 10.0, 100.0)
#: Beyond this factor a ratio is drawn at the edge.
LARGEST = 1000.0
#: Height of a row of a figure; room for its name.
ROW, LEFT = 26, 104


def ends(row: SpeedRow) -> tuple[float, float, float] | None:
    """Return low, ratio and high where all can be drawn."""
    low, middle, high = row.low, row.ratio, row.high
    if low is None or middle is None or high is None:
        return None
    if any(not math.isfinite(end) or end <= 0 for end in (low, middle, high)):
        return None
    return float(low), float(middle), float(high)


def figure(rows: Sequence[SpeedRow], precision: Sequence[str]) -> Figure | None:
    """Return the figure of one pair's rows; None where none has an interval.

    Args:
        precision: of each row, as the report spells it.
    """
    drawn = [
        (row, spelled, interval)
        for row, spelled in zip(rows, precision, strict=True)
        if (interval := ends(row)) is not None
    ]
    if not drawn:
        return None
    axis = Intervals(tuple(row for row, _, _ in drawn))
    first = drawn[0][0]
    canvas = Canvas(
        f"time of {first.b} over time of {first.a}, with 99 % intervals",
        (axis.low, axis.high),
        (0.0, 1.0),
        Frame(height=ROW * len(drawn) + 44, left=LEFT),
        "x",
    )
    margin = [canvas.x(1.0 / (1.0 + MARGIN)), canvas.x(1.0 + MARGIN)]
    canvas.path(
        f"M{margin[0]:.1f} {canvas.top}H{margin[1]:.1f}V{canvas.bottom}H{margin[0]:.1f}Z", "margin"
    )
    canvas.axes("time of b / time of a, logarithmic", y_mark=None, most=(4, 0))
    canvas.path(f"M{canvas.x(1.0):.1f} {canvas.top}V{canvas.bottom}", "one")
    for number, (row, spelled, (low, middle, high)) in enumerate(drawn):
        at, tone = canvas.top + ROW * (number + 0.5), TONES.get(row.verdict, "open")
        canvas.text(canvas.left - 6, at + 3.5, shortened(f"{action(row)} {spelled}", 18), "end")
        canvas.path(
            f"M{canvas.x(low):.1f} {at}H{canvas.x(high):.1f}m0-4v8M{canvas.x(low):.1f} {at - 4}v8",
            f"bar {tone}",
        )
        canvas.point(
            canvas.x(middle), at, tone, f"{relation(row)} {relation_interval(row)}".rstrip()
        )
    table = tuple(
        (
            f"{action(row)} {spelled}",
            relation(row),
            relation_interval(row),
            spell.ratio_alone(row.ratio),
            str(row.rounds),
        )
        for row, spelled, _ in drawn
    )
    note = (
        f"Above 1, b is slower. Shaded: the margin of {100 * MARGIN:g} %, from 1/{1 + MARGIN:g} to"
        f" {1 + MARGIN:g}, that a difference has to leave to be material."
    )
    return Figure(
        title="Speed: ratio with its 99 % interval",
        svg=(canvas.svg(),),
        columns=("what", "b is", "99 % interval", "time of b / time of a", "rounds"),
        rows=table,
        note=note,
        legend=(LegendKey("margin", f"within {100 * MARGIN:g} %", "area"),),
    )


class Intervals:
    """The intervals of all speed rows, each a small SVG, on one logarithmic scale that holds 1."""

    def __init__(self, rows: tuple[SpeedRow, ...]) -> None:
        known: list[float] = []
        for row in rows:
            known += finite((row.ratio, row.low, row.high), positive=True)
        reach = min(max([1.1, *known, *(1 / end for end in known)]), LARGEST)
        self.low, self.high = 1 / reach, reach
        if known and min(known) > 1 / 1.1:
            self.low = 1 / 1.1
        if known and max(known) < 1.1:
            self.high = 1.1

    def _x(self, ratio: float) -> float:
        inside = min(max(ratio, self.low), self.high)
        part = (math.log(inside) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return round(EDGE + part * (BESIDE - 2 * EDGE), 1)

    def axis(self) -> Markup:
        """Return the scale: 1, and on either side the outermost round ratio, if it has room."""
        below = [tick for tick in TICKS if self.low <= tick < 1.0][:1]
        above = [tick for tick in TICKS if 1.0 < tick <= self.high][-1:]
        apart = [
            tick for tick in (*below, *above) if abs(self._x(tick) - self._x(1.0)) >= MARK_WIDTH
        ]
        marks = "".join(
            f'<text x="{self._x(tick)}" y="16">{tick:g}</text>' for tick in sorted([*apart, 1.0])
        )
        return _svg(marks, "scale of the ratio")

    def row(self, row: SpeedRow) -> Markup:
        """Return one row's interval, or nothing if it has none."""
        interval = ends(row)
        if interval is None:
            return Markup("")
        low, middle, high = (self._x(end) for end in interval)
        y, unity = HEIGHT / 2, self._x(1.0)
        drawn = (
            f'<line class="axis" x1="{EDGE}" x2="{BESIDE - EDGE}" y1="{y}" y2="{y}"/>'
            f'<line class="one" x1="{unity}" x2="{unity}" y1="0" y2="{HEIGHT}"/>'
            f'<line class="bar" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>'
            f'<circle cx="{middle}" cy="{y}" r="4"/>'
        )
        return _svg(drawn, f"{relation(row)} {relation_interval(row)}".rstrip())


def _svg(drawn: str, label: str) -> Markup:
    # All of it is made of numbers that this module formats; nothing comes from a user.
    return Markup(  # noqa: S704
        f'<svg class="beside" viewBox="0 0 {BESIDE} {HEIGHT}" role="img"'
        f' aria-label="{label}">{drawn}</svg>'
    )
