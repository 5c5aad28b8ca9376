"""All that a report knows of one pair of builds on one workload, as the page shows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from harness.fidelity import plot_series
from harness.report.labels import setting
from harness.report.matrix import SEVERITY, Matrix, MatrixLine
from harness.report.plots import curves, errors, history, memory, ratios, samples, step_times
from harness.report.plots.figure import ROOM, Figure, LegendKey, Room
from harness.report.provenance import Property, provenance, settings
from harness.results.model import BuildRow, Report, SpeedRow, StageRow
from harness.results.series import FigureHistory
from harness.results.verdicts import Bounds, Fidelity

#: Points of all drawn curves together, and of all series of step times.
CURVE_POINTS, TURNS = 30_000, 40_000
#: Figures of all modes of all pairs together.
CURVES = 240
#: Rows of all tables of numbers of tensors and step times together.
ROWS = 4000
#: Departing tensors in all of those tables, where many depart.
DEPARTING = 2000
#: With at most so many pairs all are open.
FEW = 2
#: Workload and both builds.
PairKey = tuple[str, str, str]


@dataclasses.dataclass(frozen=True)
class FigureGroup:
    """Figures under one heading, and their legend, where all have the same."""

    title: str
    figures: tuple[Figure, ...]

    @property
    def legend(self) -> tuple[LegendKey, ...]:
        """What stands once for all figures."""
        legends = {figure.legend for figure in self.figures}
        return legends.pop() if len(legends) == 1 and len(self.figures) > 1 else ()


@dataclasses.dataclass(frozen=True)
class Summary:
    """One row of the first table: a precision of a pair.

    Attributes:
        line: its stages, where any were judged.
        address: of the pair's evidence.
        cell: of a night, where the page shows several runs.
    """

    pair: PairSection
    precision: str
    line: MatrixLine
    address: str
    cell: str = ""


@dataclasses.dataclass(frozen=True)
class PairSection:
    """One workload and pair.

    Attributes:
        anchor: of its section in the page.
        lines: a precision (and seed) each.
        verdict: the worst of its lines, or NONE.
        stages, speed: its rows; speed of whole steps.
        groups: its figures.
        provenance: of both builds, where it is known.
        settings: effective ones of both sides, each table with what it is of.
        tapes: names and hashes of its workload's.
        opened: whether a reader finds it open.
    """

    anchor: str
    workload: str
    a: str
    b: str
    lines: tuple[MatrixLine, ...]
    verdict: Fidelity
    stages: tuple[StageRow, ...]
    speed: tuple[SpeedRow, ...]
    groups: tuple[FigureGroup, ...] = ()
    provenance: tuple[Property, ...] = ()
    settings: tuple[tuple[str, tuple[Property, ...]], ...] = ()
    tapes: tuple[tuple[str, str], ...] = ()
    opened: bool = False

    @property
    def sides(self) -> tuple[str, ...]:
        """The builds that it is about, without what rows of bounds add to their labels."""
        named = self.stages[0].sides if self.stages else (self.a, self.b)
        return tuple(dict.fromkeys(named))


def outline(report: Report, matrix: Matrix) -> tuple[PairSection, ...]:
    """Return all pairs in the order in which they first occur, with rows but no figures.

    Args:
        report: of the judged run. matrix: of its stages.
    """
    keys: dict[PairKey, None] = {}
    for line in matrix.lines:
        keys[line.workload, line.a, line.b] = None
    for row in report.speed:
        keys[_key(row)] = None
    # What bounds a lower precision is no pair of builds.
    builds = {_key(row) for row in report.stages if row.stage != Bounds.PRECISION}
    timed = {_key(row) for row in report.speed}
    few = len((builds | timed) & {*keys}) <= FEW
    return tuple(_pair(report, matrix, key, number, few) for number, key in enumerate(keys, 1))


def _key(row: StageRow | SpeedRow) -> PairKey:
    return row.workload, row.a, row.b


def _pair(report: Report, matrix: Matrix, key: PairKey, number: int, few: bool) -> PairSection:
    workload, a, b = key
    lines = tuple(line for line in matrix.lines if (line.workload, line.a, line.b) == key)
    verdicts = {line.verdict for line in lines}
    verdict = next((word for word in SEVERITY if word in verdicts), Fidelity.NONE)
    return PairSection(
        anchor=f"pair-{number}",
        workload=workload,
        a=a,
        b=b,
        lines=lines,
        verdict=verdict,
        stages=tuple(row for row in report.stages if _key(row) == key),
        speed=tuple(row for row in report.speed if _key(row) == key and not row.by_phase),
        tapes=tuple(
            (name, report.tapes[name])
            for name in sorted(report.tapes)
            if name.split("/")[0] == workload
        ),
        opened=few or verdict in (Fidelity.FAIL, Fidelity.INCONCLUSIVE),
    )


def gather(report: Report, matrix: Matrix) -> tuple[PairSection, ...]:
    """Return the pairs of `outline`, each with its figures, settings and provenance."""
    pairs = outline(report, matrix)
    space = room(report, len(pairs))
    builds: dict[str, BuildRow] = {}
    for row in report.builds:
        builds.setdefault(row.build, row)
    complete = []
    for pair in pairs:
        a, b = builds.get(pair.a), builds.get(pair.b)
        complete.append(
            dataclasses.replace(
                pair,
                groups=_groups(report, pair, space),
                provenance=provenance(a, b, pair.workload),
                settings=settings(a, b, bool(pair.stages), pair.speed),
            )
        )
    return tuple(complete)


def room(report: Report, pairs: int) -> Room:
    """Return how much of everything each of so many pairs may have."""
    full = ROOM
    modes = max(1, pairs * len({(item.precision, item.mode) for item in report.curves}))
    each = max(2, min(full.curves, CURVES // modes))
    timed = max(1, sum(row.turns is not None for row in report.speed))
    compared = [row.compared for row in report.stages if row.compared is not None]
    tables = timed + len(compared)
    departing = sum(bool(tensors.departing) for tensors in compared)
    failing, others = plot_series.limits(report.stages)
    return Room(
        points=max(24, min(full.points, CURVE_POINTS // (2 * modes * each))),
        curves=each,
        turns=max(160, min(full.turns, TURNS // timed)),
        rows=max(4, min(full.rows, ROWS // tables)),
        departing=max(4, min(full.departing, DEPARTING // max(1, departing))),
        failing=failing,
        others=others,
    )


def _groups(report: Report, pair: PairSection, space: Room) -> tuple[FigureGroup, ...]:
    spelled = setting(report)
    stages = [errors.figure(row, spelled(row), space) for row in pair.stages]
    figures: dict[str, Sequence[Figure | None]] = {
        "Error against floor": stages,
        "Training": curves.figures(report, pair.workload, pair.a, pair.b, space),
        "Generated against real": samples.figures(report, pair.workload, pair.a, pair.b),
        "Speed": _speed(report, pair, space),
        "History": histories(report, [pair]),
    }
    groups = [FigureGroup(title, _known(some)) for title, some in figures.items()]
    return tuple(group for group in groups if group.figures)


def _known(figures: Sequence[Figure | None]) -> tuple[Figure, ...]:
    return tuple(figure for figure in figures if figure is not None)


def _speed(report: Report, pair: PairSection, space: Room) -> list[Figure | None]:
    """Return the figures of whole steps and of single phases."""
    spelled = setting(report)
    timed = [spelled(row) for row in pair.speed]
    rounds = [
        step_times.figure(row, name, space) for row, name in zip(pair.speed, timed, strict=True)
    ]
    return [
        ratios.figure(pair.speed, timed),
        memory.figure(pair.speed, timed),
        _phases(report, pair),
        *rounds,
    ]


def _phases(report: Report, pair: PairSection) -> Figure | None:
    """Return the ratios of single phases of a pair."""
    key = (pair.workload, pair.a, pair.b)
    rows = [row for row in report.speed if row.by_phase and _key(row) == key]
    figure = ratios.figure(rows, [setting(report)(row) for row in rows])
    if figure is None:
        return None
    return dataclasses.replace(figure, title="Single phases: ratio with its 99 % interval")


def histories(report: Report, pairs: Sequence[PairSection]) -> list[Figure | None]:
    """Return the figures of the histories of some pairs."""
    keys = {(pair.workload, pair.a, pair.b) for pair in pairs}
    points = history.budget(len(report.history))
    return [history.figure(item, points) for item in report.history if _history_key(item) in keys]


def other_histories(report: Report, pairs: Sequence[PairSection]) -> tuple[Figure, ...]:
    """Return the figures of the histories that belong to none of some pairs."""
    keys = {(pair.workload, pair.a, pair.b) for pair in pairs}
    points = history.budget(len(report.history))
    others = [item for item in report.history if _history_key(item) not in keys]
    return _known([history.figure(item, points) for item in others])


def _history_key(item: FigureHistory) -> PairKey:
    return item.workload, item.a, item.b


def summaries(
    report: Report, pairs: Sequence[PairSection], page: str = "", cell: str = ""
) -> tuple[Summary, ...]:
    """Return the rows of the first table: every judged precision of every pair.

    Args:
        page: where their evidence is, if it is not the same page.
        cell: of a night, where the page shows several runs.
    """
    spelled = setting(report)
    return tuple(
        Summary(pair, spelled(line), line, f"{page}#{pair.anchor}", cell)
        for pair in pairs
        for line in pair.lines
    )
