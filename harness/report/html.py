"""The report as one HTML page: no request to anywhere, no script, light and dark, readable on a phone. The templates are in `templates/`."""

from __future__ import annotations

from harness.report import spending
from harness.report.matrix import action, hint, matrix, phase_tables, qualities, relation, setting, threads, unfinished, zeros
from harness.report.model import Report
from harness.report.pairs import gather, histories, summaries, told
from harness.report.plots.ratios import Intervals
from harness.report.templating import environment


def render(report: Report) -> str:
    """Return the whole page."""
    judged = matrix(report.stages)
    pairs = gather(report, judged)
    return environment().get_template("page.html").render(
        report=report, matrix=judged, pairs=pairs, summaries=summaries(report, pairs),
        elsewhere=[one for one in histories(report, None, pairs) if one],
        anchors={(pair.workload, pair.a, pair.b): pair.anchor for pair in pairs}, setting=setting(report), seeded=setting(report, "seed "),
        zeros=zeros(report), ended=unfinished(report), qualities=qualities(report.quality), action=action,
        phases=phase_tables(report.speed), relation=relation,
        costs=spending.lines(report.speed), spending=spending,
        plot=Intervals(tuple(row for row in report.speed if not row.by_phase)), threads=threads, hint=hint,
        told=lambda build: sorted(told(build).items()),
    )
