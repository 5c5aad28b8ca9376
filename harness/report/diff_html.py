"""What differs between two runs as one HTML page, as self-contained as a report: no request, no
script, light and dark."""

from __future__ import annotations

from harness.changes.figures import Diff
from harness.report import diff_text
from harness.report.diff_markdown import SIGNS
from harness.report.page_templates import environment


def render(diff: Diff) -> str:
    """Return the whole page.

    Args:
        diff: of the runs.
    """
    template = environment().get_template("diff.html")
    return template.render(
        diff=diff,
        answer=diff_text.answer(diff),
        words=diff_text,
        tables=list(diff_text.tables(diff)),
        signs=SIGNS,
    )
