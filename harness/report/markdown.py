"""The report as GitHub-flavoured Markdown: the sections of the terminal's, with nothing cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.report import format as spell
from harness.report import matrix
from harness.report.labels import Spell, margin, setting
from harness.report.markdown_speed import phases, step_costs, whole_steps
from harness.report.markdown_text import code, escape, escaped, table
from harness.report.phase_table import phase_tables
from harness.report.provenance import in_words
from harness.report.signs import SIGNS
from harness.results.model import BuildRow, JobRow, QualityRow, Report, StageRow
from harness.results.verdicts import Fidelity

LADDER = (
    "workload",
    "a",
    "b",
    "precision",
    "stage",
    "verdict",
    "tensor",
    "error",
    "floor",
    "threshold",
    "largest error",
    "tensors",
    "reason",
    "again",
)
QUALITY = (
    "workload",
    "precision",
    "metric",
    "best",
    "baseline",
    "build",
    "mean [95 %]",
    "seeds",
    "why not",
)
JOBS = ("status", "build", "workload", "kind", "precision", "seed", "reason", "log")
BUILDS = ("build", "Python", "platform", "versions", "origin", "port", "in effect")


def render(report: Report) -> str:
    """Return the whole report, ending in a newline."""
    parts = [
        f"# {escape(report.title)}",
        _answer(report),
        f"Made {escape(report.created)} by parity-harness {escape(report.harness_version)}:"
        f" {code(report.command, cell=False)}",
    ]
    for title, lines in _sections(report):
        if lines:
            parts += [f"## {title}", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _answer(report: Report) -> str:
    verdict = f"**{escape(report.fidelity)}.** " if report.fidelity != Fidelity.NONE else ""
    return verdict + escape(report.headline)


def _sections(report: Report) -> Iterator[tuple[str, list[str]]]:
    """Yield each section's title and lines; without lines it is left out."""
    spelled = setting(report)
    yield "Same function?", _verdicts(report, spelled)
    yield "Where it departs", _departures(report)
    yield "How fast?", whole_steps(report.speed, spelled)
    yield "What a step costs beside time", step_costs(report.speed)
    for phase_table in phase_tables(report.speed):
        yield phases(phase_table, spelled)
    yield "How good is what they generate?", _quality(report.quality)
    yield "Jobs that did not end ok", table(JOBS, (_job(job) for job in matrix.unfinished(report)))
    yield "Ladder", table(LADDER, (_ladder_row(row, spelled) for row in report.stages))
    yield "Not judged", _not_judged(report)
    yield "Notes", [f"- {escape(note)}" for note in report.notes]
    yield "Builds", table(BUILDS, (_build(row) for row in report.builds))
    tapes = ([escape(name), code(report.tapes[name])] for name in sorted(report.tapes))
    yield "Tapes", table(["workload/preset/seed", "SHA-256"], tapes)


def _verdicts(report: Report, spelled: Spell) -> list[str]:
    judged = matrix.matrix(report.stages)
    stages = (
        f"{short} {stage}" for short, stage in zip(judged.letters, judged.stages, strict=True)
    )
    head = ["workload", "a : b", "precision", *stages, "tensors"]
    lines = table(head, (_matrix_row(line, spelled) for line in judged.lines))
    return [f"{matrix.explained(report.stages)}.", "", *lines] if lines else []


def _matrix_row(line: matrix.MatrixLine, spelled: Spell) -> list[str]:
    names = escaped(line.workload, line.pair, spelled(line))
    return [*names, *(_matrix_cell(row) for row in line.cells), line.tensors]


def _matrix_cell(row: StageRow | None) -> str:
    if row is None:
        return ""
    return f"{SIGNS.get(row.shown, '?')} {margin(row)}".strip()


def _departures(report: Report) -> list[str]:
    spelled = setting(report, "seed ")
    lines: list[str] = []
    for line in matrix.matrix(report.stages).departures:
        lines += _departure(line, spelled)
    return lines


def _departure(line: matrix.MatrixLine, spelled: Spell) -> Iterator[str]:
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
        later = ", ".join(escape(matrix.letter(other.stage)) for other in line.also)
        yield f"  - also {escape(row.verdict)} at {later}"
    if row.command:
        yield f"  - again: {code(row.command, cell=False)}"
    if row.logs:
        yield f"  - logs: {', '.join(code(log, cell=False) for log in row.logs)}"


def _ladder_row(row: StageRow, spelled: Spell) -> list[str]:
    return [
        *escaped(row.workload, row.a, row.b, spelled(row), row.stage, row.verdict),
        escape(row.worst or spell.MISSING),
        spell.error(row.error),
        spell.error(row.floor),
        spell.error(row.threshold),
        spell.error(row.max_error),
        str(row.tensors),
        escape(row.reason),
        code(row.command) if row.command else "",
    ]


def _quality(rows: Sequence[QualityRow]) -> list[str]:
    cells = []
    for first, group in matrix.qualities(rows):
        workload = f"{first.workload} {first.preset}"
        names = escaped(workload, first.precision, first.metric, first.better)
        names.append(spell.metric(first.baseline))
        for row in group:
            mean = spell.metric_interval(row.mean, row.low, row.high).replace("[", "\\[")
            cells.append([*names, escape(row.build), mean, str(row.seeds), escape(row.reason)])
            names = [""] * len(names)
    return table(QUALITY, cells)


def _job(job: JobRow) -> list[str]:
    names = escaped(job.status, job.build, job.workload, job.kind, job.precision)
    return [*names, spell.count(job.seed), escape(job.reason), code(job.log)]


def _not_judged(report: Report) -> list[str]:
    return [
        f"- {escape(workload)}: mathematically zero, neither agreement nor fault:"
        f" {', '.join(escaped(*names))}"
        for workload, names in matrix.zeros(report).items()
    ]


def _build(row: BuildRow) -> list[str]:
    return [
        *escaped(row.build, row.python, row.platform),
        _listed(row.versions),
        escape(row.origin),
        _listed(row.port),
        _listed(row.effective),
    ]


def _listed(properties: Mapping[str, Any]) -> str:
    words = in_words(properties)
    return escape(", ".join(f"{name} {word}" for name, word in sorted(words.items())))
