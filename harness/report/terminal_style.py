"""What all sections of the terminal's report are drawn with: colours, headings, hanging paragraphs,
cut lists.

No terminal is too plain for a report: characters that its encoding lacks are drawn by others of the
same width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from harness.report.format import one_line
from harness.results.verdicts import Fidelity, Shown, Speed

STYLES = {
    Fidelity.PASS: "green",
    Fidelity.FAIL: "bold red",
    Fidelity.INCONCLUSIVE: "yellow",
    Fidelity.INFO: "dim",
    Fidelity.NONE: "dim",
    Shown.ACCEPTED: "green",
    Speed.FASTER: "green",
    Speed.SLOWER: "red",
    Speed.SAME: "green",
    Speed.UNCLEAR: "yellow",
    Speed.REFUSED: "yellow",
}
#: Longer lists are cut here; the Markdown and HTML reports hold them whole.
MAX_DETAILS = 12
#: What is drawn where the encoding lacks a character; `?` for all others.
PLAIN = str.maketrans(
    {
        "µ": "u",
        "\N{NO-BREAK SPACE}": " ",
        "✓": "+",
        "✗": "X",
        "…": "~",
        "→": ">",
        "\N{MULTIPLICATION SIGN}": "x",
        "±": "~",
        "≠": "#",
        "≈": "~",
        "≤": "<",
        "≥": ">",
        "▏": " ",
        "▎": " ",
        "▍": " ",
        "▌": "#",
        "▋": "#",
        "▊": "#",
        "▉": "#",
        "█": "#",
    }
)


class FixedWidth:
    """What is inside, in characters of the console's encoding, and as wide as it was."""

    def __init__(self, inside: RenderableType) -> None:
        self.inside = inside

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        return _encodable(console.render(self.inside, options), options.encoding)


class _PlainTable(Table):
    """A table in characters that the console's encoding has."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        return _encodable(
            _segments(console, super().__rich_console__(console, options), options),
            options.encoding,
        )


def _segments(console: Console, drawn: RenderResult, options: ConsoleOptions) -> Iterator[Segment]:
    for part in drawn:
        yield from [part] if isinstance(part, Segment) else console.render(part, options)


def _encodable(segments: Iterable[Segment], encoding: str) -> Iterator[Segment]:
    for segment in segments:
        if segment.control:
            yield segment
        else:
            yield Segment(encodable(segment.text, encoding), segment.style)


def encodable(text: str, encoding: str) -> str:
    """Return text in characters that an encoding has, as wide as it was."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(char if _has(encoding, char) else _replaced(char, encoding) for char in text)
    return text


def _replaced(char: str, encoding: str) -> str:
    stand_in = char.translate(PLAIN)
    return stand_in if stand_in != char and _has(encoding, stand_in) else "?" * cell_len(char)


def _has(encoding: str, char: str) -> bool:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


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
        yield Text(
            f"... and {len(entries) - MAX_DETAILS} more {what}: see the report's files", style="dim"
        )


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> Table:
    """Return a table without lines; names of workloads and builds are not folded.

    Args:
        columns: headings. rows: a cell a column, taken literally, without markup.
        title: above the table; empty for none.
    """
    table = _PlainTable(
        title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold"
    )
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in ("workload", "build"))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
