"""What models generate against real rows: quantiles of each channel; on the diagonal, they are
alike."""

from __future__ import annotations

from markupsafe import Markup

from harness.report.plots.canvas import Canvas, Frame, shortened
from harness.report.plots.figure import Figure, Key, sides
from harness.report.plots.scale import finite, mark
from harness.results.model import Report
from harness.results.series import REAL, Column, Spread

#: Channels that are drawn, those furthest from real ones first.
MOST = 24
SIZE = 168
#: Shares of the table of numbers.
TOLD = (0.05, 0.25, 0.5, 0.75, 0.95)


def figures(report: Report, workload: str, a: str, b: str) -> list[Figure]:
    """Return a figure for each precision in which both sides left trained models."""
    found = []
    spreads = {
        (item.precision, item.build): item for item in report.spreads if item.workload == workload
    }
    for (precision, build), first in spreads.items():
        second = spreads.get((precision, b))
        if build == a and second is not None and len(second.quantiles) == len(first.quantiles):
            found.append(_figure(first, second, spreads.get((precision, REAL))))
    return found


def _figure(a: Spread, b: Spread, real: Spread | None) -> Figure:
    if real is None or len(real.quantiles) != len(a.quantiles):
        against, name = a, f"a {a.build}"
    else:
        against, name = real, "real rows"
    order = sorted(range(len(a.channels)), key=lambda at: -_apart(a, b, against, at))
    drawn = tuple(_draw(a, b, against, at) for at in order[:MOST])
    rows = [
        (a.channels[at], who, *(_number(columns.quantiles[at], share) for share in TOLD))
        for at in order[:MOST]
        for who, columns in (("real rows", real), (f"a {a.build}", a), (f"b {b.build}", b))
        if columns is not None
    ]
    left = (
        f" {len(order) - MOST} channels that are closer are not shown." if len(order) > MOST else ""
    )
    note = (
        f"Quantiles of generated rows (upwards) against those of {name} (to the right), channel by"
        f" channel, the furthest apart first; on the diagonal they are alike. Median of {a.models}"
        f" and {b.models} models.{left}"
    )
    told = f"{MOST} of {len(order)} channels, the furthest apart" if len(order) > MOST else ""
    legend = (Key("one", f"as {name}"), *sides(a.build, b.build)[0 if against is real else 1 :])
    shares = tuple(f"{100 * share:g} %" for share in TOLD)
    columns = ("channel", "rows of", *shares)
    return Figure(
        f"Generated against real, {a.precision}",
        drawn,
        columns,
        tuple(rows),
        note,
        legend,
        "small",
        told,
    )


def _apart(a: Spread, b: Spread, against: Spread, channel: int) -> float:
    """Return the largest distance of a quantile from the other's, on the other's range."""
    other = against.quantiles[channel]
    known = finite(other)
    reach = max(known) - min(known) if known else 0.0
    gaps = [
        abs(one - two)
        for side in (a, b)
        for one, two in zip(side.quantiles[channel], other, strict=True)
        if one is not None and two is not None
    ]
    found = max(finite(gaps), default=0.0)
    return found / reach if reach else found


def _draw(a: Spread, b: Spread, against: Spread, channel: int) -> Markup:
    name = a.channels[channel]
    values = finite([value for side in (a, b, against) for value in side.quantiles[channel]]) or [
        0.0,
        1.0,
    ]
    ends = (min(values), max(values))
    canvas = Canvas(
        f"{name}: generated against {against.build}", ends, ends, Frame(SIZE, SIZE, 36, 14, 20, 20)
    )
    canvas.axes(most=(3, 3))
    canvas.text(0, 11, shortened(name, 28), kind="name")
    canvas.line([(ends[0], ends[0]), (ends[1], ends[1])], "one")
    for side, kind in ((a, "sa"), (b, "sb")):
        if side is against:
            continue
        canvas.line(
            list(zip(against.quantiles[channel], side.quantiles[channel], strict=True)), kind
        )
    return canvas.svg()


def _number(column: Column, share: float) -> str:
    value = column[round(share * (len(column) - 1))]
    return "-" if value is None else mark(float(f"{value:.3g}")) if finite([value]) else str(value)
