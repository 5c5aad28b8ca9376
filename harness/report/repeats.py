"""What `harness repeat` finds out, as rows, and how the terminal shows them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType

from harness.report import format as spell
from harness.report.terminal_style import STYLES, entry, heading, plain_table
from harness.results.model import SpeedRow
from harness.results.verdicts import Repeat, Speed

SIGNS = {
    Repeat.IDENTICAL: ("✓", "green"),
    Repeat.ROUNDING: ("✓", "green"),
    Repeat.DIFFERENT: ("✗", "bold red"),
    Repeat.INCONCLUSIVE: ("?", "yellow"),
    Repeat.UNSUPPORTED: ("i", "dim"),
    Repeat.BROKEN: ("✗", "bold red"),
}


@dataclasses.dataclass(frozen=True)
class RepeatRow:
    """Runs of one build on one seed, in fresh processes.

    Attributes:
        mode: `lockstep` (all randomness from a tape) or `native` (the framework's own).
        deterministic: whether the framework's deterministic mode was in effect.
        verdict: BIT-IDENTICAL, WITHIN ROUNDING, DIFFERENT, INCONCLUSIVE, UNSUPPORTED or BROKEN.
        ok: whether that is what has to be: WITHIN ROUNDING is not, where the framework promises the
            same bits.
        tensors, differing: how many were compared, and how many differ in any bit.
        stage, tensor, place, first, second: the first tensor that differs, its first element that
            does, and both values there.
    """

    workload: str
    build: str
    precision: str
    preset: str
    mode: str
    deterministic: bool
    verdict: Repeat
    reason: str
    ok: bool
    runs: int = 0
    tensors: int = 0
    differing: int = 0
    stage: str = ""
    tensor: str = ""
    place: str = ""
    first: float | None = None
    second: float | None = None
    seed: int = 0
    threads: int = 0
    logs: tuple[str, ...] = ()

    @property
    def faulty(self) -> bool:
        """Whether it does not repeat: by more than rounding, or, where the framework promises the
        same bits, in any bit at all."""
        return (
            self.verdict == Repeat.DIFFERENT
            or (self.deterministic and self.differing > 0)
            or (self.verdict == Repeat.ROUNDING and not self.ok)
        )


@dataclasses.dataclass(frozen=True)
class RepeatReport:
    """All rows; `price`: the deterministic mode as side b against the same build without it."""

    created: str
    command: str
    rows: tuple[RepeatRow, ...]
    price: tuple[SpeedRow, ...]
    exit_code: int


def exit_code(rows: Sequence[RepeatRow]) -> int:
    """Return the exit code, the first that applies: 1 not repeatable, 4 a run did not end ok, 5
    nothing was measured, 6 undecided, 0."""
    if any(row.faulty for row in rows):
        return 1
    if any(row.verdict == Repeat.BROKEN for row in rows):
        return 4
    if all(row.verdict == Repeat.UNSUPPORTED for row in rows):
        return 5
    return 6 if any(row.verdict == Repeat.INCONCLUSIVE for row in rows) else 0


def render(report: RepeatReport) -> Group:
    """Return the whole page."""
    return Group(*_parts(report))


def _parts(report: RepeatReport) -> Iterator[RenderableType]:
    yield heading("Does it repeat?  (the same build and seed, each run in a process of its own)")
    yield plain_table(
        ("workload", "build", "precision", "mode", "deterministic mode", "runs", "verdict"),
        [
            (
                f"{row.workload} {row.preset}",
                row.build,
                row.precision,
                row.mode,
                _mode(row),
                str(row.runs),
                row.verdict,
            )
            for row in report.rows
        ],
    )
    for row in report.rows:
        sign, style = SIGNS[Repeat.DIFFERENT if row.faulty else row.verdict]
        if row.verdict != Repeat.IDENTICAL:
            where = (
                f"{row.workload} {row.build} {row.precision}, {row.mode}, deterministic mode"
                f" {_mode(row)}"
            )
            yield entry(sign, style, f"{where}: {row.reason}")
    yield from _price(report.price)


def _mode(row: RepeatRow) -> str:
    return "on" if row.deterministic else "off"


def _price(rows: Sequence[SpeedRow]) -> Iterator[RenderableType]:
    if rows:
        yield heading(
            "What does the deterministic mode cost?  (time with it / time without, 99 % interval)"
        )
        yield plain_table(
            ("workload", "build", "what", "without", "with", "ratio", "with it is", "rounds"),
            [
                (
                    f"{row.workload} {row.preset} {row.precision}",
                    row.a,
                    row.action,
                    spell.seconds(row.a_step_s),
                    spell.seconds(row.b_step_s),
                    spell.ratio(row.ratio, row.low, row.high),
                    row.verdict + (", material" if row.material else ""),
                    str(row.rounds),
                )
                for row in rows
            ],
        )
        for row in rows:
            if row.verdict in (Speed.UNCLEAR, Speed.REFUSED):
                yield entry(
                    "?",
                    STYLES[Speed.UNCLEAR],
                    f"{row.workload} {row.action} {row.a}: {row.reason}",
                )
