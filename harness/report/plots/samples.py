"""What models generate against real rows, in quantiles of each channel: alike on the diagonal."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from markupsafe import Markup

from harness.report.plots.canvas import Canvas, Frame, shortened
from harness.report.plots.figure import Figure, LegendKey, sides
from harness.report.plots.scale import finite, mark
from harness.results.model import Report
from harness.results.series import REAL, Column, Spread

#: Channels that are drawn, those furthest from real ones first.
MOST = 24
SIZE = 168
#: Shares of the table of numbers.
TABLE_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def figures(report: Report, workload: str, a: str, b: str) -> list[Figure]:
    """Return a figure for each precision in which both sides left trained models."""
    drawn = []
    spreads = {
        (item.precision, item.build): item for item in report.spreads if item.workload == workload
    }
    for (precision, build), first in spreads.items():
        second = spreads.get((precision, b))
        if build == a and second is not None and len(second.quantiles) == len(first.quantiles):
            drawn.append(_figure(first, second, spreads.get((precision, REAL))))
    return drawn


def _figure(a: Spread, b: Spread, real: Spread | None) -> Figure:
    if real is None or len(real.quantiles) != len(a.quantiles):
        against, name = a, f"a {a.build}"
    else:
        against, name = real, "real rows"
    order = sorted(range(len(a.channels)), key=lambda channel: -_apart(a, b, against, channel))
    shown, left, excerpt = order[:MOST], "", ""
    if len(order) > MOST:
        left = f" {len(order) - MOST} channels that are closer are not shown."
        excerpt = f"{MOST} of {len(order)} channels, the furthest apart"
    note = (
        f"Quantiles of generated rows (upwards) against those of {name} (to the right), channel by"
        f" channel, the furthest apart first; on the diagonal they are alike. Median of {a.models}"
        f" and {b.models} models.{left}"
    )
    legend = (
        LegendKey("one", f"as {name}"),
        *sides(a.build, b.build)[0 if against is real else 1 :],
    )
    return Figure(
        title=f"Generated against real, {a.precision}",
        svg=tuple(_draw(a, b, against, channel) for channel in shown),
        columns=("channel", "rows of", *(f"{100 * share:g} %" for share in TABLE_SHARES)),
        rows=_table(a, b, real, shown),
        note=note,
        legend=legend,
        size="small",
        excerpt=excerpt,
    )


def _table(
    a: Spread, b: Spread, real: Spread | None, channels: Sequence[int]
) -> tuple[tuple[str, ...], ...]:
    """Return some quantiles of each of some channels."""
    sources = (("real rows", real), (f"a {a.build}", a), (f"b {b.build}", b))
    rows = []
    for channel in channels:
        for name, spread in sources:
            if spread is not None:
                column = spread.quantiles[channel]
                numbers = (_number(column, share) for share in TABLE_SHARES)
                rows.append((a.channels[channel], name, *numbers))
    return tuple(rows)


def _apart(a: Spread, b: Spread, against: Spread, channel: int) -> float:
    """Return the largest distance of a quantile from the other's, on the other's range."""
    other = against.quantiles[channel]
    known = finite(other)
    reach = max(known) - min(known) if known else 0.0
    gaps = [
        abs(quantile - expected)
        for side in (a, b)
        for quantile, expected in zip(side.quantiles[channel], other, strict=True)
        if quantile is not None and expected is not None
    ]
    largest = max(finite(gaps), default=0.0)
    return largest / reach if reach else largest


def _draw(a: Spread, b: Spread, against: Spread, channel: int) -> Markup:
    name = a.channels[channel]
    columns = (a.quantiles[channel], b.quantiles[channel], against.quantiles[channel])
    values = finite(itertools.chain.from_iterable(columns)) or [0.0, 1.0]
    ends = (min(values), max(values))
    frame = Frame(SIZE, SIZE, left=36, right=14, top=20, bottom=20)
    canvas = Canvas(f"{name}: generated against {against.build}", ends, ends, frame)
    canvas.axes(most=(3, 3))
    canvas.text(0, 11, shortened(name, 28), kind="name")
    canvas.line([(ends[0], ends[0]), (ends[1], ends[1])], "one")
    for side, kind in ((a, "sa"), (b, "sb")):
        if side is not against:
            points = zip(against.quantiles[channel], side.quantiles[channel], strict=True)
            canvas.line(list(points), kind)
    return canvas.svg()


def _number(column: Column, share: float) -> str:
    value = column[round(share * (len(column) - 1))]
    if value is None:
        return "-"
    return mark(float(f"{value:.3g}")) if finite([value]) else str(value)
