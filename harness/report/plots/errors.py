"""Error against floor and threshold of a stage's tensors: which depart, how near is the rest?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from backends.contract import Stage
from harness.report import format as spell
from harness.report.plots.canvas import Canvas, Frame, shortened
from harness.report.plots.figure import ROOM, Figure, LegendKey, Room
from harness.report.plots.scale import finite
from harness.results.model import StageRow
from harness.results.series import Column, Compared
from harness.results.verdicts import Fidelity

#: Height of a row while there are few, and of all rows together.
ROW, TALLEST = 14, 430
#: Height that a name needs, and its letters.
NAME, LETTERS = 11, 22
LEFT = 136
LEGEND = (
    LegendKey("floor", "floor", "tick"),
    LegendKey("limit", "threshold", "tick"),
    LegendKey("sa", "error", "dot"),
    LegendKey("bad", "departs", "cross"),
)
#: Shape and class of what does not agree.
POINTS = {Fidelity.FAIL: ("cross", "bad"), Fidelity.INCONCLUSIVE: ("square", "open")}


def figure(row: StageRow, precision: str, room: Room = ROOM) -> Figure | None:
    """Return the figure of one row; None where no tensor was compared.

    Args:
        precision: as the report spells it.
    """
    if row.compared is None or not finite(_numbers(row.compared)):
        return None
    whole = row.compared
    drawn = whole.cut(room.failing if row.verdict == Fidelity.FAIL else room.others)
    if not finite(_numbers(drawn)):
        return None
    shown = len(drawn.names)
    what = "quantities" if row.stage == Stage.DISTRIBUTION else "tensors"
    order = "" if row.stage == Stage.DISTRIBUTION else ", from the first computed down"
    rows = listed(whole, room)
    return Figure(
        title=f"{row.stage}, {precision}: error against floor",
        svg=(draw(drawn, f"{row.stage} {precision}: error of {shown} {what}"),),
        columns=("tensor", "verdict", "error", "floor", "threshold"),
        rows=table(whole, rows),
        note=f"{shown} {what}{order}{_left_out(drawn, what)}.",
        legend=LEGEND,
        excerpt=_excerpt(whole, len(rows), what),
    )


def _numbers(tensors: Compared) -> Column:
    return (*tensors.errors, *tensors.floors, *tensors.thresholds)


def _left_out(drawn: Compared, what: str) -> str:
    """Return what is not shown, in words. Where anything else is shown, all that depart are."""
    if not drawn.left_out:
        return ""
    if len(drawn.departing) == len(drawn.names):
        return f", the first that depart and the worst; {drawn.left_out} {what} are not shown"
    return f"; {drawn.left_out} {what} further below their thresholds are not shown"


def listed(tensors: Compared, room: Room) -> list[int]:
    """Return the indices of the tensors that the table of numbers holds: the worst, and of those
    that depart as many as it may."""
    most = max(room.rows, min(len(tensors.departing), room.departing))
    return tensors.chosen(most)


def _excerpt(tensors: Compared, count: int, what: str) -> str:
    """Return which of all tensors the table holds."""
    total, departing = len(tensors.names) + tensors.left_out, len(tensors.departing)
    if count == total:
        return ""
    if (tensors.left_out and departing == len(tensors.names)) or departing > count:
        return f"{count} of {total}, the first that depart and the worst"
    if departing == count:
        return f"all {departing} that depart, of {total} {what}"
    among = f", all {departing} that depart among them" if departing else ""
    return f"the {count} worst of {total}{among}"


def table(tensors: Compared, indices: Sequence[int]) -> tuple[tuple[str, ...], ...]:
    """Return some tensors in numbers, in their order."""
    return tuple(
        (
            tensors.names[index],
            tensors.verdicts[index],
            spell.error(tensors.errors[index]),
            spell.error(tensors.floors[index]),
            spell.error(tensors.thresholds[index]),
        )
        for index in indices
    )


def draw(tensors: Compared, label: str) -> Markup:
    """Return the drawing: a row a tensor, a logarithmic axis of errors, zeros at its left end."""
    count = len(tensors.names)
    row = min(float(ROW), TALLEST / count)
    positive = finite(_numbers(tensors), positive=True) or [1.0]
    low = 10.0 ** max(-307, math.floor(math.log10(min(positive)) - 0.3))
    high = 10.0 ** min(308, math.ceil(math.log10(max(positive)) + 0.1))
    height = round(row * count) + 48
    canvas = Canvas(
        label, (low, high), (0.0, 1.0), Frame(height=height, left=LEFT, right=20, top=10), "x"
    )
    canvas.axes("error, logarithmic; 0 at the left end", y_mark=None, most=(4, 0))
    heights = [canvas.top + row * (index + 0.5) for index in range(count)]
    tall = max(row * 0.7, 2.0)
    for kind, values in (("floor", tensors.floors), ("limit", tensors.thresholds)):
        marks = "".join(
            f"M{canvas.x(value):.1f} {at - tall / 2:.1f}v{tall:.1f}"
            for at, value in zip(heights, values, strict=True)
            if value is not None and math.isfinite(value) and value > 0.0
        )
        if marks:
            canvas.path(marks, kind)
    for index, error in enumerate(tensors.errors):
        if error is not None:
            at = canvas.x(max(error, low)) if math.isfinite(error) else canvas.right
            shape, kind = POINTS.get(tensors.verdicts[index], ("dot", "sa"))
            canvas.point(at, heights[index], kind, _title(tensors, index), shape)
    for index in _named(tensors, heights):
        name = shortened(tensors.names[index], LETTERS)
        kind = "bad" if tensors.verdicts[index] == Fidelity.FAIL else ""
        canvas.text(canvas.left - 6, heights[index] + 3.5, name, "end", kind)
    return canvas.svg()


def _title(tensors: Compared, index: int) -> str:
    return (
        f"{tensors.names[index]}: error {spell.error(tensors.errors[index])},"
        f" floor {spell.error(tensors.floors[index])},"
        f" threshold {spell.error(tensors.thresholds[index])}"
    )


def _named(tensors: Compared, heights: Sequence[float]) -> list[int]:
    """Return the tensors whose names have room: where they are close, the worst."""
    named: list[int] = []
    for index in tensors.worst():
        if all(abs(heights[index] - heights[other]) >= NAME for other in named):
            named.append(index)
    return sorted(named)
