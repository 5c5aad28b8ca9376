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

from harness.changes.figures import DECISIVE, SECTIONS, Diff, Difference
from harness.changes.model import IMPROVEMENT, NOTE, REGRESSION, Change, Value
from harness.report.format import MISSING, memory, one_line, seconds
from harness.report.terminal_style import Drawn, entry, heading

SIGNS = {REGRESSION: ("✗", "bold red"), IMPROVEMENT: ("✓", "green"), NOTE: ("i", "dim")}
ASCII_SIGNS = {REGRESSION: "X", IMPROVEMENT: "ok", NOTE: "i"}
#: Rows of a section; the JSON has all.
MAX_ROWS = 20


def render(found: Diff) -> RenderableType:
    """Return the whole comparison as one renderable."""
    return Drawn(_Page(found))


class _Page:
    """Asks the console for its encoding when it is drawn."""

    def __init__(self, found: Diff) -> None:
        self.found = found

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        found = self.found
        yield _headline(found)
        yield Text(
            f"before: {one_line(found.before)}\nafter:  {one_line(found.after)}", style="dim"
        )
        if found.apart:
            yield heading("Not of the same thing")
            yield from _first([entry("!", "yellow", text) for text in found.apart])
        if found.changes:
            yield heading("What changed")
            yield from _first([_change(one, options.ascii_only) for one in found.changes])
        for section in SECTIONS:
            rows = [one for one in found.differences if one.section == section]
            if rows:
                yield heading(f"{section[0].upper()}{section[1:]}")
                yield from _first([_table(rows)], len(rows))


def _first(entries: list[RenderableType], count: int | None = None) -> Iterator[RenderableType]:
    """Yield the first entries, and how many there are beyond them."""
    yield from entries[:MAX_ROWS]
    more = (len(entries) if count is None else count) - MAX_ROWS
    if more > 0:
        yield Text(f"... and {more} more: --format json has all", style="dim")


def _headline(found: Diff) -> Text:
    if not found.comparable:
        return Text(
            "The two runs cannot be compared: no row of the one is of the same thing as a row of"
            " the other.",
            style="bold yellow",
        )
    lost = [one for one in found.changes if one.severity == REGRESSION and one.kind in DECISIVE]
    if lost:
        count = f"{len(lost)} regression{'s' if len(lost) > 1 else ''}"
        return Text(
            f"{count}: verdicts that were lost, or builds that became, or may have become,"
            " materially slower.",
            style="bold red",
        )
    others = sum(one.severity == REGRESSION for one in found.changes)
    more = f" {others} other thing{'s' if others > 1 else ''} got worse." if others else ""
    won = sum(one.severity == IMPROVEMENT for one in found.changes)
    better = f" {won} thing{'s' if won > 1 else ''} got better." if won else ""
    differ = "" if found.differences else " Nothing else differs either."
    return Text(
        f"No verdict was lost, and nothing became materially slower.{more}{better}{differ}",
        style="bold green",
    )


def _change(one: Change, ascii_only: bool) -> RenderableType:
    sign, style = SIGNS[one.severity]
    return entry(ASCII_SIGNS[one.severity] if ascii_only else sign, style, one.text)


def _table(rows: list[Difference]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    for name in ("of", "what", "before", "after", ""):
        table.add_column(name, overflow="fold")
    for one in rows[:MAX_ROWS]:
        cells = (one.subject, one.what, _value(one, one.before), _value(one, one.after), one.note)
        table.add_row(*(Text(one_line(cell)) for cell in cells))
    return table


def _value(of: Difference, value: Value) -> str:
    if value is None:
        return MISSING
    if of.section == "memory" and isinstance(value, int):
        return memory(value)
    if of.section == "step times" and isinstance(value, float):
        return seconds(value)
    if isinstance(value, float):
        return f"{value:.3g}" if math.isfinite(value) else str(value)
    return str(value)
