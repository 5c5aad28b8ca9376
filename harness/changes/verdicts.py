"""Verdicts on fidelity that flipped, folded to what a reader has to look at.

One fault fails every later stage, every precision and every pair of its build. A flip is therefore
told once for each workload and build (or pair, where the build cannot be told), by the first stage
that flipped in the strictest precision.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from backends.contract import PRECISIONS, STAGES
from harness.changes import provenance
from harness.changes.culprit import flippers
from harness.changes.model import (
    IMPROVEMENT,
    NOTE,
    REGRESSION,
    VERDICT,
    Change,
    JudgedNight,
    Severity,
    stage_subject,
)
from harness.changes.provenance import Suspects
from harness.results.model import StageRow
from harness.results.verdicts import Bounds, Fidelity

#: From good to bad. INFO rows are never judged.
SEVERITY = (Fidelity.PASS, Fidelity.INCONCLUSIVE, Fidelity.FAIL)

Key = tuple[str, str, str, str, str, str, int]


@dataclasses.dataclass(frozen=True)
class Flip:
    """One stage of one pair on both nights."""

    before: StageRow
    after: StageRow

    @property
    def severity(self) -> Severity:
        """REGRESSION where a PASS was lost or an INCONCLUSIVE failed, IMPROVEMENT where a PASS was
        won, else NOTE."""
        old, new = SEVERITY.index(self.before.verdict), SEVERITY.index(self.after.verdict)
        if new > old:
            return REGRESSION
        return IMPROVEMENT if new == 0 else NOTE

    @property
    def flipped(self) -> bool:
        """Whether the two verdicts differ."""
        return self.before.verdict != self.after.verdict


def key(row: StageRow) -> Key:
    """Return what makes two nights' rows the same row."""
    return row.workload, row.a, row.b, row.precision, row.stage, row.preset, row.seed


def rows(night: JudgedNight) -> dict[Key, StageRow]:
    """Return the judged rows; INFO is no verdict, nor is a verdict that is not known."""
    return {key(row): row for row in night.report.stages if row.verdict in SEVERITY}


def changes(before: JudgedNight, after: JudgedNight, suspects: Suspects) -> Iterator[Change]:
    """Yield one change for each workload, direction and build (or pair) whose verdicts flipped."""
    old, new = rows(before), rows(after)
    both = [Flip(old[name], new[name]) for name in new if name in old]
    flips = [flip for flip in both if flip.flipped]
    groups: dict[tuple[str, Severity, str, str, str], list[Flip]] = {}
    culprits = {}
    for workload, severity in dict.fromkeys((flip.after.workload, flip.severity) for flip in flips):
        of_workload = [flip for flip in both if flip.after.workload == workload]
        culprits[workload, severity] = _culprits(of_workload, severity)
    for flip in flips:
        row, blamed = flip.after, culprits[flip.after.workload, flip.severity]
        who = next((side for side in (row.b, row.a) if side in blamed), "")
        if row.stage == Bounds.PRECISION:
            who, _ = row.sides
        sides = ("", "") if who else (row.a, row.b)
        groups.setdefault((row.workload, flip.severity, who, *sides), []).append(flip)
    for (workload, severity, who, _, _), group in groups.items():
        ranked = sorted(group, key=lambda flip: rank(flip.after))
        yield _change(workload, severity, who, ranked, suspects)


def _culprits(both: Sequence[Flip], severity: Severity) -> set[str]:
    """Return the builds whose every pair flipped, in one workload."""
    pairs: dict[tuple[str, str], bool] = {}
    for stage in both:
        if stage.after.stage != Bounds.PRECISION:
            flipped = stage.flipped and stage.severity == severity
            pair = (stage.after.a, stage.after.b)
            pairs[pair] = pairs.get(pair, False) or flipped
    return flippers(pairs)


def rank(row: StageRow) -> tuple[int, int, int]:
    """Return where a row stands: strictest precision first, then up the ladder, then by seed."""
    stages, strict = (*STAGES, *Bounds), PRECISIONS
    return (
        strict.index(row.precision) if row.precision in strict else len(strict),
        stages.index(row.stage) if row.stage in stages else len(stages),
        row.seed,
    )


def _change(
    workload: str, severity: Severity, build: str, flips: Sequence[Flip], suspects: Suspects
) -> Change:
    first = flips[0]
    row, was = first.after, first.before
    involved = [build] if build else list(_sides(flips).values())
    of_rows = suspects.of(workload, involved, f"{workload}/{row.preset}/{row.seed}")
    others = [flip.after for flip in flips[1:]]
    also = tuple(
        f"{other.precision} {other.stage} {other.a} : {other.b}{_seed(other)}" for other in others
    )
    where = ""
    if row.worst and severity == REGRESSION:
        where = f", at {row.worst}{f' {row.place}' if row.place else ''}"
    why = f": {row.reason.rstrip('.')}" if row.verdict == Fidelity.INCONCLUSIVE else ""
    numbers = (
        f" (error {_number(was.error)} -> {_number(row.error)}, threshold {_number(row.threshold)})"
    )
    who = f"on {build}{_others(build, flips)}" if build else f"{row.a} : {row.b}"
    more = f" {len(also)} more rows flipped with it." if also else ""
    text = (
        f"{workload} {who} is {row.verdict} and was {was.verdict}: {row.stage}"
        f" {row.precision}{_seed(row)}{where}{numbers}{why}.{more}"
        + (provenance.suspects_text(of_rows) if severity == REGRESSION else "")
    )
    return Change(
        kind=VERDICT,
        severity=severity,
        subject=stage_subject(row, build),
        before=was.verdict,
        after=row.verdict,
        text=text,
        suspects=of_rows,
        also=also,
    )


def _sides(flips: Sequence[Flip]) -> dict[str, str]:
    """Return the labels of the flipped rows, each once, in their order, with the side that each is
    of."""
    rows = [flip.after for flip in flips]
    return {
        label: side for row in rows for label, side in zip((row.a, row.b), row.sides, strict=True)
    }


def _others(build: str, flips: Sequence[Flip]) -> str:
    sides = [label for label, side in _sides(flips).items() if side != build]
    return f", seen against {', '.join(sides)}," if sides else ""


def _seed(row: StageRow) -> str:
    return f" seed {row.seed}" if row.seed else ""


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1e}"
