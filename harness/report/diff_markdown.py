"""What differs between two runs as GitHub-flavoured Markdown, for a pull request or an issue: the
answer, what changed, the suspects, then every figure that differs, folded."""

from __future__ import annotations

from harness.changes.figures import Diff
from harness.changes.model import IMPROVEMENT, NOTE, REGRESSION
from harness.report import diff_text
from harness.report.markdown_text import escape, escaped, table

SIGNS = {REGRESSION: "✗", IMPROVEMENT: "✓", NOTE: "i"}


def render(diff: Diff) -> str:
    """Return the whole comparison, ending in a newline.

    Args:
        diff: of the runs.
    """
    parts = [
        f"**{escape(diff_text.answer(diff).text)}**",
        f"before: {escape(diff.before)}  \nafter: {escape(diff.after)}",
    ]
    if diff.apart:
        parts += [f"### {diff_text.APART}", _listed([escape(text) for text in diff.apart])]
    if diff.changes:
        lines = [f"{SIGNS[change.severity]} {escape(change.text)}" for change in diff.changes]
        parts += [f"### {diff_text.CHANGED}", _listed(lines)]
    if diff.suspects:
        lines = [f"{escape(str(row.suspect))}: {escape(row.because)}" for row in diff.suspects]
        numbered = (f"{number}. {line}" for number, line in enumerate(lines, 1))
        parts += [f"### {diff_text.SUSPECTS}", "\n".join(numbered)]
    for title, rows in diff_text.tables(diff):
        summary = f"<details><summary>{escape(title)} ({len(rows)})</summary>"
        body = table(diff_text.HEAD, (escaped(*diff_text.cells(row, title)) for row in rows))
        parts += [summary, "\n".join(body), "</details>"]
    return "\n\n".join(parts) + "\n"


def _listed(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
