"""The rows of a report in the order in which a reader asks: which pairs pass, where does the first
difference start.

Owns grouping and choosing, shared by all renderers; draws nothing and judges nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from backends.contract import STAGE_LETTERS, Stage, Status
from harness.results.model import JobRow, QualityRow, Report, StageRow
from harness.results.verdicts import Bounds, Fidelity

#: Column headings; P is not a step of the ladder but whether a lower precision is in effect and no
#: worse than it must be.
LETTERS: dict[str, Stage | Bounds] = {**STAGE_LETTERS, "P": Bounds.PRECISION}
ORDER = {stage: number for number, stage in enumerate(LETTERS.values())}
#: What the column of counts says.
TENSORS = (
    "tensors: how many were compared (in brackets: left out, being mathematically zero, beyond the"
    " horizon - where rounding alone may have grown to any size -, undecided or not shown)"
)
#: What the number in a cell says.
MARGIN = "6 %: the error is that part of its threshold; 2.0× and more: so many times as much"
#: From bad to good.
SEVERITY = (Fidelity.FAIL, Fidelity.INCONCLUSIVE, Fidelity.PASS, Fidelity.INFO)


@dataclasses.dataclass(frozen=True)
class MatrixLine:
    """One workload, pair, precision and seed: a line of the matrix.

    Attributes:
        cells: the row of each stage in `Matrix.stages`, None where the stage was not asked for.
        verdict: the worst of its cells.
        first: the first stage that fails, or, if none does, the first that is inconclusive.
        also: later stages with the same verdict as `first`.
    """

    workload: str
    a: str
    b: str
    precision: str
    seed: int
    cells: tuple[StageRow | None, ...]
    verdict: Fidelity
    first: StageRow | None
    also: tuple[StageRow, ...]

    @property
    def pair(self) -> str:
        """The two sides, as printed."""
        return f"{self.a} : {self.b}"

    @property
    def counts(self) -> tuple[int, int]:
        """How many tensors of its stages were compared, and how many were not."""
        rows = [row for row in self.cells if row is not None and row.verdict != Fidelity.INFO]
        return sum(row.counted for row in rows), sum(row.left_out for row in rows)

    @property
    def tensors(self) -> str:
        """Both, the others in brackets: `812 (9)`."""
        return counted(*self.counts)


@dataclasses.dataclass(frozen=True)
class Matrix:
    """All lines, the stages that are its columns, and the rows that inform without being judged."""

    stages: tuple[Stage | Bounds, ...]
    lines: tuple[MatrixLine, ...]
    information: tuple[StageRow, ...]

    @property
    def letters(self) -> tuple[str, ...]:
        """The heading of each column."""
        return tuple(letter for letter, stage in LETTERS.items() if stage in self.stages)

    @property
    def departures(self) -> tuple[MatrixLine, ...]:
        """Lines that do not pass, the failing ones first."""
        return tuple(
            line for verdict in SEVERITY[:2] for line in self.lines if line.verdict == verdict
        )


def explained(rows: Sequence[StageRow]) -> str:
    """Return what the numbers of a matrix of these rows say; stands above it."""
    return f"{MARGIN}; {TENSORS}" if any(row.left_out for row in rows) else MARGIN


def counted(compared: int, left_out: int) -> str:
    """Return how many tensors were compared and, in brackets, were not: `812 (9)`."""
    return f"{compared} ({left_out})" if left_out else f"{compared}"


def matrix(rows: Sequence[StageRow]) -> Matrix:
    """Group stage rows into lines, in the order in which the lines first occur."""
    groups: dict[tuple[str, str, str, str, int], list[StageRow]] = {}
    for row in rows:
        groups.setdefault((row.workload, row.a, row.b, row.precision, row.seed), []).append(row)
    judged = {key: group for key, group in groups.items() if _judged(group)}
    present = {row.stage for group in judged.values() for row in group}
    stages = tuple(stage for stage in ORDER if stage in present)
    information = tuple(row for row in rows if row.verdict == Fidelity.INFO)
    lines = tuple(_line(key, group, stages) for key, group in judged.items())
    return Matrix(stages, lines, information)


def _judged(group: Sequence[StageRow]) -> bool:
    return any(row.verdict != Fidelity.INFO for row in group)


def _line(
    key: tuple[str, str, str, str, int], group: Sequence[StageRow], stages: Sequence[Stage | Bounds]
) -> MatrixLine:
    ordered = sorted(
        group, key=lambda row: (ORDER.get(row.stage, len(ORDER)), _severity(row.verdict))
    )
    by_stage: dict[Stage | Bounds, StageRow] = {}
    for row in ordered:
        by_stage.setdefault(row.stage, row)
    verdict = min((row.verdict for row in ordered), key=_severity)
    departed = []
    if verdict not in (Fidelity.PASS, Fidelity.INFO):
        departed = [row for row in ordered if row.verdict == verdict]
    return MatrixLine(
        *key,
        cells=tuple(by_stage.get(stage) for stage in stages),
        verdict=verdict,
        first=departed[0] if departed else None,
        also=tuple(departed[1:]),
    )


def _severity(verdict: Fidelity) -> int:
    """Return the rank from bad to good; an unknown verdict counts as inconclusive."""
    return SEVERITY.index(verdict) if verdict in SEVERITY else 1


def letter(stage: Stage | Bounds) -> str:
    """Return the one-letter spelling of a stage, or the stage itself if it has none."""
    return next((short for short, name in LETTERS.items() if name == stage), stage)


def zeros(report: Report) -> dict[str, tuple[str, ...]]:
    """Return, by workload, the tensors that are mathematically zero: no agreement and no fault."""
    by_workload: dict[str, dict[str, None]] = {}
    for row in report.stages:
        # In the distribution stage, a constant channel has no correlation.
        for name in row.null if row.stage != Stage.DISTRIBUTION else ():
            by_workload.setdefault(row.workload, {})[name] = None
    return {workload: tuple(names) for workload, names in by_workload.items()}


def unfinished(report: Report) -> tuple[JobRow, ...]:
    """Return the jobs that did not end ok; what is merely unsupported comes last."""
    ended = [job for job in report.jobs if job.status != Status.OK]
    return tuple(sorted(ended, key=lambda job: job.status == Status.UNSUPPORTED))


def qualities(rows: Sequence[QualityRow]) -> tuple[tuple[QualityRow, tuple[QualityRow, ...]], ...]:
    """Group quality rows by workload, precision and metric.

    Returns:
        Of each group a first row, whose baseline stands for all, and the rows of all builds.
    """
    groups: dict[tuple[str, str, str, str], list[QualityRow]] = {}
    for row in rows:
        groups.setdefault((row.workload, row.preset, row.precision, row.metric), []).append(row)
    return tuple((group[0], tuple(group)) for group in groups.values())
