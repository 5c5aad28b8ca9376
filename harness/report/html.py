"""The report as one HTML page: no request to anywhere, no script, light and dark, readable on a phone.

All text from outside is escaped by jinja2 and by `plots.canvas`; the page's own policy forbids scripts and loading, whatever a name holds.
The templates lie in `templates/`.
"""

from __future__ import annotations

import jinja2
from markupsafe import Markup

from harness.report import format as spell
from harness.report import spending
from harness.report.matrix import action, hint, matrix, phase_tables, qualities, relation, setting, threads, unfinished, zeros
from harness.report.model import Report
from harness.report.pairs import gather, histories, summaries, told
from harness.report.plots.ratios import Intervals

SIGNS = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?", "INFO": "i"}
TONES = {
    "PASS": "good", "FAIL": "bad", "INCONCLUSIVE": "open", "INFO": "dim",
    "FASTER": "good", "SLOWER": "bad", "SAME": "good", "UNCLEAR": "open", "REFUSED": "open",
}


def render(report: Report) -> str:
    """Return the whole page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("harness.report"), autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True,
        trim_blocks=True, lstrip_blocks=True,
    )
    environment.filters["line"] = lambda text: spell.one_line(str(text))
    environment.filters["tone"] = lambda verdict: TONES.get(verdict, "dim")
    environment.filters["sign"] = lambda verdict: SIGNS.get(verdict, "")
    environment.globals["spell"] = spell
    assert environment.loader is not None
    style = environment.loader.get_source(environment, "style.css")[0]
    judged = matrix(report.stages)
    pairs = gather(report, judged)
    return environment.get_template("page.html").render(
        report=report, style=Markup(style),  # noqa: S704  (a file of this package)
        matrix=judged, pairs=pairs, summaries=summaries(report, pairs), elsewhere=[one for one in histories(report, None, pairs) if one],
        anchors={(pair.workload, pair.a, pair.b): pair.anchor for pair in pairs}, setting=setting(report), seeded=setting(report, "seed "),
        zeros=zeros(report), ended=unfinished(report), qualities=qualities(report.quality), action=action,
        phases=phase_tables(report.speed), relation=relation,
        costs=spending.lines(report.speed), spending=spending,
        plot=Intervals(tuple(row for row in report.speed if not row.by_phase)), threads=threads, hint=hint,
        told=lambda build: sorted(told(build).items()),
    )
