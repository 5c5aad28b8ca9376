"""The speed sections of the terminal's report: whole steps, what a step costs, single phases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.report import costs
from harness.report import format as spell
from harness.report.format import one_line
from harness.report.labels import Spell, action, remarks, threads
from harness.report.phase_table import PhaseTable, relation
from harness.report.speed_blocks import COLUMNS, SpeedBlock, blocks
from harness.report.terminal_style import STYLES, cut, entry, heading
from harness.results.model import SpeedRow
from harness.results.verdicts import Speed

#: From this width on the table of costs has all columns, where no word has to be broken for them.
WIDE_COSTS = 140
#: Between two columns of a table.
GAP = 2
#: Stands for a space while widths are found, where a cell is not to be broken.
UNBROKEN = "\N{NO-BREAK SPACE}"
#: The column of a step's time; behind it stands what it is against the first build.
STEP = 2
AGAINST = "against the first [99 %]"
#: Above the table of whole steps.
LEGEND = (
    "Each build against the first of its block: 2.0× faster is half the time of a step, in brackets"
    ' the 99 % interval; that of "as fast" and "unclear" is time / time of the first.'
)
#: Of more builds that are slower, the first have their command here.
MOST_COMMANDS = 3
#: In a narrower terminal the names of phases are broken after a slash.
PHASE_WIDTH = len("joint/discriminator/")


def speed(rows: tuple[SpeedRow, ...], spelled: Spell, width: int) -> Iterator[RenderableType]:
    """Draw a line for each build, held against the first; where there is room, with more columns.

    Args:
        rows: of whole steps. spelled: see `labels.setting`. width: of the terminal, characters.
    """
    drawn = blocks(rows)
    yield heading(f"How fast?  ({threads(rows)})")
    yield Text(LEGEND, style="dim")
    yield from _table(drawn, spelled, width)
    shown = [side.row for block in drawn for side in block.sides if side.row is not None]
    if len(shown) < len(rows):
        yield Text(f"pairs among the others: {len(rows) - len(shown)}, in the files", style="dim")
    # Of those, too, it is told here why one has no answer.
    unanswered = [row for row in rows if row in shown or row.verdict == Speed.REFUSED]
    yield from cut(
        [entry("!", "yellow", f"{whose}: {text}") for whose, text in remarks(unanswered, spelled)],
        "remarks",
    )
    slower = [row for row in shown if row.verdict == Speed.SLOWER and row.material and row.command]
    again = dict.fromkeys(f"{row.workload} {spelled(row)} again: {row.command}" for row in slower)
    yield from (entry("!", "red", text) for text in list(again)[:MOST_COMMANDS])


def _table(drawn: Sequence[SpeedBlock], spelled: Spell, width: int) -> Iterator[Table]:
    """Yield the table with as many columns as fit beside whole names."""
    extra = list(COLUMNS)
    columns, styles = _columns(drawn, spelled, extra)
    widths = unbroken(_whole_names(columns), width)
    while widths is None and extra:
        extra.pop()
        columns, styles = _columns(drawn, spelled, extra)
        widths = unbroken(_whole_names(columns), width)
    widths = widths or unbroken(columns, width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    for number, (name, *_) in enumerate(columns):
        table.add_column(
            name.replace(UNBROKEN, " "),
            overflow="fold",
            justify="right" if number == STEP or number > STEP + 1 else "left",
            width=widths[number] if widths else None,
        )
    for style, *cells in zip(styles, *(column[1:] for column in columns), strict=True):
        words = [Text(cell.replace(UNBROKEN, " ")) for cell in cells]
        words[STEP + 1].stylize(style)
        table.add_row(*words)
    yield table


def _columns(
    drawn: Sequence[SpeedBlock], spelled: Spell, extra: Sequence[str]
) -> tuple[list[list[str]], list[str]]:
    """Return the table column by column, each with its heading first, and a style a line."""
    columns = [[_whole(name)] for name in ("workload", "build", "step", AGAINST, *extra)]
    styles = []
    for block in drawn:
        for cells, style in _lines(block, spelled, extra):
            styles.append(style)
            for column, cell in zip(columns, cells, strict=True):
                column.append(cell)
    return columns, styles


def _whole_names(columns: Sequence[Sequence[str]]) -> list[list[str]]:
    return [list(map(_whole, column)) for column in columns]


def _lines(
    block: SpeedBlock, spelled: Spell, extra: Sequence[str]
) -> Iterator[tuple[list[str], str]]:
    """Yield the cells of each build, and the style of what it is against the first."""
    row = block.first
    setting = row.precisions.a if row.gain else spelled(row)
    names = [one_line(f"{row.workload} {row.preset}"), one_line(f"{action(row)} {setting}")]
    for number, side in enumerate(block.sides):
        cells = [
            ["", "  "][number] + names[number] if number < len(names) else "",
            one_line(side.build),
            _whole(spell.seconds(side.step_s)),
            _whole(side.against) if side.row else "",
            *(_whole(COLUMNS[name](side)) for name in extra),
        ]
        style = "" if side.row is None else STYLES.get(side.row.verdict, "")
        yield cells, style


def _whole(text: str) -> str:
    """Return a cell that is not broken at its spaces."""
    return text.replace(" ", UNBROKEN)


def step_costs(rows: tuple[SpeedRow, ...], width: int) -> Iterator[RenderableType]:
    """What a step costs beside time: a line a build and action, with the columns that fit.

    The files have all columns, and the reasons of what is missing.
    """
    # Where builds are compared, their lines stand for those of their precisions too.
    lines = costs.lines([row for row in rows if not row.gain] or rows)
    if not lines:
        return
    yield heading(
        "What else does a step cost?  (peak memory during the action; baseline: once the port was"
        " open)"
    )
    cells = _cost_cells(lines, tuple(costs.COLUMNS))
    widths = unbroken(cells, width)
    if width < WIDE_COSTS or widths is None:
        cells = _cost_cells(lines, costs.NARROW)
        widths = unbroken(cells, width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    for number, (name, *_) in enumerate(cells):
        table.add_column(
            name,
            overflow="fold" if number < 2 else "ellipsis",
            justify="left" if number < 2 else "right",
            width=widths[number] if widths else None,
        )
    before = ""
    for workload, *others in zip(*(column[1:] for column in cells), strict=True):
        name = workload if workload != before else ""
        table.add_row(Text(name), *(Text(word.replace(UNBROKEN, " ")) for word in others))
        before = workload
    yield table


def _cost_cells(lines: Sequence[costs.CostLine], columns: Sequence[str]) -> list[list[str]]:
    """Return a table column by column, each with its heading first: workload, build, and costs.

    Why a column holds nothing and is left out (energy on a CPU) is in the files.
    """
    workloads, builds = ["workload"], ["build"]
    for line in lines:
        row = line.row
        workloads.append(one_line(f"{row.workload} {row.preset} {action(row)} {line.precision}"))
        builds.append(one_line(line.build))
    cells = [workloads, builds]
    for column in columns:
        words = [costs.COLUMNS[column](line) for line in lines]
        if any(word != spell.MISSING for word in words):
            cells.append([column, *(word.replace(" ", UNBROKEN) for word in words)])
    return cells


def unbroken(columns: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Return a width for each column in which no word is broken; None where there is no room.

    Left to itself, rich takes room from the widest column, though that be a single word.

    Args:
        columns: the texts of each.
        width: of the whole table. What is beyond the longest words goes to the first columns.
    """
    words = [" ".join(column).split(" ") for column in columns]
    least = [max(map(cell_len, column)) for column in words]
    spare = width - sum(least) - GAP * (len(columns) - 1)
    if spare < 0:
        return None
    widths = []
    for column, narrowest in zip(columns, least, strict=True):
        widest = max(map(cell_len, column))
        widths.append(min(widest, narrowest + spare))
        spare -= widths[-1] - narrowest
    return widths


def phases(phase_table: PhaseTable, spelled: Spell, wide: bool) -> Iterator[RenderableType]:
    """A table by itself: a dozen phases of five builds would be hundreds of lines in the other.

    The files have each pair's rows.
    """
    first = phase_table.first
    yield heading(
        f"Phase by phase  ({one_line(first.workload)} {one_line(first.preset)}"
        f" {one_line(spelled(first))}; one update; below it: time / time of"
        f" {one_line(phase_table.builds[0])}, ? unclear, = same)"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    table.add_column("phase", overflow="fold")
    for build in phase_table.builds:
        table.add_column(Text(one_line(build)), justify="right", overflow="fold")
    for phase, cells in phase_table.lines.items():
        name = one_line(phase)
        base = Text(spell.seconds(phase_table.base_s(phase)))
        table.add_row(
            Text(name if wide else _broken(name, PHASE_WIDTH)),
            base,
            *(_phase_cell(row) for row in cells),
        )
    yield table


def _phase_cell(row: SpeedRow | None) -> Text:
    if row is None:
        return Text(spell.MISSING)
    ratio = (f"{spell.ratio_alone(row.ratio)}{relation(row)}", STYLES.get(row.verdict, ""))
    return Text.assemble(f"{spell.seconds(row.b_step_s)}\n", ratio)


def _broken(name: str, width: int) -> str:
    """Return a name on as many lines as it needs, broken after slashes only."""
    lines = [""]
    for part in name.replace("/", "/\n").split("\n"):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)
