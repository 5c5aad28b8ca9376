"""The speed sections of the terminal's report: whole steps pair by pair, and single phases in a
table of their own."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.report import costs as spending
from harness.report import format as spell
from harness.report.format import one_line
from harness.report.matrix import PhaseTable, action, hint, relation, threads
from harness.report.terminal_style import MAX_DETAILS, STYLES, Spell, entry, heading
from harness.results.model import SpeedRow
from harness.results.verdicts import Speed

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
    cells = [
        Text(
            one_line(f"{row.workload} {row.preset}")
            + "\n"
            + one_line(f"{action(row)} {spelled(row)}")
        ),
        Text(f"a {one_line(row.a)}\nb {one_line(row.b)}"),
        Text(f"{spell.seconds(row.a_step_s)}\n{spell.seconds(row.b_step_s)}"),
        Text(f"{spell.rate(row.a_rate)}\n{spell.rate(row.b_rate)}"),
    ]
    if wide:
        a = spell.warmup(row.a_warmup_s, row.a_build_s, row.a_first_step_s)
        cells.append(
            Text(f"{a}\n{spell.warmup(row.b_warmup_s, row.b_build_s, row.b_first_step_s)}")
        )
        cells.append(Text(f"{spell.memory(row.a_peak_bytes)}\n{spell.memory(row.b_peak_bytes)}"))
    about = (
        f"\nof ~{row.more_rounds}"
        if row.verdict == Speed.UNCLEAR and row.more_rounds is not None
        else ""
    )
    return [
        *cells,
        Text(f"{spell.ratio_alone(row.ratio)}\n{spell.interval(row.low, row.high)}"),
        Text(
            one_line(row.verdict) + ("\nmaterial" if row.material else ""),
            style=STYLES.get(row.verdict, ""),
        ),
        Text(f"{row.rounds}{about}"),
    ]


def costs(rows: tuple[SpeedRow, ...], wide: bool) -> Iterator[RenderableType]:
    """What a step costs beside time: a line a build and action, with the columns that fit; the
    files have all, and the reasons."""
    # Where builds are compared, their lines stand for those of their precisions too.
    found = spending.lines([row for row in rows if not row.gain] or rows)
    if not found:
        return
    yield heading(
        "What else does a step cost?  (peak memory during the action; baseline: once the port was"
        " open)"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    table.add_column("workload", overflow="fold")
    table.add_column("build", overflow="fold")
    # A column that holds nothing (energy on a CPU) has its reason in the files.
    shown = [
        name
        for name in (spending.COLUMNS if wide else spending.NARROW)
        if any(_told(name, line) for line in found)
    ]
    for name in shown:
        table.add_column(name, justify="right")
    before = ""
    for line in found:
        name = one_line(
            f"{line.row.workload} {line.row.preset} {action(line.row)} {line.precision}"
        )
        cells = [
            Text(spending.COLUMNS[column](line).replace(" ", "\N{NO-BREAK SPACE}"))
            for column in shown
        ]
        table.add_row(Text(name if name != before else ""), Text(one_line(line.build)), *cells)
        before = name
    yield table


def _told(name: str, line: spending.Line) -> bool:
    return spending.COLUMNS[name](line) != spell.MISSING


def phases(found: PhaseTable, spelled: Spell, wide: bool) -> Iterator[RenderableType]:
    """A table by itself: a dozen phases of five builds would be hundreds of lines in the other; the
    files have each pair's rows."""
    yield heading(
        f"Phase by phase  ({one_line(found.first.workload)} {one_line(found.first.preset)}"
        f" {one_line(spelled(found.first))}; one update; below it: time / time of"
        f" {one_line(found.builds[0])}, ? unclear, = same)"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    table.add_column("phase", overflow="fold")
    for build in found.builds:
        table.add_column(Text(one_line(build)), justify="right", overflow="fold")
    for phase, cells in found.lines.items():
        name = one_line(phase)
        base = Text(spell.seconds(found.base_s(phase)))
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
