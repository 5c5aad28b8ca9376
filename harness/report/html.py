"""The report as one HTML page: no request to anywhere, no script, light and dark, readable on a
phone. Its templates: `templates/`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.report import costs as spending
from harness.report.format import MISSING
from harness.report.matrix import (
    action,
    hint,
    matrix,
    ordered,
    phase_tables,
    qualities,
    relation,
    setting,
    threads,
    unfinished,
    zeros,
)
from harness.report.pairs import gather, histories, summaries, told
from harness.report.plots.ratios import Intervals
from harness.report.templating import environment
from harness.results.model import Report


def render(report: Report) -> str:
    """Return the whole page."""
    judged = matrix(report.stages)
    pairs = gather(report, judged)
    costs = spending.lines(ordered(report.speed))
    return (
        environment()
        .get_template("page.html")
        .render(
            report=report,
            matrix=judged,
            pairs=pairs,
            summaries=summaries(report, pairs),
            elsewhere=[one for one in histories(report, None, pairs) if one],
            anchors={(pair.workload, pair.a, pair.b): pair.anchor for pair in pairs},
            setting=setting(report),
            seeded=setting(report, "seed "),
            zeros=zeros(report),
            ended=unfinished(report),
            qualities=qualities(report.quality),
            action=action,
            phases=phase_tables(report.speed),
            relation=relation,
            costs=costs,
            spending=spending,
            cost_columns=_told(costs),
            plot=Intervals(tuple(row for row in report.speed if not row.by_phase)),
            threads=threads,
            hint=hint,
            told=lambda build: sorted(told(build).items()),
        )
    )


def _told(costs: Sequence[spending.Line]) -> dict[str, Callable[[spending.Line], str]]:
    """Return the columns of costs in which any build has a number; why the others have none stands
    below the table."""
    return {
        name: cell
        for name, cell in spending.COLUMNS.items()
        if any(cell(line) != MISSING for line in costs)
    }
