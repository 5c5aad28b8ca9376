"""What a night is compared by: its cells' reports and records, as the one night that
`harness.changes` judges.

And what it is held against: earlier nights of the same matrix, and of each row the newest of them
that has it. A build that could not be installed last night, or a job that crashed, must not make
tonight the first of its kind.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from harness.changes import conditions, model, verdicts
from harness.history.evidence import RunEvidence, gather
from harness.history.restore import EMPTY
from harness.nightly import night, page
from harness.nightly.night import CellRow, Night
from harness.results.model import BuildRow, Report

#: So many nights are looked back: the last one, and the fourteen before it, against whose median a
#: creep is seen.
NIGHTS = 15
#: Device, execution, threads and data: what rows of a report do not tell, and what no comparison
#: goes across; and a cell's own name.
Group = tuple[str, str, int | None, str | None, str]
Item = TypeVar("Item")


@dataclasses.dataclass(frozen=True)
class JudgedRun:
    """A cell's run: its report, where it lies, and what its records tell of rounds and sources."""

    row: CellRow
    report: Report
    folder: Path
    evidence: RunEvidence

    @property
    def group(self) -> Group:
        """What it may be compared within."""
        cell = self.row.cell
        names = [item.partition("@")[0] for item in cell.builds]
        # labels of such builds mean something else in other cells
        alone = "@" in "".join(cell.builds) or len(set(names)) < len(names)
        return cell.device, cell.execution, cell.threads, cell.data, cell.name if alone else ""


def judged_runs(state: Night, folder: Path, names: Iterable[str]) -> Iterable[JudgedRun]:
    """Yield those of a night's cells that are named and have a report that can be read."""
    rows = tuple(row for row in state.rows if row.cell.name in names)
    for row, report in page.reports(dataclasses.replace(state, rows=rows), folder):
        path = folder / row.folder
        yield JudgedRun(row, report, path, gather(report, path))


def earlier(state: Night, nights: Path) -> list[tuple[Path, Night]]:
    """Return the nights before, the newest first: of the same matrix file, or else all."""
    before = [
        (path, past)
        for path, past in night.nights(nights)
        if isinstance(past, Night) and night.order(past.name) < night.order(state.name)
    ]
    return [(path, past) for path, past in before if past.config == state.config] or before


def together(runs: Sequence[JudgedRun]) -> model.JudgedNight:
    """Return the runs of several cells as one."""
    reports = [run.report for run in runs]
    builds: dict[str, BuildRow] = {}
    tapes: dict[str, str] = {}
    for report in reports:
        tapes.update(report.tapes)
        for row in report.builds:
            known = builds.get(row.build, row)
            builds[row.build] = dataclasses.replace(known, port={**row.port, **known.port})
    joined = dataclasses.replace(
        reports[0] if reports else EMPTY,
        stages=tuple(row for report in reports for row in report.stages),
        speed=tuple(row for report in reports for row in report.speed),
        jobs=tuple(row for report in reports for row in report.jobs),
        builds=tuple(builds.values()),
        tapes=tapes,
    )
    return model.JudgedNight(joined, tuple(ratios for run in runs for ratios in _ratios(run)))


def filled(
    newest: model.JudgedNight, older: Sequence[model.JudgedNight], tonight: model.JudgedNight
) -> model.JudgedNight:
    """Return a night with those rows added that tonight has and it has not, each from the newest of
    the older nights that has it."""
    filled_up = newest
    for past in older:
        report = _filled_report(filled_up.report, past.report, tonight.report)
        ratios = _added(
            filled_up.ratios, past.ratios, tonight.ratios, lambda ratios: ratios.measurand
        )
        filled_up = model.JudgedNight(report, ratios)
    return filled_up


def _filled_report(was: Report, more: Report, now: Report) -> Report:
    """Return a report with those rows of an older one added that tonight's has and it has not."""
    tapes = {name: digest for name, digest in more.tapes.items() if name in now.tapes}
    return dataclasses.replace(
        was,
        stages=_added(was.stages, more.stages, now.stages, verdicts.key),
        speed=_added(
            was.speed, more.speed, now.speed, lambda row: (model.measurand(row), row.by_phase)
        ),
        jobs=_added(
            was.jobs,
            more.jobs,
            now.jobs,
            lambda row: (row.kind, row.workload, row.build, row.precision, row.seed),
        ),
        builds=_added(was.builds, more.builds, now.builds, lambda row: row.build),
        tapes={**tapes, **was.tapes},
    )


def _added(
    was: Sequence[Item], more: Sequence[Item], now: Sequence[Item], key: Callable[[Item], Hashable]
) -> tuple[Item, ...]:
    wanted = set(map(key, now)) - set(map(key, was))
    return (*was, *(item for item in more if key(item) in wanted))


def _ratios(run: JudgedRun) -> Iterable[model.Ratios]:
    """Yield what a run's rounds measured."""
    evidence = run.evidence
    host = evidence.host()
    for number, row in enumerate(run.report.speed):
        rounds = evidence.rounds.get(number, ())
        logs = [timed.log_ratio for timed in rounds if timed.log_ratio is not None]
        sources, versions = {}, {}
        for side in (row.a, row.b):
            port = evidence.ports.get((side, row.workload))
            identity = evidence.identities.get(side)
            if port:
                sources[side] = port.source_hash
            if identity and identity.versions:
                versions[side] = identity.versions
        circumstances = {"threads": str(row.threads)}
        if host:
            circumstances[conditions.MACHINE] = host.fingerprint
        specification = evidence.specs.get((row.workload, row.preset))
        if specification:
            circumstances[conditions.SPECIFICATION] = specification
        yield model.Ratios(
            model.measurand(row), model.moments(logs), sources, versions, circumstances
        )
