"""Whole steps as blocks, shared by all renderers: what was timed, and a line a build, each held
against the first.

Of n builds there are n (n - 1) / 2 pairs; a reader asks how each build does against the one that
is moved from. The pairs among the others are in report.json and in the files of tables.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from harness.report import format as spell
from harness.results import speed_words
from harness.results.model import SpeedRow
from harness.results.speed_words import relation, relation_interval


@dataclasses.dataclass(frozen=True)
class TimedSide:
    """One build in a block.

    Attributes:
        row: that holds it against the block's first build; None for that one.
        step_s, first_s, build_s, warmup_s: seconds. rate: samples a second.
        peak_bytes: of the worker's process tree.
    """

    build: str
    row: SpeedRow | None
    step_s: float | None
    rate: float | None
    warmup_s: float | None
    build_s: float | None
    first_s: float | None
    peak_bytes: int | None

    @property
    def against(self) -> str:
        """What it is against the first, and the interval: `5.1× slower [4.3, 6.2]`."""
        if self.row is None:
            return ""
        return f"{relation(self.row)} {relation_interval(self.row)}".rstrip()


@dataclasses.dataclass(frozen=True)
class SpeedBlock:
    """One workload, action, precision and seed.

    Attributes:
        first: any of its rows, for what they have in common. sides: the first is what the others
            are held against.
    """

    first: SpeedRow
    sides: tuple[TimedSide, ...]


#: Cells of the columns of a table beside build, step and what it is against the first; the most
#: telling first: where there is no room, the last are left out.
COLUMNS: dict[str, Callable[[TimedSide], str]] = {
    "rounds": lambda side: "" if side.row is None else str(side.row.rounds),
    "samples": lambda side: spell.rate(side.rate),
    "build + first step": lambda side: spell.warmup(side.warmup_s, side.build_s, side.first_s),
    "memory": lambda side: spell.memory(side.peak_bytes),
}


def blocks(rows: Sequence[SpeedRow]) -> tuple[SpeedBlock, ...]:
    """Group rows of whole steps, in their order; those of single phases are left out."""
    return tuple(
        SpeedBlock(group[0], (_a(group[0]), *map(_b, group))) for group in speed_words.held(rows)
    )


def sides(row: SpeedRow) -> tuple[TimedSide, TimedSide]:
    """Return both builds of one row."""
    return _a(row), _b(row)


def _a(row: SpeedRow) -> TimedSide:
    return TimedSide(
        build=f"{row.a} {row.precisions.a}" if row.gain else row.a,
        row=None,
        step_s=row.a_step_s,
        rate=row.a_rate,
        warmup_s=row.a_warmup_s,
        build_s=row.a_build_s,
        first_s=row.a_first_step_s,
        peak_bytes=row.a_peak_bytes,
    )


def _b(row: SpeedRow) -> TimedSide:
    return TimedSide(
        build=f"{row.b} {row.precisions.b}" if row.gain else row.b,
        row=row,
        step_s=row.b_step_s,
        rate=row.b_rate,
        warmup_s=row.b_warmup_s,
        build_s=row.b_build_s,
        first_s=row.b_first_step_s,
        peak_bytes=row.b_peak_bytes,
    )
