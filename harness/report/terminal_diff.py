"""What differs between two runs, in a terminal: the answer, what changed in sentences, the
suspects, then every figure that differs by section.

Returns a renderable and prints nothing; all text from outside goes through `Text` and `one_line`.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from harness.changes.causes import RankedSuspect
from harness.changes.figures import Diff, FigureDifference
from harness.changes.model import IMPROVEMENT, NOTE, REGRESSION, Change
from harness.report import diff_text
from harness.report.format import one_line
from harness.report.terminal_style import FixedWidth, entry, heading

SIGNS = {REGRESSION: ("✗", "bold red"), IMPROVEMENT: ("✓", "green"), NOTE: ("i", "dim")}
ASCII_SIGNS = {REGRESSION: "X", IMPROVEMENT: "ok", NOTE: "i"}
TONES = {"good": "bold green", "bad": "bold red", "open": "bold yellow"}
#: Rows of a section; the JSON has all.
MAX_ROWS = 20


def render(diff: Diff) -> RenderableType:
    """Return the whole comparison as one renderable."""
    return FixedWidth(_Page(diff))


class _Page:
    """Asks the console for its encoding when it is drawn."""

    def __init__(self, diff: Diff) -> None:
        self.diff = diff

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        diff = self.diff
        yield _headline(diff)
        yield Text(f"before: {one_line(diff.before)}\nafter:  {one_line(diff.after)}", style="dim")
        if diff.apart:
            yield heading(diff_text.APART)
            yield from _first([entry("!", "yellow", text) for text in diff.apart])
        if diff.changes:
            yield heading(diff_text.CHANGED)
            yield from _first([_change(change, options.ascii_only) for change in diff.changes])
        if diff.suspects:
            yield heading(diff_text.SUSPECTS)
            yield from _first([_suspect(*row) for row in enumerate(diff.suspects, 1)])
        for title, rows in diff_text.tables(diff):
            yield heading(title)
            yield from _first([_table(rows, title)], len(rows))


def _first(entries: list[RenderableType], count: int | None = None) -> Iterator[RenderableType]:
    """Yield the first entries, and how many there are beyond them."""
    yield from entries[:MAX_ROWS]
    more = (len(entries) if count is None else count) - MAX_ROWS
    if more > 0:
        yield Text(f"... and {more} more: --format json has all", style="dim")


def _headline(diff: Diff) -> Text:
    answer = diff_text.answer(diff)
    return Text(answer.text, style=TONES[answer.tone])


def _change(change: Change, ascii_only: bool) -> RenderableType:
    sign, style = SIGNS[change.severity]
    return entry(ASCII_SIGNS[change.severity] if ascii_only else sign, style, change.text)


def _suspect(number: int, row: RankedSuspect) -> RenderableType:
    return entry(f"{number}.", "dim", f"{row.suspect}: {row.because}")


def _table(rows: list[FigureDifference], title: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    for name in diff_text.HEAD:
        table.add_column(name, overflow="fold")
    for row in rows[:MAX_ROWS]:
        table.add_row(*(Text(one_line(cell)) for cell in diff_text.cells(row, title)))
    return table
