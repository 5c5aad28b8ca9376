"""Single phases of training as one table, in which builds are held against the first of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from harness.results.model import SpeedRow
from harness.results.verdicts import Speed


@dataclasses.dataclass(frozen=True)
class PhaseTable:
    """Single phases of one workload: a line a phase, a column a build.

    Attributes:
        first: any of its rows, for what they have in common.
        builds: the others are held against the first of them.
        lines: by phase, the row of the first build and each other one; None where there is none.
    """

    first: SpeedRow
    builds: tuple[str, ...]
    lines: dict[str, tuple[SpeedRow | None, ...]]

    def base_s(self, phase: str) -> float | None:
        """Return the first build's time of one update, seconds."""
        return next((row.a_step_s for row in self.lines[phase] if row), None)


def phase_tables(rows: Sequence[SpeedRow]) -> tuple[PhaseTable, ...]:
    """Group the rows of single phases by workload, preset, precision, seed and
    machine, in their order."""
    groups: dict[tuple[str, str, str, int, str], list[SpeedRow]] = {}
    for row in rows:
        if row.by_phase:
            key = (row.workload, row.preset, row.precision, row.seed, row.machine)
            groups.setdefault(key, []).append(row)
    return tuple(_phase_table(group) for group in groups.values())


def _phase_table(rows: Sequence[SpeedRow]) -> PhaseTable:
    first = rows[0]
    against = {(row.action, row.b): row for row in rows if row.a == first.a}
    others = tuple(dict.fromkeys(b for _, b in against))
    lines = {}
    for phase, _ in against:
        lines[phase] = tuple(against.get((phase, b)) for b in others)
    return PhaseTable(first, (first.a, *others), lines)


def relation(row: SpeedRow) -> str:
    """Return what stands beside a ratio in place of the verdict: `?` UNCLEAR, `=` SAME."""
    signs = {Speed.UNCLEAR: " ?", Speed.SAME: " =", Speed.REFUSED: " refused"}
    return signs.get(row.verdict, "")
