"""What `harness selfcheck` prints: for each action of each build what was injected and measured,
and what runs find by their length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from harness.report import format as spell
from harness.report.signs import ASCII_SIGNS, SIGNS
from harness.report.terminal_style import STYLES, FixedWidth, entry, heading
from harness.results.verdicts import Fidelity
from harness.speed.replay import Rates
from harness.speed.selfcheck import RESOLVED, SLOWDOWNS, Findings

EIGHTHS = " ▏▎▍▌▋▊▉█"
#: Rounds from which rates are drawn without a warning.
ENOUGH = 30
#: Six columns of runs fit into a terminal of 80.
BAR = 4


def render(sections: Sequence[tuple[str, Findings]]) -> RenderableType:
    """Return the whole page; a section has a title."""
    return FixedWidth(_Page(sections))


class _Page:
    """Asks the console for its encoding when it is drawn."""

    def __init__(self, sections: Sequence[tuple[str, Findings]]) -> None:
        self.sections = sections

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        signs = ASCII_SIGNS if options.ascii_only else SIGNS
        for title, findings in self.sections:
            yield from _section(title, findings, signs)


def _section(title: str, findings: Findings, signs: dict[str, str]) -> Iterator[RenderableType]:
    yield heading(f"{title} against itself")
    yield Text(
        f"{findings.rounds} rounds of {findings.round_s:.1f} s: {findings.identical} of identical"
        f" sides, {findings.rounds - findings.identical} with a slow-down injected into the timed"
        f" steps.\nBetween rounds the ratio scatters by {100 * findings.spread:.1f} %.",
        style="dim",
    )
    yield Text()
    yield _injections(findings)
    yield Text(
        f"Of {findings.runs} runs of five rounds, as they were measured, {findings.alarms}"
        f" show{'s' * (findings.alarms == 1)} a difference that is not there, {findings.material} a"
        " material one."
    )
    yield Text()
    yield Text("Share of runs that find it, by how many rounds they may have:")
    yield _points(findings)
    first = findings.points[0]
    rough = "; so few rounds give rough ones" if findings.rounds < ENOUGH else ""
    yield Text(
        f"`resolves`: the smallest slow-down that {100 * RESOLVED:.0f} % of runs find. Rates are"
        f" drawn from the {findings.rounds} measured rounds, {first.false.tries} runs each for no"
        f" change, {first.power[0].tries} for a slow-down{rough}.",
        style="dim",
    )
    for problem in findings.problems:
        yield entry(signs[Fidelity.FAIL], "bold red", problem)
    if not findings.problems:
        yield entry(
            signs[Fidelity.PASS],
            "green",
            "false alarms are within bounds, and nothing that was measured contradicts what was"
            " injected",
        )


def _table(columns: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
    return table


def _injections(findings: Findings) -> Table:
    table = _table(("injected", "rounds", "ratio", "99 % interval", "verdict"))
    for injection in findings.injections:
        estimate, verdict = injection.estimate, injection.verdict
        material = ", material" if verdict.material else ""
        table.add_row(
            Text(f"{100 * injection.slowdown:g} %" if injection.slowdown else "nothing"),
            Text(str(estimate.rounds)),
            Text(spell.ratio_alone(estimate.ratio)),
            Text(spell.interval(estimate.low, estimate.high)),
            Text(verdict.verdict + material, style=STYLES[verdict.verdict]),
        )
    return table


def _points(findings: Findings) -> Table:
    table = _table(("at most", *(f"{point.most} rounds" for point in findings.points)))
    table.add_row(
        "takes", *(spell.seconds(point.most * findings.round_s) for point in findings.points)
    )
    table.add_row(
        "no change", *(f"{100 * point.false.detected:.1f} %" for point in findings.points)
    )
    for number, slowdown in enumerate(SLOWDOWNS):
        table.add_row(
            f"{100 * slowdown:g} % slower", *(bar(point.power[number]) for point in findings.points)
        )
    smallest = (
        f"{100 * point.smallest:g} %" if point.smallest is not None else "none"
        for point in findings.points
    )
    table.add_row(
        Text("resolves", style="bold"), *(Text(words, style="bold") for words in smallest)
    )
    return table


def bar(rates: Rates) -> Text:
    """Return a share as a bar with its number."""
    eighths = round(8 * BAR * rates.slower)
    drawn = EIGHTHS[8] * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")
    return Text(f"{drawn:<{BAR}} {100 * rates.slower:3.0f} %")
