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
from harness.report.labels import Spell, action, hint, threads
from harness.report.phase_table import PhaseTable, relation
from harness.report.terminal_style import MAX_DETAILS, STYLES, entry, heading
from harness.results.model import SpeedRow
from harness.results.verdicts import Speed

#: From this width on the table of costs has all columns, where no word has to be broken for them.
WIDE_COSTS = 140
#: Between two columns of a table.
GAP = 2
#: In a narrower terminal the names of phases are broken after a slash.
PHASE_WIDTH = len("joint/discriminator/")


def speed(rows: tuple[SpeedRow, ...], spelled: Spell, wide: bool) -> Iterator[RenderableType]:
    """Draw a row of two lines for each pair; a wide terminal also has warm-up and memory."""
    yield heading(
        f"How fast?  ({threads(rows)}; ratio: time of b / time of a, 99 % interval; above 1, b is"
        " slower)"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    table.add_column("workload", overflow="fold")
    table.add_column("build", overflow="fold")
    for name in ("step", "samples", *(("build + first", "memory") if wide else ())):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("ratio", "b is"):
        table.add_column(name, no_wrap=True)
    table.add_column("rounds", justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_speed_cells(row, spelled, wide))
    yield table
    for row in rows:
        text = hint(row)
        if text:
            name = f"{row.workload} {row.action} {spelled(row)} {row.a} : {row.b}"
            yield entry(
                "?" if row.verdict in (Speed.UNCLEAR, Speed.REFUSED) else "!",
                "yellow",
                f"{name}: {text}",
            )
    slower = [row for row in rows if row.verdict == Speed.SLOWER and row.material and row.command]
    for row in slower[:MAX_DETAILS]:
        yield entry("!", "red", f"{row.workload} {row.action} {spelled(row)} again: {row.command}")


def _speed_cells(row: SpeedRow, spelled: Spell, wide: bool) -> list[Text]:
    workload = one_line(f"{row.workload} {row.preset}")
    timed = one_line(f"{action(row)} {spelled(row)}")
    cells = [
        Text(f"{workload}\n{timed}"),
        Text(f"a {one_line(row.a)}\nb {one_line(row.b)}"),
        Text(f"{spell.seconds(row.a_step_s)}\n{spell.seconds(row.b_step_s)}"),
        Text(f"{spell.rate(row.a_rate)}\n{spell.rate(row.b_rate)}"),
    ]
    if wide:
        a = spell.warmup(row.a_warmup_s, row.a_build_s, row.a_first_step_s)
        b = spell.warmup(row.b_warmup_s, row.b_build_s, row.b_first_step_s)
        cells.append(Text(f"{a}\n{b}"))
        cells.append(Text(f"{spell.memory(row.a_peak_bytes)}\n{spell.memory(row.b_peak_bytes)}"))
    about = ""
    if row.verdict == Speed.UNCLEAR and row.more_rounds is not None:
        about = f"\nof ~{row.more_rounds}"
    return [
        *cells,
        Text(f"{spell.ratio_alone(row.ratio)}\n{spell.interval(row.low, row.high)}"),
        Text(
            one_line(row.verdict) + ("\nmaterial" if row.material else ""),
            style=STYLES.get(row.verdict, ""),
        ),
        Text(f"{row.rounds}{about}"),
    ]


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
        table.add_row(Text(name), *(Text(word) for word in others))
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
            cells.append([column, *(word.replace(" ", "\N{NO-BREAK SPACE}") for word in words)])
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
