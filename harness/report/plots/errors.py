"""Error against floor and threshold, tensor by tensor, of one stage: where does it depart, and how
near to it is the rest?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from harness.report import format as spell
from harness.report.plots.canvas import Canvas, Frame, shortened
from harness.report.plots.figure import ROOM, Figure, Key, Room
from harness.report.plots.scale import finite
from harness.results.model import StageRow
from harness.results.series import Compared
from harness.results.verdicts import Fidelity

#: Height of a row, while there are few; all rows together; what a name needs; letters of a name.
ROW, TALLEST, NAME, LETTERS = 14, 430, 11, 22
LEFT = 136
LEGEND = (
    Key("floor", "floor", "tick"),
    Key("limit", "threshold", "tick"),
    Key("sa", "error", "dot"),
    Key("bad", "departs", "cross"),
)


def figure(row: StageRow, precision: str, room: Room = ROOM) -> Figure | None:
    """Return the figure of one row; None where no tensor was compared. `precision`: as the report
    spells it."""
    if row.compared is None or not finite(
        [*row.compared.errors, *row.compared.floors, *row.compared.thresholds]
    ):
        return None
    whole, given = (
        row.compared,
        row.compared.cut(room.failing if row.verdict == Fidelity.FAIL else room.others),
    )
    if not finite([*given.errors, *given.floors, *given.thresholds]):
        return None
    shown = len(given.names)
    what = "quantities" if row.stage == "distribution" else "tensors"
    order = "" if row.stage == "distribution" else ", from the first computed down"
    return Figure(
        f"{row.stage}, {precision}: error against floor",
        (draw(given, f"{row.stage} {precision}: error of {shown} {what}"),),
        ("tensor", "verdict", "error", "floor", "threshold"),
        table(whole, listed(whole, room)),
        f"{shown} {what}{order}{_left_out(given, what)}.",
        LEGEND,
        told=_told(whole, len(listed(whole, room)), what),
    )


def _left_out(given: Compared, what: str) -> str:
    """Return what is not shown, in words. Where anything else is shown, all that depart are."""
    if not given.left_out:
        return ""
    if len(given.departing) == len(given.names):
        return f", the first that depart and the worst; {given.left_out} {what} are not shown"
    return f"; {given.left_out} {what} further below their thresholds are not shown"


def listed(given: Compared, room: Room) -> list[int]:
    """Return the places of the tensors that the table of numbers holds: the worst, and of those
    that depart as many as it may."""
    most = max(room.rows, min(len(given.departing), room.departing))
    return given.chosen(most)


def _told(given: Compared, count: int, what: str) -> str:
    """Return which of all tensors the table holds."""
    total, departing = len(given.names) + given.left_out, len(given.departing)
    if count == total:
        return ""
    if (given.left_out and departing == len(given.names)) or departing > count:
        return f"{count} of {total}, the first that depart and the worst"
    if departing == count:
        return f"all {departing} that depart, of {total} {what}"
    return f"the {count} worst of {total}" + (
        f", all {departing} that depart among them" if departing else ""
    )


def table(given: Compared, places: Sequence[int]) -> tuple[tuple[str, ...], ...]:
    """Return some tensors in numbers, in their order."""
    return tuple(
        (
            given.names[at],
            given.verdicts[at],
            *(spell.error(values[at]) for values in (given.errors, given.floors, given.thresholds)),
        )
        for at in places
    )


def draw(given: Compared, label: str) -> Markup:
    """Return the drawing: a row a tensor, a logarithmic axis of errors, what is zero at its left
    end."""
    count = len(given.names)
    row = min(float(ROW), TALLEST / count)
    positive = finite([*given.errors, *given.floors, *given.thresholds], positive=True) or [1.0]
    low = 10.0 ** max(-307, math.floor(math.log10(min(positive)) - 0.3))
    high = 10.0 ** min(308, math.ceil(math.log10(max(positive)) + 0.1))
    height = round(row * count) + 48
    canvas = Canvas(
        label, (low, high), (0.0, 1.0), Frame(height=height, left=LEFT, right=20, top=10), "x"
    )
    canvas.axes("error, logarithmic; 0 at the left end", y_mark=None, most=(4, 0))
    heights = [canvas.top + row * (at + 0.5) for at in range(count)]
    tall = max(row * 0.7, 2.0)
    for kind, values in (("floor", given.floors), ("limit", given.thresholds)):
        marks = "".join(
            f"M{canvas.x(value):.1f} {at - tall / 2:.1f}v{tall:.1f}"
            for at, value in zip(heights, values, strict=True)
            if value is not None and math.isfinite(value) and value > 0.0
        )
        if marks:
            canvas.path(marks, kind)
    for at, (name, verdict, error) in enumerate(
        zip(given.names, given.verdicts, given.errors, strict=True)
    ):
        if error is None:
            continue
        title = (
            f"{name}: error {spell.error(error)}, floor {spell.error(given.floors[at])}, threshold"
            f" {spell.error(given.thresholds[at])}"
        )
        odd = not math.isfinite(error)
        place = canvas.right if odd else canvas.x(max(error, low))
        shape, kind = (
            ("cross", "bad")
            if verdict == Fidelity.FAIL
            else ("square", "open")
            if verdict == Fidelity.INCONCLUSIVE
            else ("dot", "sa")
        )
        canvas.point(place, heights[at], kind, title, shape)
    for at in _named(given, heights):
        kind = "bad" if given.verdicts[at] == Fidelity.FAIL else ""
        canvas.text(
            canvas.left - 6, heights[at] + 3.5, shortened(given.names[at], LETTERS), "end", kind
        )
    return canvas.svg()


def _named(given: Compared, heights: Sequence[float]) -> list[int]:
    """Return the tensors whose names have room, the worst first."""
    named: list[int] = []
    for at in given.worst():
        if all(abs(heights[at] - heights[other]) >= NAME for other in named):
            named.append(at)
    return sorted(named)
