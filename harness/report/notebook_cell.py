"""The report in the output of a notebook's cell: the answer, the matrix of stages, the ratios of
speed, and where the whole page lies.

It is small, needs nothing from anywhere and brings no style sheet: a notebook has many cells, and
one's style would reach into the others. All text is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.labels import action, margin, setting
from harness.report.matrix import explained, matrix
from harness.report.page_templates import environment
from harness.results.model import Report
from harness.results.speed_words import relation, relation_interval

#: More lines of one table are counted, so that a large run is no large cell.
MOST = 30
#: Colours by tone, readable on light and on dark.
COLOURS = {"good": "#2e9e4f", "bad": "#d64545", "open": "#b8860b", "dim": "#888888"}


def render(report: Report, why: Sequence[str] = (), page: str = "") -> str:
    """Return the HTML of one cell.

    Args:
        report: of the run. why: lines that explain a verdict which is not PASS. page: path of the
            whole page; empty where there is none.
    """
    judged = matrix(report.stages)
    whole = tuple(row for row in report.speed if not row.by_phase)
    return (
        environment()
        .get_template("notebook.html")
        .render(
            report=report,
            why=why,
            page=page,
            matrix=judged,
            lines=judged.lines[:MOST],
            more_lines=max(0, len(judged.lines) - MOST),
            speed=whole[:MOST],
            more_speed=max(0, len(whole) - MOST),
            setting=setting(report),
            action=action,
            margin=margin,
            explained=explained(report.stages),
            relation=relation,
            relation_interval=relation_interval,
            colours=COLOURS,
        )
    )
