"""The report as GitHub-flavoured Markdown: the same sections as in the terminal, with nothing cut.

Text from outside is escaped: a pipe does not end a cell, an angle bracket does not start HTML, a
backtick does not end code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from harness.report import costs
from harness.report import format as spell
from harness.report.format import one_line
from harness.report.json_format import plain
from harness.report.matrix import (
    TENSORS,
    Line,
    PhaseTable,
    action,
    hint,
    letter,
    matrix,
    ordered,
    phase_tables,
    qualities,
    relation,
    setting,
    threads,
    unfinished,
    zeros,
)
from harness.results.model import BuildRow, QualityRow, Report, SpeedRow, StageRow
from harness.results.verdicts import Fidelity

SIGNS = {
    Fidelity.PASS: "✓",
    Fidelity.FAIL: "✗",
    Fidelity.INCONCLUSIVE: "?",
    Fidelity.INFO: "i",
    "ACCEPTED": "≈",
}
#: Spells a row's precision, with its seed where the report holds several.
Spell = Callable[[Line | StageRow | SpeedRow], str]
SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~&#$@])|\b(https?):|\b(www)\.")


def render(report: Report) -> str:
    """Return the whole report, ending in a newline."""
    parts = [f"# {escape(report.title)}", _answer(report)]
    parts += [
        f"Made {escape(report.created)} by parity-harness {escape(report.harness_version)}:"
        f" {code(report.command, cell=False)}"
    ]
    for title, lines in _sections(report):
        if lines:
            parts += [f"## {title}", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _answer(report: Report) -> str:
    verdict = f"**{escape(report.fidelity)}.** " if report.fidelity != "NONE" else ""
    return verdict + escape(report.headline)


def escape(text: str) -> str:
    """Return text that Markdown shows as it is, on one line; addresses do not become links."""
    return SPECIAL.sub(_inert, one_line(text))


def _inert(found: re.Match[str]) -> str:
    if found[1]:
        return f"\\{found[1]}"
    return f"{found[2]}\\:" if found[2] else f"{found[3]}\\."


def code(text: str, cell: bool = True) -> str:
    """Return a code span, its fence longer than any run of backticks in it; `cell`: inside a table,
    where a pipe ends a cell."""
    shown = (one_line(text).replace("|", "\\|") if cell else one_line(text)) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    space = " " if "`" in shown else ""
    return f"{fence}{space}{shown}{space}{fence}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table's lines; cells are already escaped. An empty table has none."""
    body = ["| " + " | ".join(cells) + " |" for cells in rows]
    return ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *body] if body else []


def _sections(report: Report) -> Iterator[tuple[str, list[str]]]:
    found, spelled = matrix(report.stages), setting(report)
    stages = (f"{short} {stage}" for short, stage in zip(found.letters, found.stages, strict=True))
    head = ["workload", "a : b", "precision", *stages, "tensors"]
    verdicts = _table(head, (_matrix_row(line, spelled) for line in found.lines))
    yield "Same function?", [*verdicts, "", f"{TENSORS}."] if verdicts else []
    yield (
        "Where it departs",
        [text for line in found.departures for text in _departure(line, setting(report, "seed "))],
    )
    scale = f"{threads(report.speed)}; ratio: time of b / time of a; above 1, b is slower"
    yield "How fast?", [scale, "", *_speed(report.speed, spelled)] if report.speed else []
    yield "What a step costs beside time", _costs(report.speed)
    for table in phase_tables(report.speed):
        yield (
            (
                f"Phase by phase: {escape(table.first.workload)} {escape(table.first.preset)}"
                f" {escape(spelled(table.first))}"
            ),
            _phases(table),
        )
    yield "How good is what they generate?", _quality(report.quality)
    head = ["status", "build", "workload", "kind", "precision", "seed", "reason", "log"]
    yield (
        "Jobs that did not end ok",
        _table(
            head,
            (
                [
                    escape(word)
                    for word in (job.status, job.build, job.workload, job.kind, job.precision)
                ]
                + [spell.count(job.seed), escape(job.reason), code(job.log)]
                for job in unfinished(report)
            ),
        ),
    )
    yield "Ladder", _ladder(report.stages, spelled)
    yield (
        "Not judged",
        [
            f"- {escape(workload)}: mathematically zero, neither agreement nor fault:"
            f" {', '.join(escape(name) for name in names)}"
            for workload, names in zeros(report).items()
        ],
    )
    yield "Notes", [f"- {escape(note)}" for note in report.notes]
    yield "Builds", _builds(report.builds)
    yield (
        "Tapes",
        _table(
            ["workload/preset/seed", "SHA-256"],
            ([escape(name), code(report.tapes[name])] for name in sorted(report.tapes)),
        ),
    )


def _matrix_row(line: Line, spelled: Spell) -> list[str]:
    cells = [
        (SIGNS.get(row.shown, "?"), spell.margin(row.error, row.threshold)) if row else ("", "")
        for row in line.cells
    ]
    return [
        escape(line.workload),
        escape(line.pair),
        escape(spelled(line)),
        *(" ".join(cell).strip() for cell in cells),
        line.tensors,
    ]


def _departure(line: Line, spelled: Spell) -> Iterator[str]:
    row = line.first
    assert row is not None
    where = f"{escape(line.workload)}, {escape(line.pair)}, {escape(spelled(line))}"
    yield f"- **{escape(row.verdict)}** {where}: first at **{escape(row.stage)}**"
    if row.worst is not None:
        tensor = code(f"{row.worst} {row.place or ''}", cell=False)
        yield f"  - tensor {tensor}: a = {spell.value(row.value_a)}, b = {spell.value(row.value_b)}"
    if row.error is not None:
        yield (
            f"  - error {spell.error(row.error)}, floor {spell.error(row.floor)}, threshold"
            f" {spell.error(row.threshold)}"
        )
    yield f"  - {escape(row.reason)}"
    if line.also:
        yield (
            f"  - also {escape(row.verdict)} at"
            f" {', '.join(escape(letter(other.stage)) for other in line.also)}"
        )
    if row.command:
        yield f"  - again: {code(row.command, cell=False)}"
    if row.logs:
        yield f"  - logs: {', '.join(code(log, cell=False) for log in row.logs)}"


def _ladder(rows: Sequence[StageRow], spelled: Spell) -> list[str]:
    head = ["workload", "a", "b", "precision", "stage", "verdict", "tensor"]
    head += ["error", "floor", "threshold", "largest error", "tensors", "reason", "again"]
    return _table(
        head,
        (
            [
                escape(word)
                for word in (
                    row.workload,
                    row.a,
                    row.b,
                    spelled(row),
                    row.stage,
                    row.verdict,
                    row.worst or spell.MISSING,
                )
            ]
            + [
                spell.error(row.error),
                spell.error(row.floor),
                spell.error(row.threshold),
                spell.error(row.max_error),
                str(row.tensors),
            ]
            + [escape(row.reason), code(row.command) if row.command else ""]
            for row in rows
        ),
    )


def _speed(rows: Sequence[SpeedRow], spelled: Spell) -> list[str]:
    head = [
        "workload",
        "action",
        "precision",
        "build",
        "step",
        "samples",
        "build + first step",
        "memory",
    ]
    head += ["b / a [99 %]", "b is", "rounds", "hint"]
    cells = []
    for row in rows:
        name = [
            escape(word) for word in (f"{row.workload} {row.preset}", action(row), spelled(row))
        ]
        ratio = spell.ratio(row.ratio, row.low, row.high).replace("[", "\\[")
        verdict = escape(row.verdict) + (", material" if row.material else "")
        a, b = _sides(row)
        cells.append([*name, *a, ratio, verdict, str(row.rounds), escape(hint(row))])
        cells.append(["", "", "", *b, "", "", "", code(row.command) if row.command else ""])
    return _table(head, cells)


def _costs(rows: Sequence[SpeedRow]) -> list[str]:
    found = costs.lines(ordered(rows))
    head = ["workload", "action", "precision", "build", *costs.COLUMNS]
    table = _table(
        head,
        (
            [
                escape(word)
                for word in (
                    f"{line.row.workload} {line.row.preset}",
                    action(line.row),
                    line.precision,
                    line.build,
                )
            ]
            + [escape(cell(line)) for cell in costs.COLUMNS.values()]
            for line in found
        ),
    )
    told = [f"- {escape(text)}" for text in (*costs.reasons(found), *costs.sources(found))]
    return [costs.EXPLAINED, "", *table, "", *told] if found else []


def _phases(found: PhaseTable) -> list[str]:
    """Return a line a phase; every pair's row stands in the table above."""
    rows = []
    for phase, cells in found.lines.items():
        told = [
            (
                f"{spell.seconds(row.b_step_s)} ({spell.ratio_alone(row.ratio)}{relation(row)})"
                if row
                else ""
            )
            for row in cells
        ]
        rows.append([escape(phase), spell.seconds(found.base_s(phase)), *told])
    text = (
        f"One update of each phase; in brackets time / time of {escape(found.builds[0])}, ?"
        " unclear, = same."
    )
    return [text, "", *_table(["phase", *(escape(build) for build in found.builds)], rows)]


def _sides(row: SpeedRow) -> tuple[list[str], list[str]]:
    """Return the cells of each build."""
    warmup_a = spell.warmup(row.a_warmup_s, row.a_build_s, row.a_first_step_s)
    warmup_b = spell.warmup(row.b_warmup_s, row.b_build_s, row.b_first_step_s)
    a = [
        spell.seconds(row.a_step_s),
        spell.rate(row.a_rate),
        warmup_a,
        spell.memory(row.a_peak_bytes),
    ]
    b = [
        spell.seconds(row.b_step_s),
        spell.rate(row.b_rate),
        warmup_b,
        spell.memory(row.b_peak_bytes),
    ]
    return [f"a {escape(row.a)}", *a], [f"b {escape(row.b)}", *b]


def _quality(rows: Sequence[QualityRow]) -> list[str]:
    head = [
        "workload",
        "precision",
        "metric",
        "best",
        "baseline",
        "build",
        "mean [95 %]",
        "seeds",
        "why not",
    ]
    cells = []
    for first, group in qualities(rows):
        named = [
            escape(word)
            for word in (
                f"{first.workload} {first.preset}",
                first.precision,
                first.metric,
                first.better,
            )
        ]
        named.append(spell.metric(first.baseline))
        for row in group:
            mean = spell.metric_interval(row.mean, row.low, row.high).replace("[", "\\[")
            cells.append([*named, escape(row.build), mean, str(row.seeds), escape(row.reason)])
            named = [""] * len(named)
    return _table(head, cells)


def _builds(rows: Sequence[BuildRow]) -> list[str]:
    head = ["build", "Python", "platform", "versions", "origin", "port", "in effect"]
    return _table(
        head,
        (
            [
                escape(row.build),
                escape(row.python),
                escape(row.platform),
                _listed({**row.versions}),
                escape(row.origin),
            ]
            + [_listed({**row.port}), _listed(row.effective)]
            for row in rows
        ),
    )


def _listed(told: dict[str, object]) -> str:
    words = {
        name: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for name, value in plain(told).items()
    }
    return escape(", ".join(f"{name} {word}" for name, word in sorted(words.items())))
