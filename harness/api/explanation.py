"""Why a run is not what was wanted of it, in a few lines: where the sides part first, by how much,
what is not the same there, and the command that gives it again. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.pairs.notes import READ_BACK
from harness.report import format as spell
from harness.report.format import one_line
from harness.report.labels import margin
from harness.results import outcome
from harness.results.model import Report, StageRow
from harness.results.speed_words import TIMES
from harness.results.verdicts import Fidelity, Speed

#: More lines of one kind are counted.
MOST = 6


def first_row(report: Report) -> StageRow | None:
    """Return the row that explains a run: the first that fails, or else the first that is
    inconclusive.

    Args:
        report: of the run.
    """
    failed = outcome.first_failure(report.stages)
    return failed or next(
        (row for row in report.stages if row.verdict == Fidelity.INCONCLUSIVE), None
    )


def unseen_stages(report: Report) -> list[str]:
    """Return the stages that were asked for and that some side could not show: no verdict speaks of
    them.

    Args:
        report: of the run.
    """
    return list(dict.fromkeys(str(row.stage) for row in report.stages if row.not_looked_at))


def lines(report: Report, where: str = "") -> list[str]:
    """Return the answer of a run and what explains it, a line each.

    Args:
        report: of the run. where: its report lies, for a person to open; empty where nobody knows.
    """
    answer = [f"{report.fidelity}: {report.headline}"]
    row = first_row(report)
    if row is not None:
        answer += _of_row(row)
        answer += [f"  not the same: {text}" for text in _cut(attribute_differences(report, row))]
    broken = outcome.broken(report.jobs)
    answer += _cut([f"  {job.job}: {job.status}: {job.reason}; log: {job.log}" for job in broken])
    if report.exit_code == outcome.TOO_SLOW:
        answer += _cut(_slower(report))
    refused = [item for item in report.speed if item.verdict == Speed.REFUSED and not item.by_phase]
    answer += _cut([f"  speed of {item.a} : {item.b} refused: {item.reason}" for item in refused])
    again = row.command if row is not None and row.command else report.command
    answer += [f"  again: {again}"] if again else []
    answer += [f"  report: {where}"] if where else []
    return [f"{text[: len(text) - len(text.lstrip())]}{one_line(text)}" for text in answer]


def _of_row(row: StageRow) -> Iterator[str]:
    yield f"  first: {row.worst or row.stage} ({row.workload}, {row.precision}, {row.stage})"
    if row.error is not None:
        share = margin(row)
        limit = f"  error {spell.error(row.error)}, threshold {spell.error(row.threshold)}"
        yield f"{limit} ({share} of it)" if share.endswith((TIMES, "%")) else limit
    if row.value_a is not None or row.value_b is not None:
        place = f" at {row.place}" if row.place else ""
        a, b = row.sides
        yield f"  {a} has {spell.value(row.value_a)}, {b} has {spell.value(row.value_b)}{place}"
    if row.first_bad_step is not None:
        yield f"  first bad step: {row.first_bad_step}"
    if row.wrong_layers:
        yield f"  wrong layers: {', '.join(row.wrong_layers)}"
    if row.reason:
        yield f"  because: {row.reason}"


def attribute_differences(report: Report, row: StageRow) -> list[str]:
    """Return what was read back of a pair and is not the same, nearest to a departure first: of its
    layer, then of its stage, then all else.

    Args:
        report: of the run. row: where the sides part.
    """
    read = [note.removeprefix(READ_BACK) for note in report.notes if note.startswith(READ_BACK)]
    parts = {part for name in (row.worst or "", *row.wrong_layers) for part in name.split("/")}
    parts.discard("")

    def distance(text: str) -> int:
        if parts & {place.strip() for place in text.partition(": ")[0].split(",")}:
            return 0
        return 1 if f"shows at {row.stage}" in text else 2

    return sorted(read, key=distance)


def _slower(report: Report) -> list[str]:
    return [
        f"  {row.b} takes {spell.ratio(row.ratio, row.low, row.high)} of the time of {row.a}:"
        f" {row.workload} {row.action} {row.precision}"
        for row in report.speed
        if row.verdict == Speed.SLOWER and row.material and not row.by_phase
    ]


def _cut(texts: Sequence[str]) -> list[str]:
    kept = list(texts[:MOST])
    return kept + ([f"  and {len(texts) - MOST} more"] if len(texts) > MOST else [])
