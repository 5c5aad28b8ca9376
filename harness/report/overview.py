"""The first screen of a page: which pair departs and at which stage, and how long a step of each
build takes. Shared by the page of a run and that of a night.

Pairs that pass are folded as in a terminal (`fold`), speed is grouped as there (`speed_blocks`); a
page can show every pair, as it holds them all.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

from backends.contract import Stage
from harness.report.fold import folded
from harness.report.labels import of_machine
from harness.report.matrix import LETTERS, ORDER, SEVERITY, MatrixLine
from harness.report.pairs import Summary
from harness.report.speed_blocks import SpeedBlock, TimedSide
from harness.report.suspects import suspects
from harness.results.model import StageRow
from harness.results.speed_words import comparison
from harness.results.verdicts import Bounds, Fidelity, Speed

#: With so few builds there is nothing to choose.
PAIR = 2


@dataclasses.dataclass(frozen=True)
class OverviewRow:
    """A row of the matrix: a precision of a pair, or of many pairs that pass.

    Attributes:
        line: what it shows, or of several the first. name: of the pair, or how many pairs it is.
        cells: of several pairs the ones nearest to their thresholds.
        members: how many pairs it stands for; 0 where it is one.
        folded: it is one of those, and shown where a reader asks for every pair.
        address: of its evidence; empty where it stands for several.
        cell: of a night. builds: the sides that it is about.
    """

    line: MatrixLine
    name: str
    precision: str
    cells: tuple[StageRow | None, ...]
    tensors: str
    builds: tuple[str, ...]
    members: int = 0
    folded: bool = False
    address: str = ""
    cell: str = ""

    def at(self, stage: Stage | Bounds) -> StageRow | None:
        """Return the row of a stage; None where it was not asked for."""
        return next((row for row in self.cells if row and row.stage == stage), None)

    @property
    def kind(self) -> str:
        """Its classes: what the filter of the page hides and shows."""
        words = ["folded"] if self.folded else ["several"] if self.members else []
        return " ".join([*words, *(["passes"] if self.line.verdict == Fidelity.PASS else [])])


@dataclasses.dataclass(frozen=True)
class OverviewTable:
    """Rows with the same columns, those that depart first.

    Attributes:
        bounds: it is about lower precisions, and not about pairs of builds.
        said: sentences on who departs.
    """

    bounds: bool
    stages: tuple[Stage | Bounds, ...]
    rows: tuple[OverviewRow, ...]
    said: tuple[str, ...] = ()

    @property
    def letters(self) -> tuple[str, ...]:
        """The heading of each column."""
        return tuple(letter for letter, stage in LETTERS.items() if stage in self.stages)

    @property
    def folds(self) -> bool:
        """Whether any row stands for several pairs."""
        return any(row.members for row in self.rows)

    @property
    def accepted(self) -> bool:
        """Whether any difference was accepted."""
        return any(cell.accepted for row in self.rows for cell in row.cells if cell)


def tables(summaries: Sequence[Summary]) -> tuple[OverviewTable, ...]:
    """Return the matrix of pairs, and that of lower precisions, each where there is any.

    Args:
        summaries: of all pairs, see `harness.report.pairs`.
    """
    pairs = [summary for summary in summaries if not _bounds(summary)]
    precisions = [summary for summary in summaries if _bounds(summary)]
    made = (_table(pairs, bounds=False), _table(precisions, bounds=True))
    return tuple(table for table in made if table.rows)


def _bounds(summary: Summary) -> bool:
    return {row.stage for row in summary.line.cells if row} == {Bounds.PRECISION}


def _table(summaries: Sequence[Summary], bounds: bool) -> OverviewTable:
    noun = "builds" if bounds else "pairs"
    groups = []
    for _, group in itertools.groupby(summaries, key=lambda summary: summary.cell):
        groups += _groups(list(group), noun)
    groups.sort(key=lambda rows: min(_rank(row) for row in rows))  # stable
    rows = tuple(itertools.chain.from_iterable(groups))
    present = {cell.stage for row in rows for cell in row.cells if cell}
    stages = tuple(stage for stage in ORDER if stage in present)
    lines = [summary.line for summary in summaries]
    return OverviewTable(bounds, stages, rows, () if bounds else suspects(lines))


def _groups(summaries: Sequence[Summary], noun: str) -> list[list[OverviewRow]]:
    """Return the rows of one run, those of the same workload, precision and seed together."""
    by_line = {id(summary.line): summary for summary in summaries}
    lines = [summary.line for summary in summaries]
    groups: dict[tuple[str, str, int], list[OverviewRow]] = {}
    for shown in folded(lines, noun):
        line = shown.line
        rows = groups.setdefault((line.workload, line.precision, line.seed), [])
        first = by_line[id(line)]
        if not shown.members:
            rows.append(_alone(first))
            continue
        sides = dict.fromkeys(side for member in shown.members for side in _sides(member))
        rows.append(
            OverviewRow(
                line,
                shown.pair,
                first.precision,
                shown.cells,
                shown.tensors,
                tuple(sides),
                members=len(shown.members),
                cell=first.cell,
            )
        )
        rows += [_alone(by_line[id(member)], is_folded=True) for member in shown.members]
    return [sorted(rows, key=_rank) for rows in groups.values()]


def _alone(summary: Summary, is_folded: bool = False) -> OverviewRow:
    line = summary.line
    return OverviewRow(
        line,
        line.pair,
        summary.precision,
        line.cells,
        line.tensors,
        _sides(line),
        folded=is_folded,
        address=summary.address,
        cell=summary.cell,
    )


def _sides(line: MatrixLine) -> tuple[str, ...]:
    """Return the builds of a line, without what rows of bounds add to them."""
    row = next((cell for cell in line.cells if cell), None)
    return tuple(dict.fromkeys(row.sides if row else (line.a, line.b)))


def _rank(row: OverviewRow) -> int:
    return SEVERITY.index(row.line.verdict) if row.line.verdict in SEVERITY else 1


@dataclasses.dataclass(frozen=True)
class Filters:
    """What a reader can choose from: workloads and builds, which rows of the page know by number.

    Attributes:
        folds: whether there is anything to unfold. departs: whether anything departs, and something
            else does not.
    """

    workloads: tuple[str, ...]
    builds: tuple[str, ...]
    folds: bool = False
    departs: bool = False

    def workload(self, name: str) -> int:
        """Return the number of a workload; 0 where it is none of them."""
        return _number(self.workloads, name)

    def sides(self, *names: str) -> str:
        """Return the numbers of builds, e.g. `1 4`."""
        return " ".join(str(_number(self.builds, name)) for name in names)

    @property
    def useful(self) -> bool:
        """Whether there is anything to choose."""
        choices = len(self.workloads) > 1 or len(self.builds) > PAIR
        return self.folds or self.departs or choices


def _number(names: Sequence[str], name: str) -> int:
    return names.index(name) + 1 if name in names else 0


def filters(made: Sequence[OverviewTable], blocks: Sequence[SpeedBlock]) -> Filters:
    """Return what a page can be filtered by.

    Args:
        made: its tables. blocks: its groups of step times.
    """
    rows = [row for table in made for row in table.rows]
    workloads = [row.line.workload for row in rows] + [block.first.workload for block in blocks]
    builds = [side for row in rows for side in row.builds]
    builds += [side for block in blocks for side in _timed(block)]
    verdicts = {row.line.verdict for row in rows}
    return Filters(
        tuple(dict.fromkeys(workloads)),
        tuple(dict.fromkeys(builds)),
        any(table.folds for table in made),
        Fidelity.PASS in verdicts and len(verdicts) > 1,
    )


def _timed(block: SpeedBlock) -> Iterator[str]:
    """Yield the builds of a block; of a lower precision's gain the build is the same."""
    yield block.first.a
    for side in block.sides:
        if side.row is not None:
            yield side.row.b


def bar_shares(block: SpeedBlock) -> tuple[tuple[TimedSide, float | None], ...]:
    """Return the sides of a block with the length of their bars, a share of the longest step; None
    where there is no step time."""
    known = [side.step_s for side in block.sides if _positive(side.step_s)]
    longest = max((step for step in known if step is not None), default=0.0)
    return tuple(
        (side, side.step_s / longest if side.step_s and _positive(side.step_s) else None)
        for side in block.sides
    )


def _positive(step_s: float | None) -> bool:
    return step_s is not None and 0.0 < step_s < float("inf")


def slowest(blocks: Sequence[SpeedBlock]) -> str:
    """Return which build is the slowest against the first, in a sentence: `tf2 is 5.9× slower than
    tf1 in training of linear [5.1, 6.8].` Empty where none is slower."""
    rows = [side.row for block in blocks for side in block.sides if side.row is not None]
    slower = [row for row in rows if row.verdict == Speed.SLOWER and not row.gain and row.ratio]
    if not slower:
        return ""
    row = max(slower, key=lambda row: row.ratio or 0.0)
    return f"{comparison(row)}{of_machine(row)}."
