"""A night as GitHub-flavoured Markdown: what a CI job posts. Text from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterator

from harness.execution.progress import spell
from harness.nightly.night import CellStatus, Night
from harness.report.markdown_text import code, escape
from harness.results.verdicts import Fidelity

SIGNS: dict[str, str] = {Fidelity.PASS: "✓", Fidelity.FAIL: "✗", Fidelity.INCONCLUSIVE: "?"}


def render(state: Night) -> str:
    """Return the whole summary, ending in a newline."""
    parts = [
        f"# Night {escape(state.name)}",
        f"**{escape(state.verdict)}.** {escape(state.headline)}",
    ]
    if not state.finished:
        parts.append(
            "Not every cell has had its turn; `harness nightly` on the same date goes on with the"
            " others."
        )
    taken = f"{spell(state.spent_s)} of {spell(state.budget_s)}" if state.spent_s else "no time"
    parts.append(
        f"Begun {escape(state.created)} by parity-harness {escape(state.harness_version)}, {taken},"
        f" from {code(state.config, cell=False)}: " + code(state.command, cell=False)
    )
    if state.changed:
        parts += [
            "## What changed",
            "\n".join(
                f"- **{escape(change.severity)}**: {escape(change.text)}"
                for change in state.changed
            ),
        ]
    parts += ["## Cells", "\n".join(_table(state))]
    missing = [
        f"- {escape(build)} on {escape(device)}: {escape(reason)}"
        for build, device, reason in state.missing_builds()
    ]
    if missing:
        parts += ["## Builds that cannot run here", "\n".join(missing)]
    return "\n\n".join(parts) + "\n"


def _table(state: Night) -> Iterator[str]:
    yield "| cell | status | fidelity | time | what it says |"
    yield "|" + " --- |" * 5
    for row in state.rows:
        name = escape(row.cell.name)
        cells = [
            f"[{name}]({row.folder}/report.md)" if row.exit_code is not None else name,
            escape(row.status),
            f"{SIGNS.get(row.fidelity, '')} {escape(row.fidelity)}".strip(),
            spell(row.duration_s) if row.duration_s else "",
            escape(row.reason or row.headline),
        ]
        yield "| " + " | ".join(cells) + " |"


def lines(state: Night) -> list[tuple[str, ...]]:
    """Return the rows of the same table as plain text, for a terminal."""
    return [
        (
            row.cell.name,
            row.status,
            row.fidelity,
            spell(row.duration_s) if row.duration_s else "",
            row.reason or row.headline,
        )
        for row in state.rows
        if row.status != CellStatus.WAITING
    ]
