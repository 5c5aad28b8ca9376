"""The speed sections of the Markdown report: whole steps, what a step costs, and single phases."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report import costs
from harness.report import format as spell
from harness.report.labels import Spell, action, hint, threads
from harness.report.markdown_text import code, escape, escaped, table
from harness.report.phase_table import PhaseTable
from harness.report.phase_table import relation as phase_relation
from harness.report.speed_blocks import COLUMNS, TimedSide, sides
from harness.results.model import SpeedRow
from harness.results.speed_words import relation, relation_interval

HEAD = (
    "workload",
    "action",
    "precision",
    "build",
    "step",
    "samples",
    "build + first step",
    "memory",
    "b is [99 %]",
    "rounds",
    "hint",
)


def whole_steps(rows: Sequence[SpeedRow], spelled: Spell) -> list[str]:
    """Return a table of two lines a row, one for each build."""
    if not rows:
        return []
    cells = []
    for row in rows:
        names = escaped(f"{row.workload} {row.preset}", action(row), spelled(row))
        answer = escape(f"{relation(row)} {relation_interval(row)}".rstrip())
        first, second = sides(row)
        a, b = _cells("a", row.a, first), _cells("b", row.b, second)
        cells.append([*names, *a, answer, str(row.rounds), escape(hint(row))])
        cells.append(["", "", "", *b, "", "", code(row.command) if row.command else ""])
    scale = (
        f"{threads(rows)}; 2.0× faster: half the time of a step; in brackets the 99 %"
        ' interval, that of "as fast" and "unclear" is time of b / time of a'
    )
    return [scale, "", *table(HEAD, cells)]


def _cells(name: str, build: str, side: TimedSide) -> list[str]:
    """Return the cells of one build."""
    return [
        f"{name} {escape(build)}",
        spell.seconds(side.step_s),
        *(COLUMNS[column](side) for column in ("samples", "build + first step", "memory")),
    ]


def step_costs(rows: Sequence[SpeedRow]) -> list[str]:
    """Return a table with a line a build and action, and why numbers are missing."""
    lines = costs.lines(costs.ordered(rows))
    if not lines:
        return []
    cells = []
    for line in lines:
        workload = f"{line.row.workload} {line.row.preset}"
        names = escaped(workload, action(line.row), line.precision, line.build)
        cells.append([*names, *escaped(*(cell(line) for cell in costs.COLUMNS.values()))])
    head = ["workload", "action", "precision", "build", *costs.COLUMNS]
    remarks = [f"- {escape(text)}" for text in (*costs.reasons(lines), *costs.sources(lines))]
    return [costs.EXPLAINED, "", *table(head, cells), "", *remarks]


def phases(phase_table: PhaseTable, spelled: Spell) -> tuple[str, list[str]]:
    """Return a heading and a table, a line a phase; each pair's row is in that of whole steps."""
    first = phase_table.first
    rows = []
    for phase, cells in phase_table.lines.items():
        base = spell.seconds(phase_table.base_s(phase))
        rows.append([escape(phase), base, *(_phase_cell(row) for row in cells)])
    explained = (
        f"One update of each phase; in brackets time / time of {escape(phase_table.builds[0])}, ?"
        " unclear, = same."
    )
    heading = " ".join(escaped(first.workload, first.preset, spelled(first)))
    head = ["phase", *escaped(*phase_table.builds)]
    return f"Phase by phase: {heading}", [explained, "", *table(head, rows)]


def _phase_cell(row: SpeedRow | None) -> str:
    if row is None:
        return ""
    return f"{spell.seconds(row.b_step_s)} ({spell.ratio_alone(row.ratio)}{phase_relation(row)})"
