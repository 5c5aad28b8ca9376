"""One figure over many runs, with its change points."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence

from harness.report import format as spell
from harness.report.plots.canvas import Canvas, Frame
from harness.report.plots.figure import Figure, LegendKey, spaced
from harness.report.plots.scale import finite, mark
from harness.results.series import FigureHistory, JudgedHistory
from harness.speed.verdict import MARGIN

WIDTH, HEIGHT = 740, 210
#: Points in the table of numbers.
TABLE_POINTS = 10
#: Dates for which the axis has room.
MARKS = 8
#: With at most so many points each is a dot of its own.
DOTS = 40
DAY_S = 86_400.0


def figure(item: FigureHistory, points: int) -> Figure | None:
    """Return the figure of one history; None if none can be drawn.

    Args:
        item: the history.
        points: how many are drawn at most, equally spaced, the first and last among them.
    """
    known = finite([*item.low, *item.middle, *item.high])
    if not known:
        return None
    spelled = spelling(item.unit)
    xs = [_days(text) for text in item.when]
    kept = spaced(len(xs), points)
    low, high, logarithmic = reach(item)
    who = f"{item.workload}, {item.a}" + (f" : {item.b}" if item.b else "") + f", {item.precision}"
    canvas = Canvas(
        f"{item.figure} of {who} over {item.runs} runs",
        _whole(xs),
        (low, high),
        Frame(WIDTH, HEIGHT, left=66, right=32, top=20),
        "y" if logarithmic else "",
    )
    references(canvas, item, xs)
    canvas.axes(y_mark=spelled, x_mark=None)
    canvas.marks({float(day): _date(day) for day in days(canvas.x.low, canvas.x.high)})
    _draw(canvas, item, xs, kept)
    listed = [kept[index] for index in spaced(len(kept), TABLE_POINTS)]
    banded = any(low != high for low, high in zip(item.low, item.high, strict=True))
    note = f"{item.runs} runs: level, and {item.band}." if banded else f"{item.runs} runs."
    if item.changes:
        note += (
            " Numbered lines: change points; the table says from what to what, and what is"
            " suspected."
        )
    legend = (
        LegendKey("sa", item.figure),
        *((LegendKey("change", "change point"),) if item.changes else ()),
        *_reference_keys(item),
    )
    return Figure(
        title=f"{item.figure}: {who}",
        svg=(canvas.svg(),),
        columns=("what", "when", "value", "suspect"),
        rows=_table(item, listed),
        note=note,
        legend=legend,
        size="wide",
        excerpt=f"{len(listed)} of {item.runs} runs" if len(listed) < item.runs else "",
    )


def _table(item: FigureHistory, listed: Sequence[int]) -> tuple[tuple[str, ...], ...]:
    """Return the change points, and the level at some of the runs."""
    spelled = spelling(item.unit)
    rows = []
    for number, change in enumerate(item.changes, 1):
        values = f"{spelled(change.before)} → {spelled(change.after)}"
        rows.append((f"change {number}", change.when, values, change.suspect or "-"))
    rows += [("level", item.when[at], _value(item.middle[at], spelled), "-") for at in listed]
    return tuple(rows)


def _draw(canvas: Canvas, item: FigureHistory, xs: Sequence[float], kept: Sequence[int]) -> None:
    """Draw a history's band, level and change points.

    Where it has few points each is a dot, so that one alone is seen too.
    """
    canvas.band(
        [xs[index] for index in kept],
        [item.low[index] for index in kept],
        [item.high[index] for index in kept],
        "sa",
    )
    canvas.line([(xs[index], item.middle[index]) for index in kept], "sa")
    spelled = spelling(item.unit)
    for index in kept if len(kept) <= DOTS else ():
        level = item.middle[index]
        if level is not None and finite([level]):
            title = f"{item.when[index]}: {spelled(level)}"
            canvas.point(canvas.x(xs[index]), canvas.y(level), "sa", title)
    for number, change in enumerate(item.changes, 1):
        at = canvas.x(_days(change.when))
        canvas.path(f"M{at:.1f} {canvas.top}V{canvas.bottom}", "change")
        canvas.text(at, canvas.top - 6, str(number), "middle", "change")


def reach(item: FigureHistory) -> tuple[float, float, bool]:
    """Return the ends of the axis of values, and whether it is logarithmic: what the values are
    held against lies between them, too."""
    values = [*item.low, *item.middle, *item.high]
    if item.is_ratio:
        values += [1.0 / (1.0 + MARGIN), 1.0 + MARGIN]
    if isinstance(item, JudgedHistory) and item.threshold:
        positive = finite([*values, *item.floor, *item.threshold], positive=True)
        if positive:
            return min(positive) / 2.0, max(positive) * 2.0, True
    known = finite(values)
    room = 0.08 * (max(known) - min(known))
    return min(known) - room, max(known) + room, False


def references(canvas: Canvas, item: FigureHistory, xs: Sequence[float]) -> None:
    """Draw what values are held against: of ratios 1 and the margin, of errors floor and threshold.

    Args:
        canvas: whose axis has the ends of `reach`. item: what is drawn on it. xs: of its points.
    """
    if item.is_ratio:
        top, bottom = canvas.y(1.0 + MARGIN), canvas.y(1.0 / (1.0 + MARGIN))
        across = f"H{canvas.right}"
        canvas.path(f"M{canvas.left} {top:.1f}{across}V{bottom:.1f}H{canvas.left}Z", "margin")
        canvas.path(f"M{canvas.left} {canvas.y(1.0):.1f}{across}", "one")
    if isinstance(item, JudgedHistory):
        for kind, column in (("floor", item.floor), ("limit", item.threshold)):
            if len(finite(column)) == 1:  # a line needs two points
                at = canvas.y(finite(column)[0])
                canvas.path(f"M{canvas.left} {at:.1f}H{canvas.right}", kind)
            elif column:
                canvas.line(list(zip(xs, column, strict=True)), kind)


def _reference_keys(item: FigureHistory) -> tuple[LegendKey, ...]:
    if item.is_ratio:
        return (LegendKey("one", "1: as fast"), LegendKey("margin", f"{100 * MARGIN:g} %", "area"))
    if isinstance(item, JudgedHistory) and item.threshold:
        return LegendKey("floor", "floor"), LegendKey("limit", "threshold")
    return ()


def spelling(unit: str) -> Callable[[float], str]:
    """Return what spells a value of a unit."""
    if unit == "s":
        return spell.seconds
    if unit == "bytes":
        return lambda value: spell.memory(round(value))
    return lambda value: mark(float(f"{value:.4g}"))


def _value(value: float | None, spelled: Callable[[float], str]) -> str:
    return spelled(value) if value is not None and finite([value]) else "-"


def _days(when: str) -> float:
    """Return a moment in days since 1970; what is not a date lies there."""
    try:
        moment = datetime.datetime.fromisoformat(when.replace("Z", "+00:00"))
    except ValueError:
        return 0.0
    return moment.replace(tzinfo=moment.tzinfo or datetime.timezone.utc).timestamp() / DAY_S


def _whole(moments: Sequence[float]) -> tuple[float, float]:
    """Return the whole days around all moments; a day more on either side where that is one day."""
    low, high = math.floor(min(moments)), math.ceil(max(moments))
    return (low, high) if high - low > 1 else (low - 1, low + 2)


def days(low: float, high: float, most: int = MARKS) -> list[int]:
    """Return whole days between two moments, equally far apart, at most so many."""
    first, last = math.ceil(low), math.floor(high)
    return list(range(first, last + 1, max(1, math.ceil((last - first + 1) / most))))


def _date(day: int) -> str:
    """Return a day since 1970; nothing where that is in no year that dates have."""
    try:
        return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()
    except OverflowError:
        return ""


def budget(count: int, most: int = 24_000) -> int:
    """Return how many points each history may have, for all together to stay small.

    Args:
        count: of histories.
        most: points of all of them; each keeps a few, so that very many may have more.
    """
    return max(12, min(200, most // max(1, count)))
