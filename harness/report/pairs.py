"""All that a report knows of one pair of builds on one workload, gathered: what the page shows pair
by pair."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.fidelity import traces
from harness.report.json_format import plain
from harness.report.matrix import Line, Matrix, setting
from harness.report.plots import curves, errors, history, memory, ratios, samples, step_times
from harness.report.plots.figure import ROOM, Figure, Key, Room
from harness.results.model import BuildRow, Report, SpeedRow, StageRow
from harness.results.verdicts import Fidelity

#: Of all drawn curves and all series of step times together: points; of all modes of all pairs
#: together: figures.
CURVE_POINTS, TURNS, CURVES = 30_000, 40_000, 240
#: Rows of all tables of numbers of tensors and step times together.
ROWS = 4000
#: Departing tensors in all of those tables, where many depart.
DEPARTING = 2000
#: With at most so many pairs all are open.
FEW = 2
BOUNDS = ("precision",)

Named = tuple[str, str, str]


@dataclasses.dataclass(frozen=True)
class Compared:
    """One property of both builds; `differs` where they have it and it is not the same."""

    name: str
    a: str
    b: str
    differs: bool


@dataclasses.dataclass(frozen=True)
class Group:
    """Figures under one heading, and their legend, where all have the same."""

    title: str
    figures: tuple[Figure, ...]

    @property
    def legend(self) -> tuple[Key, ...]:
        """What stands once for all figures."""
        legends = {figure.legend for figure in self.figures}
        return legends.pop() if len(legends) == 1 and len(self.figures) > 1 else ()


@dataclasses.dataclass(frozen=True)
class Summary:
    """One row of the first table: a precision of a pair, with its stages where any were judged, and
    the rows of whole steps.

    Attributes:
        address: of the pair's evidence. cell: of a night, where the page shows several runs.
    """

    pair: Pair
    precision: str
    line: Line | None
    speed: dict[str, SpeedRow]
    address: str
    cell: str = ""

    def at(self, stage: str) -> StageRow | None:
        """Return the row of a stage; None where it was not asked for."""
        return (
            next((row for row in self.line.cells if row and row.stage == stage), None)
            if self.line
            else None
        )


@dataclasses.dataclass(frozen=True)
class Pair:
    """One workload and pair.

    Attributes:
        anchor: of its place in the page. lines: a precision (and seed) each. verdict: the worst of
            them, or NONE.
        stages, speed: its rows; speed of whole steps. groups: its figures. provenance: of both
            builds, where it is known. settings: in effect on both sides, each table with what it is
            of.
        tapes: names and hashes of its workload's. opened: whether a reader finds it open.
    """

    anchor: str
    workload: str
    a: str
    b: str
    lines: tuple[Line, ...]
    verdict: str
    stages: tuple[StageRow, ...]
    speed: tuple[SpeedRow, ...]
    groups: tuple[Group, ...] = ()
    provenance: tuple[Compared, ...] = ()
    settings: tuple[tuple[str, tuple[Compared, ...]], ...] = ()
    tapes: tuple[tuple[str, str], ...] = ()
    opened: bool = False


def outline(report: Report, matrix: Matrix) -> tuple[Pair, ...]:
    """Return all pairs in the order in which they first occur, with their rows and without
    figures."""
    keys: dict[Named, None] = {}
    for line in matrix.lines:
        keys[line.workload, line.a, line.b] = None
    for row in report.speed:
        keys[row.workload, row.a, row.b] = None
    # What bounds a lower precision is no pair of builds.
    builds = {(row.workload, row.a, row.b) for row in report.stages if row.stage not in BOUNDS}
    few = len({*builds, *((row.workload, row.a, row.b) for row in report.speed)} & {*keys}) <= FEW
    found = []
    for number, (workload, a, b) in enumerate(keys, 1):
        lines = tuple(
            line for line in matrix.lines if (line.workload, line.a, line.b) == (workload, a, b)
        )
        verdicts = [line.verdict for line in lines]
        verdict = next(
            (
                word
                for word in (
                    Fidelity.FAIL,
                    Fidelity.INCONCLUSIVE,
                    Fidelity.PASS,
                    Fidelity.INFO,
                )
                if word in verdicts
            ),
            "NONE",
        )
        found.append(
            Pair(
                f"pair-{number}",
                workload,
                a,
                b,
                lines,
                verdict,
                tuple(
                    row for row in report.stages if (row.workload, row.a, row.b) == (workload, a, b)
                ),
                tuple(
                    row
                    for row in report.speed
                    if (row.workload, row.a, row.b) == (workload, a, b) and not row.by_phase
                ),
                tapes=tuple(
                    (name, report.tapes[name])
                    for name in sorted(report.tapes)
                    if name.split("/")[0] == workload
                ),
                opened=few or verdict in (Fidelity.FAIL, Fidelity.INCONCLUSIVE),
            )
        )
    return tuple(found)


def gather(report: Report, matrix: Matrix) -> tuple[Pair, ...]:
    """Return all pairs in the order in which they first occur, with their figures, settings and
    provenance."""
    pairs = outline(report, matrix)
    space = room(report, len(pairs))
    found = []
    for pair in pairs:
        one, other = (
            next((row for row in report.builds if row.build == side), None)
            for side in (pair.a, pair.b)
        )
        found.append(
            dataclasses.replace(
                pair,
                groups=_groups(report, pair, space),
                provenance=_provenance(one, other, pair.workload),
                settings=_settings(one, other, pair),
            )
        )
    return tuple(found)


def room(report: Report, pairs: int) -> Room:
    """Return how much of everything each of so many pairs may have."""
    full = ROOM
    modes = max(1, pairs * len({(item.precision, item.mode) for item in report.curves}))
    each = max(2, min(full.curves, CURVES // modes))
    timed = max(1, sum(row.turns is not None for row in report.speed))
    compared = [row.compared for row in report.stages if row.compared is not None]
    tables, failing = timed + len(compared), sum(bool(one.departing) for one in compared)
    return Room(
        max(24, min(full.points, CURVE_POINTS // (2 * modes * each))),
        each,
        max(160, min(full.turns, TURNS // timed)),
        max(4, min(full.rows, ROWS // tables)),
        max(4, min(full.departing, DEPARTING // max(1, failing))),
        *traces.limits(report.stages),
    )


def _groups(report: Report, pair: Pair, space: Room) -> tuple[Group, ...]:
    spelled = setting(report)
    timed = [spelled(row) for row in pair.speed]
    found = (
        ("Error against floor", [errors.figure(row, spelled(row), space) for row in pair.stages]),
        ("Training", curves.figures(report, pair.workload, pair.a, pair.b, space)),
        ("Generated against real", samples.figures(report, pair.workload, pair.a, pair.b)),
        (
            "Speed",
            [
                ratios.figure(pair.speed, timed),
                memory.figure(pair.speed, timed),
                _phases(report, pair),
                *(
                    step_times.figure(row, name, space)
                    for row, name in zip(pair.speed, timed, strict=True)
                ),
            ],
        ),
        ("History", histories(report, [pair])),
    )
    groups = ((title, tuple(one for one in figures if one is not None)) for title, figures in found)
    return tuple(Group(title, figures) for title, figures in groups if figures)


def _phases(report: Report, pair: Pair) -> Figure | None:
    """Return the ratios of single phases of a pair."""
    rows = [
        row
        for row in report.speed
        if row.by_phase and (row.workload, row.a, row.b) == (pair.workload, pair.a, pair.b)
    ]
    figure = ratios.figure(rows, [setting(report)(row) for row in rows])
    return (
        dataclasses.replace(figure, title="Single phases: ratio with its 99 % interval")
        if figure
        else None
    )


def histories(
    report: Report, pairs: Sequence[Pair] | None, others: Sequence[Pair] = ()
) -> list[Figure | None]:
    """Return the figures of the histories of some pairs; of all that belong to none of `others`
    where `pairs` is None."""
    points = history.budget(len(report.history))
    known = {(pair.workload, pair.a, pair.b) for pair in (others if pairs is None else pairs)}
    return [
        history.figure(item, points)
        for item in report.history
        if ((item.workload, item.a, item.b) in known) == (pairs is not None)
    ]


def summaries(
    report: Report, pairs: Sequence[Pair], page: str = "", cell: str = ""
) -> tuple[Summary, ...]:
    """Return the rows of the first table: every precision of every pair. `page`: where their
    evidence is, if it is not the same page."""
    spelled = setting(report)
    found = []
    for pair in pairs:
        settings: dict[str, Line | None] = {spelled(line): line for line in pair.lines}
        for row in pair.speed:
            settings.setdefault(spelled(row), None)
        for precision, line in settings.items():
            speed = {row.action: row for row in pair.speed if spelled(row) == precision}
            found.append(Summary(pair, precision, line, speed, f"{page}#{pair.anchor}", cell))
    return tuple(found)


def _provenance(a: BuildRow | None, b: BuildRow | None, workload: str) -> tuple[Compared, ...]:
    if a is None or b is None:
        return ()
    names = [*dict.fromkeys([*sorted(a.versions), *sorted(b.versions)])]
    rows = [("Python", a.python, b.python), ("platform", a.platform, b.platform)]
    rows += [(name, a.versions.get(name, ""), b.versions.get(name, "")) for name in names]
    rows += [
        ("environment", a.origin, b.origin),
        ("port", a.port.get(workload, ""), b.port.get(workload, "")),
    ]
    return tuple(_compared(*row) for row in rows)


def _settings(
    a: BuildRow | None, b: BuildRow | None, pair: Pair
) -> tuple[tuple[str, tuple[Compared, ...]], ...]:
    """Return the settings in effect of both sides: in lockstep, where anything was judged there,
    and in each timing."""
    if a is None or b is None:
        return ()
    found = (
        [("in lockstep, the first job of each side", a.effective, b.effective)]
        if pair.stages
        else []
    )
    for row in pair.speed:
        first, last = row.precision.partition(":")[0], row.precision.rpartition(":")[2]
        sides = [
            build.timed.get(f"{row.workload} {row.action} {one}")
            for build, one in ((a, first), (b, last))
        ]
        if sides[0] and sides[1]:
            found.append((f"timed, {row.action} {row.precision}", sides[0], sides[1]))
    return tuple(
        (title, _side_by_side(spelled(one), spelled(other))) for title, one, other in found
    )


def _side_by_side(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[Compared, ...]:
    return tuple(
        _compared(name, one.get(name, ""), other.get(name, "")) for name in sorted({*one, *other})
    )


def _compared(name: str, a: str, b: str) -> Compared:
    return Compared(name, a, b, bool(a and b) and a != b)


def told(build: BuildRow) -> dict[str, str]:
    """Return what is in effect in a build, in words."""
    return spelled(build.effective)


def spelled(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return settings in words: the same whether the report was just made or read back."""
    values = plain(settings)
    return {
        name: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for name, value in values.items()
    }
