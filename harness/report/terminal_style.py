"""What all sections of the terminal's report are drawn with: signs, colours, headings, hanging paragraphs, cut lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.report.format import one_line
from harness.report.matrix import Line
from harness.report.model import SpeedRow, StageRow

SIGNS = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?", "INFO": "i"}
ASCII_SIGNS = {"PASS": "ok", "FAIL": "X", "INCONCLUSIVE": "?", "INFO": "i"}
STYLES = {
    "PASS": "green", "FAIL": "bold red", "INCONCLUSIVE": "yellow", "INFO": "dim", "NONE": "dim",
    "FASTER": "green", "SLOWER": "red", "SAME": "green", "UNCLEAR": "yellow", "REFUSED": "yellow",
}
#: Spells a row's precision, with its seed where the report holds several.
Spell = Callable[[Line | StageRow | SpeedRow], str]
#: Longer lists are cut here; the Markdown and HTML reports hold them whole.
MAX_DETAILS = 12


def heading(words: str) -> Text:
    """Return a section's title."""
    return Text(f"\n{words}", style="bold")


def entry(sign: str, style: str, text: str) -> Table:
    """Return a paragraph with a hanging indent."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(sign, style=style), Text(one_line(text)))
    return grid


def cut(entries: list[RenderableType], what: str) -> Iterator[RenderableType]:
    """Yield the first entries and, if there are more, how many."""
    yield from entries[:MAX_DETAILS]
    if len(entries) > MAX_DETAILS:
        yield Text(f"... and {len(entries) - MAX_DETAILS} more {what}: see the report's files", style="dim")


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> Table:
    """Return a table without lines; names of workloads and builds are not folded."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in ("workload", "build"))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
