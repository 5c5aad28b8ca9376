"""`reports/nightly/YYYY-MM-DD/index.html`: the page of one night, which people open in the morning.

On top the answer, then what changed, then one table of every cell's verdicts; each row leads to the
evidence in its cell's own report. A cell whose report cannot be read is told by its row in the
table of cells, and takes nothing else down.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.changes.model import NOTE
from harness.errors import HarnessError
from harness.execution.progress import spell
from harness.nightly.night import CellRow, Night
from harness.report import overview, renderers, speed_blocks
from harness.report.labels import spelled
from harness.report.matrix import matrix
from harness.report.page_templates import environment
from harness.report.pairs import Summary, outline, summaries
from harness.report.plots import history
from harness.report.plots.figure import Figure
from harness.results.model import Report
from harness.results.series import FigureHistory

NAME = "index.html"
#: Histories that are drawn; the others are in the pages of their cells.
FIGURES = 24
#: Notes that are shown at once; more of them can be opened.
NOTES = 5


def render(state: Night, reports: Sequence[tuple[CellRow, Report]]) -> str:
    """Return the page of a night, with the reports of those of its cells that have one."""
    rows = [summary for row, report in reports for summary in _verdicts(row, report)]
    tables = overview.tables(rows)
    timed = [report for _, report in reports if report.speed]
    blocks = [block for report in timed for block in speed_blocks.blocks(report.speed)]
    seeds = {row.seed for report in timed for row in report.speed}
    drawn, left = _histories([report for _, report in reports])
    builds = {
        (build.build, build.origin): build for _, report in reports for build in report.builds
    }
    template = environment("harness.nightly").get_template("night.html")
    return template.render(
        state=state,
        tables=tables,
        blocks=blocks,
        filters=overview.filters(tables, blocks),
        slowest=overview.slowest(blocks),
        setting=lambda row: spelled(row, several=len(seeds) > 1),
        histories=drawn,
        left=left,
        builds=list(builds.values()),
        weighty=[change for change in state.changed if change.severity != NOTE],
        notes=[change for change in state.changed if change.severity == NOTE],
        few=NOTES,
        address=address,
        duration=spell,
        missing=state.missing_builds(),
    )


def reports(state: Night, folder: Path) -> Iterable[tuple[CellRow, Report]]:
    """Yield the cells that have a report that can be read, and it."""
    for row in state.rows:
        if row.exit_code is not None:
            try:
                yield row, renderers.load(folder / row.folder)
            except HarnessError:
                continue


def address(path: str) -> str:
    """Return a relative address; `./` keeps a name with a colon from being taken for a scheme."""
    return "./" + urllib.parse.quote(path)


def _verdicts(row: CellRow, report: Report) -> tuple[Summary, ...]:
    """Return the lines of a cell's verdicts, without their figures."""
    pairs = outline(report, matrix(report.stages))
    return summaries(report, pairs, address(f"{row.folder}/report.html"), row.cell.name)


def _histories(loaded: Iterable[Report]) -> tuple[list[Figure], int]:
    """Return the figures of speed, those with change points first, and how many are left out."""
    items: list[FigureHistory] = [item for report in loaded for item in report.history]
    items.sort(key=lambda item: not item.changes)
    shown = items[:FIGURES]
    points = history.budget(len(shown))
    figures = [figure for item in shown if (figure := history.figure(item, points))]
    return figures, len(items) - len(shown)
