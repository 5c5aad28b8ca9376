"""Reports of several machines as one. Pure.

What is judged on tensors is the same wherever it runs, or is refused: two rows of one thing that
say something else contradict each other, and nobody can tell which is right. What is timed belongs
to its machine: each row keeps it, and rows of two machines are never one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from harness.errors import MergeConflict, UsageError
from harness.results import outcome
from harness.results.model import BuildRow, QualityRow, Report, SpeedRow, StageRow
from harness.results.series import Curve, Spread

Row = TypeVar("Row")
#: So many digits of a hash, and so many conflicts, are told.
DIGITS, LISTED = 12, 5


@dataclasses.dataclass(frozen=True)
class MachineReport:
    """One report of those that are merged.

    Attributes:
        name: of the report, for messages. machine: on which it was made.
        place: the folder of its logs in the merged run; unique.
    """

    name: str
    machine: str
    place: str
    report: Report


def merge(parts: Sequence[MachineReport], command: str) -> Report:
    """Return several reports as one: rows in the order of the reports. Its summary follows from the
    rows once it is read.

    Args:
        parts: two or more. command: that made it.

    Raises:
        MergeConflict: two of them say different things of the same, or were made of other sources:
            all conflicts are named, each with both reports. UsageError: there are too few.
    """
    if len(parts) < 2:
        raise UsageError("harness merge: one report is merged with nothing. Give two or more.")
    for part in parts:
        refuse(part.report, f"harness merge {part.name}")
    parts = [_placed(part) for part in parts]
    conflicts = [
        *_of_sources(parts),
        *_of_rows(parts, "speed", lambda report: report.speed, _speed_key, _whole),
        *_of_rows(parts, "stage", lambda report: report.stages, _stage_key, _stage_content),
        *_of_rows(parts, "quality", lambda report: report.quality, _quality_key, _whole),
        *_of_rows(parts, "curve", lambda report: report.curves, _curve_key, _whole),
        *_of_rows(parts, "samples", lambda report: report.spreads, _spread_key, _whole),
    ]
    if conflicts:
        more = len(conflicts) - LISTED
        listed = [*conflicts[:LISTED], *([f"{more} more"] if more > 0 else [])]
        raise MergeConflict(
            f"the reports cannot be one: {'; '.join(listed)}. Make them of the same sources and"
            " seeds, and merge different parts of the work, or leave one of them out."
        )
    reports = [part.report for part in parts]
    exits = [report.exit_code for report in reports]
    return dataclasses.replace(
        reports[0],
        title=" and ".join(dict.fromkeys(report.title for report in reports)),
        created=max(report.created for report in reports),
        command=command,
        stages=_once([row for report in reports for row in report.stages], _stage_key),
        speed=_once([row for report in reports for row in report.speed], _speed_key),
        jobs=tuple(row for report in reports for row in report.jobs),
        builds=_builds(reports),
        tapes={name: tape for report in reports for name, tape in report.tapes.items()},
        notes=(*_made_on(parts), *(note for part in parts for note in _notes(part))),
        quality=_once([row for report in reports for row in report.quality], _quality_key),
        curves=_once([row for report in reports for row in report.curves], _curve_key),
        spreads=_once([row for report in reports for row in report.spreads], _spread_key),
        history=(),
        exit_code=outcome.TOO_SLOW if outcome.TOO_SLOW in exits else 0,
    )


def refuse(report: Report, what: str) -> None:
    """Refuse a merged report where rows of several machines would be taken for one.

    Args:
        report: any. what: the command that cannot take it.

    Raises:
        UsageError: it is merged.
    """
    if report.merged:
        machines = sorted({row.machine for row in report.speed})
        raise UsageError(
            f"{what}: this report is merged of runs on {', '.join(machines)}, and their times are"
            " not comparable. Give the runs that it was made of, one by one."
        )


def _of_sources(parts: Sequence[MachineReport]) -> list[str]:
    """Return in what the reports were made of different things."""
    first_told: dict[str, tuple[str, str]] = {}
    conflicts = []
    for part in parts:
        for what, value in _sources(part.report).items():
            before, first = first_told.setdefault(what, (value, part.name))
            if before != value:
                conflicts.append(f"{what} is {before} in {first} and {value} in {part.name}")
    return conflicts


def _sources(report: Report) -> dict[str, str]:
    """Return what has to be the same everywhere: code, releases, tapes."""
    sources = {"the harness": report.harness_version}
    if report.commit:
        sources["the harness' commit"] = report.commit
    for row in report.builds:
        for package, version in row.versions.items():
            sources[f"{package} of {row.build}"] = version
        for workload, port in row.port.items():
            # The file may lie elsewhere on another machine; its content is what counts.
            sources[f"the port of {workload} on {row.build}"] = port.rpartition(", ")[2]
    for name, tape in report.tapes.items():
        sources[f"the tape {name}"] = tape[:DIGITS]
    return sources


def _of_rows(
    parts: Sequence[MachineReport],
    kind: str,
    rows: Callable[[Report], Iterable[Row]],
    key: Callable[[Row], Hashable],
    content: Callable[[Row], object],
) -> list[str]:
    """Return the rows that two reports have with different content."""
    known: dict[Hashable, tuple[object, str]] = {}
    conflicts = []
    for part in parts:
        for row in rows(part.report):
            name = key(row)
            before, first = known.setdefault(name, (content(row), part.name))
            if repr(before) != repr(content(row)):  # NaN is equal to itself here
                words = " ".join(str(word) for word in _words(name) if word not in ("", None))
                conflicts.append(f"{kind} {words} differs between {first} and {part.name}")
    return conflicts


def _words(key: Hashable) -> tuple[object, ...]:
    return key if isinstance(key, tuple) else (key,)


def _once(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> tuple[Row, ...]:
    """Return the first row of each key."""
    first: dict[Hashable, Row] = {}
    for row in rows:
        first.setdefault(key(row), row)
    return tuple(first.values())


def _stage_key(row: StageRow) -> Hashable:
    return (
        *(row.workload, row.stage, row.precision, f"{row.a} : {row.b}", row.preset, row.seed),
        *(row.device, row.execution, row.data),
    )


def _speed_key(row: SpeedRow) -> Hashable:
    return (
        *(row.workload, row.action, row.segment, row.precision, f"{row.a} : {row.b}", row.preset),
        *(row.seed, row.device, row.execution, row.data, row.threads, row.machine),
    )


def _stage_content(row: StageRow) -> StageRow:
    """Return a row without what says only where it was made and how it is made again."""
    return dataclasses.replace(row, logs=(), command="", threads=0, interpreters=())


def _quality_key(row: QualityRow) -> Hashable:
    return row.workload, row.build, row.precision, row.preset, row.metric


def _curve_key(row: Curve) -> Hashable:
    return row.workload, row.build, row.precision, row.preset, row.mode, row.term, row.numbers


def _spread_key(row: Spread) -> Hashable:
    return row.workload, row.build, row.precision, row.preset


def _whole(row: object) -> object:
    return row


def _placed(part: MachineReport) -> MachineReport:
    """Return a report whose rows name its machine, and its jobs and logs the folder of it: each
    machine has its own of the same name."""
    report = part.report
    jobs = [
        dataclasses.replace(
            row, job=f"{part.place}/{row.job}", log=row.log and f"{part.place}/{row.log}"
        )
        for row in report.jobs
    ]
    builds = [
        dataclasses.replace(row, timed=_timed(row.timed, part.machine)) for row in report.builds
    ]
    placed = dataclasses.replace(
        report,
        stages=tuple(dataclasses.replace(row, logs=_logs(row, part)) for row in report.stages),
        speed=tuple(
            dataclasses.replace(row, logs=_logs(row, part), machine=part.machine)
            for row in report.speed
        ),
        jobs=tuple(jobs),
        builds=tuple(builds),
    )
    return dataclasses.replace(part, report=placed)


def _timed(settings: Mapping[str, Any], machine: str) -> dict[str, Any]:
    return {f"{name} on {machine}": value for name, value in settings.items()}


def _logs(row: StageRow | SpeedRow, part: MachineReport) -> tuple[str, ...]:
    return tuple(f"{part.place}/{log}" for log in row.logs)


def _builds(reports: Sequence[Report]) -> tuple[BuildRow, ...]:
    """Return one row a build: what the first report says of it, with the ports and the timed
    settings that any says."""
    whole: dict[str, BuildRow] = {}
    for row in (row for report in reports for row in report.builds):
        known = whole.setdefault(row.build, row)
        whole[row.build] = dataclasses.replace(
            known, port={**row.port, **known.port}, timed={**row.timed, **known.timed}
        )
    return tuple(whole.values())


def _made_on(parts: Sequence[MachineReport]) -> list[str]:
    """Return what is not the same on all machines and no conflict: a line for each build."""
    lines = [f"{part.machine}: {part.report.title}, made {part.report.created}" for part in parts]
    first: dict[str, BuildRow] = {}
    for part in parts:
        for row in part.report.builds:
            known = first.setdefault(row.build, row)
            moved = _differing(known, row)
            if moved:
                lines.append(f"{part.machine}: {row.build} has other {', '.join(moved)}")
    return lines


def _differing(a: BuildRow, b: BuildRow) -> list[str]:
    moved = [
        f"{name} ({getattr(b, name)})"
        for name in ("python", "platform")
        if getattr(a, name) != getattr(b, name)
    ]
    names = sorted(name for name in b.effective if a.effective.get(name) != b.effective[name])
    return [*moved, *([f"settings in effect ({', '.join(names)})"] if names else [])]


def _notes(part: MachineReport) -> list[str]:
    return [f"{part.machine}: {note}" for note in part.report.notes]
