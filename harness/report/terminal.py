"""The report in a terminal: first the answer, then where each difference starts, then speed, then what did not run.

Returns a renderable and prints nothing. Everything from outside goes through `Text`, so that no markup of rich is obeyed,
and through `one_line`, so that no control sequence reaches the terminal. Verdicts differ in their signs, not in colour only;
a terminal without Unicode gets words. Fits 80 columns; wider ones get more columns of the speed table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from harness.report import format as spell
from harness.report.format import one_line
from harness.report.matrix import Line, Matrix, action, hint, letter, matrix, qualities, setting, threads, unfinished, zeros
from harness.report.model import JobRow, QualityRow, Report, SpeedRow, StageRow

SIGNS = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?", "INFO": "i"}
ASCII_SIGNS = {"PASS": "ok", "FAIL": "X", "INCONCLUSIVE": "?", "INFO": "i"}
STYLES = {
    "PASS": "green", "FAIL": "bold red", "INCONCLUSIVE": "yellow", "INFO": "dim", "NONE": "dim",
    "FASTER": "green", "SLOWER": "red", "SAME": "green", "UNCLEAR": "yellow",
}
#: Spells a row's precision, with its seed where the report holds several.
Spell = Callable[[Line | StageRow | SpeedRow], str]
#: Longer lists are cut here; the Markdown and HTML reports hold them whole.
MAX_DETAILS = 12
#: Where the names of a pair's builds are folded at the latest.
PAIR_WIDTH = len("tf1-compat :")
#: From this width on the speed table also shows warm-up and memory.
WIDE = 100


def render(report: Report) -> RenderableType:
    """Return the whole report as one renderable."""
    return _Page(report)


class _Page:
    """Asks the console for its width and encoding when it is drawn."""

    def __init__(self, report: Report) -> None:
        self.report = report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        signs = ASCII_SIGNS if options.ascii_only else SIGNS
        report, found = self.report, matrix(self.report.stages)
        yield _headline(report, signs)
        if found.lines:
            yield from _fidelity(report, signs)
            yield from _departures(found, signs, setting(report, "seed "))
        if report.speed:
            yield from _speed(report.speed, setting(report), options.max_width >= WIDE)
        if report.quality:
            yield from _quality(report.quality)
        ended = unfinished(report)
        if ended:
            yield _heading("Jobs that did not end ok")
            yield from _cut([_job(job) for job in ended], "jobs")
        yield from _information(found, report)
        if report.notes:
            yield _heading("Notes")
            for note in report.notes:
                yield _entry("-", "", note)


def _headline(report: Report, signs: dict[str, str]) -> Text:
    style = STYLES.get(report.fidelity, "bold")
    start = f"{signs[report.fidelity]} {report.fidelity}  " if report.fidelity in signs else ""
    return Text.assemble((start, f"bold {style}"), (one_line(report.headline), "bold"))


def _heading(words: str) -> Text:
    return Text(f"\n{words}", style="bold")


def _entry(sign: str, style: str, text: str) -> Table:
    """Return a paragraph with a hanging indent."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(sign, style=style), Text(one_line(text)))
    return grid


def _cut(entries: list[RenderableType], what: str) -> Iterator[RenderableType]:
    yield from entries[:MAX_DETAILS]
    if len(entries) > MAX_DETAILS:
        yield Text(f"... and {len(entries) - MAX_DETAILS} more {what}: see the report's files", style="dim")


# -- fidelity ---------------------------------------------------------------------------------------------------------


def _fidelity(report: Report, signs: dict[str, str]) -> Iterator[RenderableType]:
    ladder = matrix([row for row in report.stages if row.stage != "precision"])
    bounds = matrix([row for row in report.stages if row.stage == "precision"])
    if ladder.lines:
        yield _heading("Same function?")
        yield _matrix(ladder, signs, setting(report))
        yield Text("  ".join(f"{short} {stage}" for short, stage in zip(ladder.letters, ladder.stages, strict=True)), style="dim")
    if bounds.lines:
        yield _heading("Is the lower precision in effect, and no worse than it must be?")
        yield _matrix(bounds, signs, setting(report))
    yield Text(f"{signs['PASS']} pass  {signs['FAIL']} fail  {signs['INCONCLUSIVE']} inconclusive  {signs['INFO']} not judged; "
               "the number is error / threshold: beyond 1, it departs", style="dim")


def _departures(found: Matrix, signs: dict[str, str], spelled: Spell) -> Iterator[RenderableType]:
    if found.departures:
        yield _heading("Where it departs")
        yield from _cut([_departure(line, signs, spelled) for line in found.departures], "pairs")


def _matrix(found: Matrix, signs: dict[str, str], spelled: Spell) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    table.add_column("workload", overflow="fold", min_width=8)
    table.add_column("a : b", overflow="fold", min_width=PAIR_WIDTH)
    table.add_column("prec.", no_wrap=True)
    for short in found.letters:
        table.add_column(short, no_wrap=True)
    before = ""
    for line in found.lines:
        name = one_line(line.workload)
        cells = [_cell(row, signs) for row in line.cells]
        table.add_row(Text(name if name != before else ""), Text(one_line(line.pair)), Text(one_line(spelled(line))), *cells)
        before = name
    return table


def _cell(row: StageRow | None, signs: dict[str, str]) -> Text:
    if row is None:
        return Text("")
    margin = spell.margin(row.error, row.threshold) if row.verdict != "INFO" else ""
    return Text(f"{signs.get(row.verdict, '?')} {margin}".rstrip(), style=STYLES.get(row.verdict, ""))


def _departure(line: Line, signs: dict[str, str], spelled: Spell) -> RenderableType:
    row = line.first
    assert row is not None
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    title = f"{line.workload}  {line.pair}  {spelled(line)}"
    starts = f": starts at {row.stage}" if row.verdict == "FAIL" else f": {row.verdict} at {row.stage}"
    grid.add_row(Text(signs.get(row.verdict, "?"), style=STYLES.get(row.verdict, "")), Text(one_line(title + starts), style="bold"))
    for name, text in _facts(row, line):
        body = Table.grid(padding=(0, 1))
        body.add_column(width=9, no_wrap=True)
        body.add_column(overflow="fold")
        body.add_row(Text(name, style="dim"), Text(one_line(text)))
        grid.add_row("", body)
    return grid


def _facts(row: StageRow, line: Line) -> Iterator[tuple[str, str]]:
    if row.worst is not None:
        yield "tensor", f"{row.worst} {row.place or ''}"
    if row.value_a is not None or row.value_b is not None:
        yield "a", f"{spell.value(row.value_a)}  ({row.a})"
        yield "b", f"{spell.value(row.value_b)}  ({row.b})"
    if row.error is not None:
        yield "error", f"{spell.error(row.error)}, floor {spell.error(row.floor)}, threshold {spell.error(row.threshold)}"
    yield "reason", row.reason
    if line.also:
        yield "also", f"{row.verdict} at " + ", ".join(letter(other.stage) for other in line.also)
    if row.command:
        yield "again", row.command
    if row.logs:
        yield "logs", ", ".join(row.logs)


def _information(found: Matrix, report: Report) -> Iterator[RenderableType]:
    spelled = setting(report, "seed ")
    entries = [
        f"{row.workload} {row.a} : {row.b} {spelled(row)} {row.stage}: {row.reason}"
        + (f" (error {spell.error(row.error)} at {row.worst})" if row.error is not None else "")
        for row in found.information
    ]
    entries += [
        f"{workload}: mathematically zero, neither agreement nor fault: {', '.join(names)}" for workload, names in zeros(report).items()
    ]
    if entries:
        yield _heading("Not judged")
        yield from _cut([_entry("i", "dim", entry) for entry in entries], "rows")


# -- speed and jobs ---------------------------------------------------------------------------------------------------


def _speed(rows: tuple[SpeedRow, ...], spelled: Spell, wide: bool) -> Iterator[RenderableType]:
    yield _heading(f"How fast?  ({threads(rows)}; ratio: time of b / time of a, 99 % interval; above 1, b is slower)")
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
            yield _entry("?" if row.verdict == "UNCLEAR" else "!", "yellow", f"{name}: {text}")
    slower = [row for row in rows if row.verdict == "SLOWER" and row.material and row.command]
    for row in slower[:MAX_DETAILS]:
        yield _entry("!", "red", f"{row.workload} {row.action} {spelled(row)} again: {row.command}")


def _speed_cells(row: SpeedRow, spelled: Spell, wide: bool) -> list[Text]:
    cells = [
        Text(one_line(f"{row.workload} {row.preset}") + "\n" + one_line(f"{action(row)} {spelled(row)}")),
        Text(f"a {one_line(row.a)}\nb {one_line(row.b)}"),
        Text(f"{spell.seconds(row.a_step_s)}\n{spell.seconds(row.b_step_s)}"),
        Text(f"{spell.rate(row.a_rate)}\n{spell.rate(row.b_rate)}"),
    ]
    if wide:
        a = spell.warmup(row.a_warmup_s, row.a_build_s, row.a_first_step_s)
        cells.append(Text(f"{a}\n{spell.warmup(row.b_warmup_s, row.b_build_s, row.b_first_step_s)}"))
        cells.append(Text(f"{spell.memory(row.a_peak_bytes)}\n{spell.memory(row.b_peak_bytes)}"))
    about = f"\nof ~{row.more_rounds}" if row.verdict == "UNCLEAR" and row.more_rounds is not None else ""
    return [
        *cells,
        Text(f"{spell.ratio_alone(row.ratio)}\n{spell.interval(row.low, row.high)}"),
        Text(one_line(row.verdict) + ("\nmaterial" if row.material else ""), style=STYLES.get(row.verdict, "")),
        Text(f"{row.rounds}{about}"),
    ]


def _quality(rows: tuple[QualityRow, ...]) -> Iterator[RenderableType]:
    yield _heading("How good is what they generate?  (mean over seeds, 95 % interval; baseline: real rows instead)")
    tables: dict[str, Table] = {}
    for first, group in qualities(rows):
        title = one_line(f"{first.workload} {first.preset} {first.precision}")
        if title not in tables:
            tables[title] = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
            for heading in (title, "baseline", "build", "mean [interval]", "seeds"):
                tables[title].add_column(Text(heading), overflow="fold")
        builds = [[row.build, spell.metric_interval(row.mean, row.low, row.high), str(row.seeds)] for row in group]
        columns = ["\n".join(map(one_line, cells)) for cells in zip(*builds, strict=True)]
        name = f"{one_line(first.metric)}\n  {one_line(first.better)} is best"
        tables[title].add_row(Text(name), spell.metric(first.baseline), *map(Text, columns))
    yield from tables.values()
    lacking = [row for row in rows if row.reason]
    yield from _cut([_entry("?", "yellow", f"{row.build} {row.metric}: {row.reason}") for row in lacking], "metrics")


def _job(job: JobRow) -> RenderableType:
    sign, style = ("-", "dim") if job.status == "unsupported" else ("!", "red")
    log = f" (log: {job.log})" if job.log else ""
    return _entry(sign, style, f"{job.status}: {job.build} {job.workload} {job.kind} {job.precision}: {job.reason}{log}")
