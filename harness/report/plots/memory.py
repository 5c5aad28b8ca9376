"""Peak memory of both sides during each action, with what they held before their first step."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report import format as spell
from harness.report.labels import action
from harness.report.plots.canvas import Canvas, Frame, shortened
from harness.report.plots.figure import Figure, LegendKey
from harness.results.model import Cost, SpeedRow

ROW, LEFT, BAR = 22, 104, 11
MIB = 2**20


def figure(rows: Sequence[SpeedRow], precision: Sequence[str]) -> Figure | None:
    """Return the figure of one pair's rows; None where no peak is known.

    Args:
        precision: of each row, as the report spells it.
    """
    bars = []
    for row, spelled in zip(rows, precision, strict=True):
        what = f"{action(row)} {spelled}"
        if row.a_peak_bytes:
            bars.append((what, f"a {row.a}", "sa", row.a_peak_bytes, row.a_cost))
        if row.b_peak_bytes:
            bars.append((what, f"b {row.b}", "sb", row.b_peak_bytes, row.b_cost))
    if not bars:
        return None
    canvas = Canvas(
        f"peak memory of {rows[0].a} and {rows[0].b}",
        (0.0, max(bar[3] for bar in bars) / MIB),
        (0.0, 1.0),
        Frame(height=ROW * len(bars) + 44, left=LEFT, right=58),
    )
    canvas.axes("MiB", y_mark=None, most=(4, 0))
    for number, (what, who, kind, peak, cost) in enumerate(bars):
        at = canvas.top + ROW * (number + 0.5)
        canvas.text(
            canvas.left - 6, at + 3.5, shortened(what if who.startswith("a") else who, 18), "end"
        )
        canvas.path(
            f"M{canvas.left} {at - BAR / 2}H{canvas.x(peak / MIB):.1f}v{BAR}H{canvas.left}Z",
            f"box {kind}",
        )
        base = _baseline(cost)
        if base:
            canvas.path(f"M{canvas.x(base / MIB):.1f} {at - BAR / 2 - 2}v{BAR + 4}", "limit")
        canvas.text(canvas.x(peak / MIB) + 4, at + 3.5, spell.memory(peak), kind="over")
    table = tuple(
        (
            what,
            who,
            spell.memory(peak),
            spell.memory(_baseline(cost)),
            spell.memory(cost.device_peak_bytes if cost else None),
        )
        for what, who, _, peak, cost in bars
    )
    return Figure(
        title="Peak memory",
        svg=(canvas.svg(),),
        columns=("what", "build", "peak", "before the first step", "on the device"),
        rows=table,
        note="Resident memory of the worker's process tree.",
        legend=(
            LegendKey("sa", f"a {rows[0].a}", "area"),
            LegendKey("sb", f"b {rows[0].b}", "area"),
            LegendKey("limit", "before the first step", "tick"),
        ),
    )


def _baseline(cost: Cost | None) -> int | None:
    return cost.baseline_bytes if cost else None
