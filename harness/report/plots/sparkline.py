"""A history as small as a line of text: which way did it go, and where does it stand?"""

from __future__ import annotations

from markupsafe import Markup

from harness.report.plots import history
from harness.report.plots.canvas import Canvas, Frame
from harness.report.plots.figure import spaced
from harness.report.plots.scale import finite
from harness.results.series import FigureHistory

FRAME = Frame(width=150, height=26, left=3, right=4, top=3, bottom=3)
#: Points that so small a drawing can show.
POINTS = 50


def draw(item: FigureHistory) -> Markup:
    """Return the drawing of a history, its points equally far apart, with what they are held
    against and its change points; empty where no value can be drawn."""
    if not finite([*item.low, *item.middle, *item.high]):
        return Markup("")
    count = len(item.middle)
    xs = [float(at) for at in range(count)]
    low, high, logarithmic = history.reach(item)
    ends = (-0.5, 0.5) if count == 1 else (0.0, count - 1.0)
    label = f"{item.figure}: {count} points"
    canvas = Canvas(label, ends, (low, high), FRAME, "y" if logarithmic else "")
    history.references(canvas, item, xs)
    canvas.line([(xs[at], item.middle[at]) for at in spaced(count, POINTS)], "sa")
    for change in item.changes:
        if change.when in item.when:
            at = canvas.x(xs[item.when.index(change.when)])
            canvas.path(f"M{at:.1f} {canvas.top}V{canvas.bottom}", "change")
    last = next(at for at in reversed(range(count)) if finite([item.middle[at]]) or at == 0)
    if finite([item.middle[last]]):
        canvas.point(canvas.x(xs[last]), canvas.y(item.middle[last] or 0.0), "sa")
    return canvas.svg("spark")
