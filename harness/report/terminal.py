"""The report in a terminal: first the answer, then where each difference starts, then speed, then
what did not run.

Returns a renderable and prints nothing. Everything from outside goes through `Text`, so that no
markup of rich is obeyed, and through `one_line`, so that no control sequence reaches the terminal.
Verdicts differ in their signs, not in colour only; a terminal without Unicode gets words. Fits 80
columns; wider ones get more columns of the speed table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from backends.contract import Status
from harness.report import format as spell
from harness.report.fold import folded
from harness.report.format import one_line
from harness.report.labels import Spell, margin, setting
from harness.report.matrix import (
    Matrix,
    MatrixLine,
    explained,
    letter,
    matrix,
    qualities,
    unfinished,
    zeros,
)
from harness.report.phase_table import phase_tables
from harness.report.signs import ASCII_SIGNS, SIGNS
from harness.report.terminal_speed import phases, speed, step_costs
from harness.report.terminal_style import STYLES, FixedWidth, cut, entry, heading
from harness.results.model import JobRow, QualityRow, Report, StageRow
from harness.results.verdicts import Bounds, Fidelity, Shown

#: Where the names of a pair's builds are folded at the latest.
PAIR_WIDTH = len("tf1-compat :")
#: From this width on the speed table also shows warm-up and memory, and phases have unbroken names.
WIDE = 100
BOUNDS = "Is the lower precision in effect, and no worse than it must be?"
#: Of more names than this, half as many are shown.
MOST_NAMES = 6


def render(report: Report) -> RenderableType:
    """Return the whole report as one renderable."""
    return FixedWidth(_Page(report))


class _Page:
    """Asks the console for its width and encoding when it is drawn."""

    def __init__(self, report: Report) -> None:
        self.report = report

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        signs = ASCII_SIGNS if options.ascii_only else SIGNS
        report, judged = self.report, matrix(self.report.stages)
        yield _headline(report, signs)
        if judged.lines:
            yield from _fidelity(report, signs)
            yield from _departures(judged, signs, setting(report, "seed "))
        if report.speed:
            whole = tuple(row for row in report.speed if not row.by_phase)
            yield from speed(whole, setting(report), options.max_width)
            yield from step_costs(whole, options.max_width)
            for table in phase_tables(report.speed):
                yield from phases(table, setting(report), options.max_width >= WIDE)
        if report.quality:
            yield from _quality(report.quality)
        ended = unfinished(report)
        if ended:
            yield heading("Jobs that did not end ok")
            several = len({job.seed for job in report.jobs} - {None}) > 1
            yield from cut([_job(job, several) for job in ended], "jobs")
        yield from _information(judged, report)
        if report.notes:
            yield heading("Notes")
            for note in report.notes:
                yield entry("-", "", note)


def _headline(report: Report, signs: dict[str, str]) -> Text:
    style = STYLES.get(report.fidelity, "bold")
    start = f"{signs[report.fidelity]} {report.fidelity}  " if report.fidelity in signs else ""
    return Text.assemble((start, f"bold {style}"), (one_line(report.headline), "bold"))


# -- fidelity --------------------------------------------------------------------------------------


def _fidelity(report: Report, signs: dict[str, str]) -> Iterator[RenderableType]:
    ladder = matrix([row for row in report.stages if row.stage != Bounds.PRECISION])
    bounds = matrix([row for row in report.stages if row.stage == Bounds.PRECISION])
    yield heading("Same function?" if ladder.lines else BOUNDS)
    yield Text(_legend(report, signs), style="dim")
    if ladder.lines:
        stages = zip(ladder.letters, ladder.stages, strict=True)
        yield Text("  ".join(f"{short} {stage}" for short, stage in stages), style="dim")
        yield _matrix(ladder, signs, setting(report), "pairs")
    if bounds.lines:
        if ladder.lines:
            yield heading(BOUNDS)
        yield _matrix(bounds, signs, setting(report), "builds")


def _legend(report: Report, signs: dict[str, str]) -> str:
    accepted = any(row.accepted for row in report.stages)
    words = (
        f"{signs[Fidelity.PASS]} pass",
        *((f"{signs[Shown.ACCEPTED]} pass, with accepted differences",) if accepted else ()),
        f"{signs[Fidelity.FAIL]} fail",
        f"{signs[Fidelity.INCONCLUSIVE]} inconclusive",
        f"{signs[Fidelity.INFO]} not judged",
    )
    return f"{'  '.join(words)}; {explained(report.stages)}"


def _departures(judged: Matrix, signs: dict[str, str], spelled: Spell) -> Iterator[RenderableType]:
    if judged.departures:
        yield heading("Where it departs")
        yield from cut([_departure(line, signs, spelled) for line in judged.departures], "pairs")


def _matrix(judged: Matrix, signs: dict[str, str], spelled: Spell, noun: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    table.add_column("workload", overflow="fold", min_width=8)
    table.add_column("a : b", overflow="fold", min_width=PAIR_WIDTH)
    table.add_column("prec.", no_wrap=True)
    for short in judged.letters:
        table.add_column(short, no_wrap=True)
    table.add_column("tensors", no_wrap=True, justify="right")
    before = ""
    for shown in folded(judged.lines, noun):
        name = one_line(shown.line.workload)
        cells = [*(_cell(row, signs) for row in shown.cells), Text(shown.tensors)]
        table.add_row(
            Text(name if name != before else ""),
            Text(one_line(shown.pair)),
            Text(one_line(spelled(shown.line))),
            *cells,
        )
        before = name
    return table


def _cell(row: StageRow | None, signs: dict[str, str]) -> Text:
    if row is None:
        return Text("")
    return Text(
        f"{signs.get(row.shown, '?')} {margin(row)}".rstrip(), style=STYLES.get(row.shown, "")
    )


def _departure(line: MatrixLine, signs: dict[str, str], spelled: Spell) -> RenderableType:
    row = line.first
    assert row is not None
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    title = f"{line.workload}  {line.pair}  {spelled(line)}"
    starts = (
        f": starts at {row.stage}"
        if row.verdict == Fidelity.FAIL
        else f": {row.verdict} at {row.stage}"
    )
    grid.add_row(
        Text(signs.get(row.verdict, "?"), style=STYLES.get(row.verdict, "")),
        Text(one_line(title + starts), style="bold"),
    )
    for name, text in _facts(row, line):
        body = Table.grid(padding=(0, 1))
        body.add_column(width=9, no_wrap=True)
        body.add_column(overflow="fold")
        body.add_row(Text(name, style="dim"), Text(one_line(text)))
        grid.add_row("", body)
    return grid


def _facts(row: StageRow, line: MatrixLine) -> Iterator[tuple[str, str]]:
    if row.worst is not None:
        yield "tensor", f"{row.worst} {row.place or ''}"
    if row.value_a is not None or row.value_b is not None:
        yield "a", f"{spell.value(row.value_a)}  ({row.a})"
        yield "b", f"{spell.value(row.value_b)}  ({row.b})"
    if row.error is not None:
        yield (
            "error",
            f"{spell.error(row.error)}, floor {spell.error(row.floor)}, threshold"
            f" {spell.error(row.threshold)}",
        )
    yield "reason", row.reason
    if line.also:
        yield "also", f"{row.verdict} at " + ", ".join(letter(other.stage) for other in line.also)
    if row.command:
        yield "again", row.command
    if row.logs:
        yield "logs", ", ".join(row.logs)


def _information(judged: Matrix, report: Report) -> Iterator[RenderableType]:
    spelled = setting(report, "seed ")
    entries = [
        f"{row.workload} {row.a} : {row.b} {spelled(row)} {row.stage}: {row.reason}"
        + (f" (error {spell.error(row.error)} at {row.worst})" if row.error is not None else "")
        for row in judged.information
    ]
    entries += [
        f"{workload}: mathematically zero, neither agreement nor fault: {_several(names)}"
        for workload, names in zeros(report).items()
    ]
    if entries:
        yield heading("Not judged")
        yield from cut([entry("i", "dim", text) for text in entries], "rows")


def _several(names: Sequence[str]) -> str:
    """Return names, of many the first and how many more there are: the report has all of them."""
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    shown = ", ".join(names[: MOST_NAMES // 2])
    return f"{shown} and {len(names) - MOST_NAMES // 2} more, in the report"


# -- quality and jobs ------------------------------------------------------------------------------


def _quality(rows: tuple[QualityRow, ...]) -> Iterator[RenderableType]:
    yield heading(
        "How good is what they generate?  (mean over seeds, 95 % interval; baseline: real rows"
        " instead)"
    )
    tables: dict[str, Table] = {}
    for first, group in qualities(rows):
        title = one_line(f"{first.workload} {first.preset} {first.precision}")
        if title not in tables:
            tables[title] = Table(
                box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False
            )
            for column in (title, "baseline", "build", "mean [interval]", "seeds"):
                tables[title].add_column(Text(column), overflow="fold")
        builds = [
            [row.build, spell.metric_interval(row.mean, row.low, row.high), str(row.seeds)]
            for row in group
        ]
        columns = ["\n".join(map(one_line, cells)) for cells in zip(*builds, strict=True)]
        name = f"{one_line(first.metric)}\n  {one_line(first.better)} is best"
        tables[title].add_row(Text(name), spell.metric(first.baseline), *map(Text, columns))
    yield from tables.values()
    missing = [f"{row.build} {row.metric}: {row.reason}" for row in rows if row.reason]
    yield from cut([entry("?", "yellow", text) for text in missing], "metrics")


def _job(job: JobRow, seeded: bool) -> RenderableType:
    sign, style = ("-", "dim") if job.status == Status.UNSUPPORTED else ("!", "red")
    log = f" (log: {job.log})" if job.log else ""
    seed = f" seed {job.seed}" if seeded and job.seed is not None else ""
    return entry(
        sign,
        style,
        f"{job.status}: {job.build} {job.workload} {job.kind} {job.precision}{seed}:"
        f" {job.reason}{log}",
    )
