"""The rows of a report in the order in which a reader asks: which pairs pass, where does the first
difference start.

Owns grouping and choosing, shared by all renderers; draws nothing and judges nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from backends.contract import STAGE_LETTERS
from harness.report.format import one_line, seconds
from harness.results.model import Cost, JobRow, QualityRow, Report, SpeedRow, StageRow
from harness.results.verdicts import Fidelity, Speed

#: Column headings; P is not a step of the ladder but whether a lower precision is in effect and no
#: worse than it must be.
LETTERS = {**STAGE_LETTERS, "P": "precision"}
ORDER = {stage: place for place, stage in enumerate(LETTERS.values())}
#: What the column of counts says.
TENSORS = (
    "tensors: how many were compared (in brackets: left out, being mathematically zero, beyond the"
    " horizon, undecided or not shown)"
)
#: From bad to good.
SEVERITY = (
    Fidelity.FAIL,
    Fidelity.INCONCLUSIVE,
    Fidelity.PASS,
    Fidelity.INFO,
)


@dataclasses.dataclass(frozen=True)
class Line:
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
    verdict: str
    first: StageRow | None
    also: tuple[StageRow, ...]

    @property
    def pair(self) -> str:
        """The two sides, as printed."""
        return f"{self.a} : {self.b}"

    @property
    def tensors(self) -> str:
        """How many tensors of all its stages were compared, and in brackets how many were not: `812
        (9)`."""
        rows = [row for row in self.cells if row is not None and row.verdict != Fidelity.INFO]
        left = sum(row.left_out for row in rows)
        return f"{sum(row.counted for row in rows)}{f' ({left})' if left else ''}"


@dataclasses.dataclass(frozen=True)
class Matrix:
    """All lines, the stages that are its columns, and the rows that inform without being judged."""

    stages: tuple[str, ...]
    lines: tuple[Line, ...]
    information: tuple[StageRow, ...]

    @property
    def letters(self) -> tuple[str, ...]:
        """The heading of each column."""
        return tuple(letter for letter, stage in LETTERS.items() if stage in self.stages)

    @property
    def departures(self) -> tuple[Line, ...]:
        """Lines that do not pass, the failing ones first."""
        return tuple(
            line for verdict in SEVERITY[:2] for line in self.lines if line.verdict == verdict
        )


def matrix(rows: Sequence[StageRow]) -> Matrix:
    """Group stage rows into lines, in the order in which the lines first occur."""
    groups: dict[tuple[str, str, str, str, int], list[StageRow]] = {}
    for row in rows:
        groups.setdefault((row.workload, row.a, row.b, row.precision, row.seed), []).append(row)
    judged = {
        key: group
        for key, group in groups.items()
        if any(row.verdict != Fidelity.INFO for row in group)
    }
    present = {row.stage for group in judged.values() for row in group}
    stages = tuple(stage for stage in ORDER if stage in present)
    information = tuple(row for row in rows if row.verdict == Fidelity.INFO)
    return Matrix(
        stages, tuple(_line(key, group, stages) for key, group in judged.items()), information
    )


def _line(
    key: tuple[str, str, str, str, int], group: Sequence[StageRow], stages: Sequence[str]
) -> Line:
    ordered = sorted(group, key=lambda row: (ORDER.get(row.stage, len(ORDER)), _severity(row)))
    cells = tuple(next((row for row in ordered if row.stage == stage), None) for stage in stages)
    verdict = min(
        (row.verdict for row in ordered),
        key=lambda word: SEVERITY.index(word) if word in SEVERITY else 1,
    )
    departed = (
        [row for row in ordered if row.verdict == verdict]
        if verdict not in (Fidelity.PASS, Fidelity.INFO)
        else []
    )
    return Line(*key, cells, verdict, departed[0] if departed else None, tuple(departed[1:]))


def _severity(row: StageRow) -> int:
    return SEVERITY.index(row.verdict) if row.verdict in SEVERITY else 1


@dataclasses.dataclass(frozen=True)
class PhaseTable:
    """Single phases of one workload: a line a phase, a column a build.

    Attributes:
        first: any of its rows, for what they have in common. builds: the others are held against
            the first of them.
        lines: by phase, the row of the first build and each other one; None where there is none.
    """

    first: SpeedRow
    builds: tuple[str, ...]
    lines: dict[str, tuple[SpeedRow | None, ...]]

    def base_s(self, phase: str) -> float | None:
        """Return the first build's time of one update, seconds."""
        return next((row.a_step_s for row in self.lines[phase] if row), None)


def phase_tables(rows: Sequence[SpeedRow]) -> tuple[PhaseTable, ...]:
    """Group the rows of single phases by workload, preset, precision and seed, in the order in
    which they first occur."""
    groups: dict[tuple[str, str, str, int], list[SpeedRow]] = {}
    for row in rows:
        if row.by_phase:
            groups.setdefault((row.workload, row.preset, row.precision, row.seed), []).append(row)
    found = []
    for group in groups.values():
        first = group[0]
        against = {(row.action, row.b): row for row in group if row.a == first.a}
        others = tuple(dict.fromkeys(b for _, b in against))
        lines = {phase: tuple(against.get((phase, b)) for b in others) for phase, _ in against}
        found.append(PhaseTable(first, (first.a, *others), lines))
    return tuple(found)


def relation(row: SpeedRow) -> str:
    """Return what stands beside a ratio where there is no room for the verdict: `?` UNCLEAR, `=`
    SAME."""
    return {
        Speed.UNCLEAR: " ?",
        Speed.SAME: " =",
        Speed.REFUSED: " refused",
    }.get(row.verdict, "")


def setting(report: Report, sign: str = "s") -> Callable[[Line | StageRow | SpeedRow], str]:
    """Return what spells a row's precision: `fp64`, or, if the report holds more than one seed,
    `fp64 s1`.

    Args:
        report: the whole report, so that all its tables agree on whether seeds are shown.
        sign: what precedes the seed's number.
    """
    rows: tuple[StageRow | SpeedRow, ...] = (*report.stages, *report.speed)
    several = len({row.seed for row in rows}) > 1
    return lambda row: f"{row.precision} {sign}{row.seed}" if several else row.precision


def letter(stage: str) -> str:
    """Return the one-letter spelling of a stage, or the stage itself if it has none."""
    return next((short for short, name in LETTERS.items() if name == stage), stage)


def zeros(report: Report) -> dict[str, tuple[str, ...]]:
    """Return, by workload, the tensors that are mathematically zero: neither agreement nor a
    fault."""
    found: dict[str, dict[str, None]] = {}
    for row in report.stages:
        for name in (
            row.null if row.stage != "distribution" else ()
        ):  # there, a constant channel has no correlation
            found.setdefault(row.workload, {})[name] = None
    return {workload: tuple(names) for workload, names in found.items()}


def unfinished(report: Report) -> tuple[JobRow, ...]:
    """Return the jobs that did not end ok; what is merely unsupported comes last."""
    ended = [job for job in report.jobs if job.status != "ok"]
    return tuple(sorted(ended, key=lambda job: job.status == "unsupported"))


def action(row: SpeedRow) -> str:
    """Return what was timed: `generate`, `train`, or where training has several segments, `train
    (joint)`."""
    return (
        f"{row.action} ({row.segment})"
        if row.action == "train" and row.segment not in ("", "train")
        else row.action
    )


def qualities(rows: Sequence[QualityRow]) -> tuple[tuple[QualityRow, tuple[QualityRow, ...]], ...]:
    """Return quality rows grouped: of each workload, precision and metric a first row, whose
    baseline stands for all, and all builds'."""
    groups: dict[tuple[str, str, str, str], list[QualityRow]] = {}
    for row in rows:
        groups.setdefault((row.workload, row.preset, row.precision, row.metric), []).append(row)
    return tuple((group[0], tuple(group)) for group in groups.values())


def ordered(rows: Sequence[SpeedRow]) -> tuple[SpeedRow, ...]:
    """Return rows whose costs name what is missing in the order of report.json, so that rendering
    it again gives the same bytes."""

    def cost(given: Cost | None) -> Cost | None:
        return (
            None
            if given is None
            else dataclasses.replace(given, missing=dict(sorted(given.missing.items())))
        )

    return tuple(
        dataclasses.replace(row, a_cost=cost(row.a_cost), b_cost=cost(row.b_cost)) for row in rows
    )


def threads(rows: Sequence[SpeedRow]) -> str:
    """Return the thread count that all sides ran with, in words, e.g. "2 threads a build"."""
    counts = sorted({row.threads for row in rows})
    return (
        f"{' or '.join(str(count) for count in counts)} thread{'' if counts == [1] else 's'} a"
        " build"
    )


def hint(row: SpeedRow) -> str:
    """Return what a reader of a speed row can do or must know beside the numbers, or an empty
    string."""
    parts = []
    if row.verdict == Speed.UNCLEAR:
        parts.append(row.reason)
        if row.more_rounds is not None:
            takes = f" (about {seconds(row.more_s)})" if row.more_s is not None else ""
            parts.append(f"about {row.more_rounds} rounds in all would settle it{takes}")
    if row.verdict == Speed.REFUSED:
        parts.append(row.reason)
    labels = [
        text for text in row.differences if row.verdict != Speed.REFUSED or text not in row.reason
    ]
    if labels:
        parts.append("settings differ: " + ", ".join(labels))
    return one_line("; ".join(part for part in parts if part))
