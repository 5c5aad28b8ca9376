"""What differs between two runs, in a terminal: the answer, what changed in sentences, then every
figure that differs by section.

Returns a renderable and prints nothing; all text from outside goes through `Text` and `one_line`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from harness.changes.figures import DECISIVE, SECTIONS, Diff, FigureDifference
from harness.changes.model import IMPROVEMENT, NOTE, REGRESSION, Change, Value
from harness.report.format import MISSING, memory, one_line, seconds
from harness.report.terminal_style import FixedWidth, entry, heading

SIGNS = {REGRESSION: ("✗", "bold red"), IMPROVEMENT: ("✓", "green"), NOTE: ("i", "dim")}
ASCII_SIGNS = {REGRESSION: "X", IMPROVEMENT: "ok", NOTE: "i"}
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
            yield heading("Not of the same thing")
            yield from _first([entry("!", "yellow", text) for text in diff.apart])
        if diff.changes:
            yield heading("What changed")
            yield from _first([_change(change, options.ascii_only) for change in diff.changes])
        for section in SECTIONS:
            rows = [row for row in diff.differences if row.section == section]
            if rows:
                yield heading(f"{section[0].upper()}{section[1:]}")
                yield from _first([_table(rows)], len(rows))


def _first(entries: list[RenderableType], count: int | None = None) -> Iterator[RenderableType]:
    """Yield the first entries, and how many there are beyond them."""
    yield from entries[:MAX_ROWS]
    more = (len(entries) if count is None else count) - MAX_ROWS
    if more > 0:
        yield Text(f"... and {more} more: --format json has all", style="dim")


def _headline(diff: Diff) -> Text:
    if not diff.comparable:
        return Text(
            "The two runs cannot be compared: no row of the one is of the same thing as a row of"
            " the other.",
            style="bold yellow",
        )
    worse = [change for change in diff.changes if change.severity == REGRESSION]
    lost = [change for change in worse if change.kind in DECISIVE]
    if lost:
        count = f"{len(lost)} regression{'s' if len(lost) > 1 else ''}"
        return Text(
            f"{count}: verdicts that were lost, or builds that became, or may have become,"
            " materially slower.",
            style="bold red",
        )
    others = len(worse)
    more = f" {others} other thing{'s' if others > 1 else ''} got worse." if others else ""
    won = sum(change.severity == IMPROVEMENT for change in diff.changes)
    better = f" {won} thing{'s' if won > 1 else ''} got better." if won else ""
    differ = "" if diff.differences else " Nothing else differs either."
    return Text(
        f"No verdict was lost, and nothing became materially slower.{more}{better}{differ}",
        style="bold green",
    )


def _change(change: Change, ascii_only: bool) -> RenderableType:
    sign, style = SIGNS[change.severity]
    return entry(ASCII_SIGNS[change.severity] if ascii_only else sign, style, change.text)


def _table(rows: list[FigureDifference]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    for name in ("of", "what", "before", "after", ""):
        table.add_column(name, overflow="fold")
    for row in rows[:MAX_ROWS]:
        cells = (row.subject, row.what, _value(row, row.before), _value(row, row.after), row.note)
        table.add_row(*(Text(one_line(cell)) for cell in cells))
    return table


def _value(of: FigureDifference, value: Value) -> str:
    if value is None:
        return MISSING
    if of.section == "memory" and isinstance(value, int):
        return memory(value)
    if of.section == "step times" and isinstance(value, float):
        return seconds(value)
    if isinstance(value, float):
        return f"{value:.3g}" if math.isfinite(value) else str(value)
    return str(value)
