"""Lines of the matrix that say the same, as one: of five builds ten pairs pass, and a reader wants
the one that does not. The files show every line."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from harness.report.matrix import MatrixLine, counted
from harness.results.model import StageRow
from harness.results.verdicts import Fidelity

#: More passing pairs than this of one workload and precision are one line.
MOST_PASSING = 3


@dataclasses.dataclass(frozen=True)
class ShownLine:
    """A line as a terminal shows it.

    Attributes:
        line: what it stands for, or of several the first.
        pair: its two sides, or how many pairs it stands for.
        cells: of several the one nearest to its threshold, None where no stage was asked for.
        tensors: how many were compared in all of them, see `MatrixLine.tensors`.
        members: the lines that it stands for, where they are several.
    """

    line: MatrixLine
    pair: str
    cells: tuple[StageRow | None, ...]
    tensors: str
    members: tuple[MatrixLine, ...] = ()


def folded(lines: Sequence[MatrixLine], noun: str = "pairs") -> list[ShownLine]:
    """Return lines, those that depart first among the same workload and precision, and many that
    pass as one.

    Args:
        lines: of a matrix. noun: what a line is, in plural.
    """
    workloads = list(dict.fromkeys(line.workload for line in lines))
    groups: dict[tuple[str, str, int], list[MatrixLine]] = {}
    for line in sorted(lines, key=lambda line: workloads.index(line.workload)):
        groups.setdefault((line.workload, line.precision, line.seed), []).append(line)
    return [shown for group in groups.values() for shown in _folded(group, noun)]


def _folded(group: Sequence[MatrixLine], noun: str) -> list[ShownLine]:
    passing = [line for line in group if _passes(line)]
    if len(passing) <= MOST_PASSING:
        return [_alone(line) for line in group]
    others = [line for line in group if not _passes(line)]
    which = f"{len(passing)} other {noun}" if others else f"all {len(passing)} {noun}"
    columns = zip(*(line.cells for line in passing), strict=True)
    cells = tuple(map(_nearest, columns))
    compared = sum(line.counts[0] for line in passing)
    left_out = sum(line.counts[1] for line in passing)
    tensors = counted(compared, left_out)
    together = ShownLine(passing[0], which, cells, tensors, tuple(passing))
    return [*map(_alone, others), together]


def _passes(line: MatrixLine) -> bool:
    """Whether all of it passes: a stage that was not looked at is not folded away."""
    return all(row is None or row.verdict == Fidelity.PASS for row in line.cells)


def _alone(line: MatrixLine) -> ShownLine:
    return ShownLine(line, line.pair, line.cells, line.tensors)


def _nearest(column: Sequence[StageRow | None]) -> StageRow | None:
    """Return the row that comes nearest to its threshold; one with an accepted difference before
    all that need none."""
    rows = [row for row in column if row is not None]
    return max(rows, key=lambda row: (row.accepted, _part(row))) if rows else None


def _part(row: StageRow) -> float:
    if row.error is None or row.threshold is None:
        return -1.0
    if not row.threshold:
        return 0.0 if not row.error else math.inf
    return row.error / row.threshold
