"""The report as one HTML page: no request to anywhere, no script, light and dark, for phones too.

Its templates are in `templates/`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.report import costs, overview, speed_blocks, terms
from harness.report.format import MISSING
from harness.report.labels import action, hint, setting, threads
from harness.report.matrix import matrix, qualities, unfinished, zeros
from harness.report.page_templates import environment
from harness.report.pairs import gather, other_histories, summaries
from harness.report.phase_table import phase_tables, relation
from harness.report.plots.ratios import Intervals
from harness.report.provenance import in_words
from harness.results.model import Report

#: What else of a report lies in a run's folder (`harness.report.renderers`, which imports this).
FILES = ("report.json", "report.md", "report.xml")


def render(report: Report) -> str:
    """Return the whole page."""
    judged = matrix(report.stages)
    pairs = gather(report, judged)
    cost_lines = costs.lines(costs.ordered(report.speed))
    tables = overview.tables(summaries(report, pairs))
    blocks = speed_blocks.blocks(report.speed)
    return (
        environment()
        .get_template("page.html")
        .render(
            report=report,
            matrix=judged,
            pairs=pairs,
            overview=tables,
            blocks=blocks,
            filters=overview.filters(tables, blocks),
            slowest=overview.slowest(blocks),
            terms=terms.used(report),
            files=FILES,
            elsewhere=other_histories(report, pairs),
            anchors={(pair.workload, pair.a, pair.b): pair.anchor for pair in pairs},
            setting=setting(report),
            seeded=setting(report, "seed "),
            zeros=zeros(report),
            ended=unfinished(report),
            qualities=qualities(report.quality),
            action=action,
            phases=phase_tables(report.speed),
            relation=relation,
            cost_lines=cost_lines,
            costs=costs,
            cost_columns=_filled_columns(cost_lines),
            plot=Intervals(tuple(row for row in report.speed if not row.by_phase)),
            threads=threads,
            hint=hint,
            effective=lambda build: sorted(in_words(build.effective).items()),
        )
    )


def _filled_columns(
    cost_lines: Sequence[costs.CostLine],
) -> dict[str, Callable[[costs.CostLine], str]]:
    """Return the columns of costs in which any build has a number; below the table stands why."""
    return {name: cell for name, cell in costs.COLUMNS.items() if _filled(cell, cost_lines)}


def _filled(cell: Callable[[costs.CostLine], str], cost_lines: Sequence[costs.CostLine]) -> bool:
    return any(cell(line) != MISSING for line in cost_lines)
