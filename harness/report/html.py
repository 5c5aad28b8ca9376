"""The report as one HTML page: no request to anywhere, light and dark, readable on a phone.

All text from outside is escaped by jinja2; the only markup that is let through is the plot drawn here, from numbers.
"""

from __future__ import annotations

import json
import math

import jinja2
from markupsafe import Markup

from harness.report import format as spell
from harness.report import spending
from harness.report.html_page import PAGE, STYLE
from harness.report.matrix import action, hint, matrix, phase_tables, qualities, relation, setting, threads, unfinished, zeros
from harness.report.model import BuildRow, Report, SpeedRow

SIGNS = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?", "INFO": "i"}
TONES = {
    "PASS": "good", "FAIL": "bad", "INCONCLUSIVE": "open", "INFO": "dim",
    "FASTER": "good", "SLOWER": "bad", "SAME": "good", "UNCLEAR": "open", "REFUSED": "open",
}
#: Of the plot, in units of its view box.
WIDTH, HEIGHT, EDGE = 240, 26, 16
#: A mark nearer than this to that of 1 would be written across it.
MARK_WIDTH = 24
#: Ratios that an axis can be marked with; of those in range, the outermost are shown.
TICKS = (0.01, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 1.02, 1.05, 1.1, 1.25, 2.0, 5.0, 10.0, 100.0)
#: Beyond this factor a ratio is drawn at the edge.
LARGEST = 1000.0


def render(report: Report) -> str:
    """Return the whole page."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    environment.filters["line"] = lambda text: spell.one_line(str(text))
    environment.filters["tone"] = lambda verdict: TONES.get(verdict, "dim")
    return environment.from_string(PAGE).render(
        report=report, style=Markup(STYLE),  # noqa: S704  (a constant of this package)
        matrix=matrix(report.stages), setting=setting(report), seeded=setting(report, "seed "),
        zeros=zeros(report), ended=unfinished(report), qualities=qualities(report.quality), action=action,
        phases=phase_tables(report.speed), relation=relation,
        costs=spending.lines(report.speed), spending=spending,
        plot=Plot(report.speed), threads=threads, spell=spell, hint=hint, told=_told, sign=lambda verdict: SIGNS.get(verdict, ""),
    )


def _told(build: BuildRow) -> list[tuple[str, str]]:
    """Return what is in effect in a build, in words, sorted by name."""
    told = {str(name): value if isinstance(value, str) else json.dumps(value, default=str) for name, value in build.effective.items()}
    return sorted(told.items())


class Plot:
    """The intervals of all speed rows on one logarithmic scale that always holds 1, each drawn as a small inline SVG."""

    def __init__(self, rows: tuple[SpeedRow, ...]) -> None:
        ends = [end for row in rows for end in (row.ratio, row.low, row.high) if end is not None and math.isfinite(end) and end > 0]
        reach = min(max([1.1, *ends, *(1 / end for end in ends)]), LARGEST)
        self.low, self.high = 1 / reach, reach
        if ends and min(ends) > 1 / 1.1:
            self.low = 1 / 1.1
        if ends and max(ends) < 1.1:
            self.high = 1.1

    def _x(self, ratio: float) -> float:
        inside = min(max(ratio, self.low), self.high)
        part = (math.log(inside) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return round(EDGE + part * (WIDTH - 2 * EDGE), 1)

    def axis(self) -> Markup:
        """Return the scale: 1, and the outermost round ratios on either side of it for which there is room."""
        below = [tick for tick in TICKS if self.low <= tick < 1.0][:1]
        above = [tick for tick in TICKS if 1.0 < tick <= self.high][-1:]
        apart = [tick for tick in (*below, *above) if abs(self._x(tick) - self._x(1.0)) >= MARK_WIDTH]
        marks = "".join(f'<text x="{self._x(tick)}" y="16">{tick:g}</text>' for tick in sorted([*apart, 1.0]))
        return _svg(marks, "scale of the ratio")

    def row(self, row: SpeedRow) -> Markup:
        """Return one row's interval, or nothing if it has none."""
        ends = (row.low, row.ratio, row.high)
        if any(end is None or not math.isfinite(end) or end <= 0 for end in ends):
            return Markup("")
        low, middle, high = (self._x(end) for end in ends if end is not None)
        y, one = HEIGHT / 2, self._x(1.0)
        drawn = (
            f'<line class="axis" x1="{EDGE}" x2="{WIDTH - EDGE}" y1="{y}" y2="{y}"/>'
            f'<line class="one" x1="{one}" x2="{one}" y1="0" y2="{HEIGHT}"/>'
            f'<line class="bar" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/><circle cx="{middle}" cy="{y}" r="4"/>'
        )
        return _svg(drawn, spell.ratio(row.ratio, row.low, row.high))


def _svg(drawn: str, label: str) -> Markup:
    # All of it is made of numbers that this module formats; nothing comes from a user.
    return Markup(f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{drawn}</svg>')  # noqa: S704
