"""What a night is compared by: its cells' reports and records, as the one night that
`harness.changes` judges.

And what it is held against: earlier nights of the same matrix, and of each row the newest of them
that has it. A build that could not be installed last night, or a job that crashed, must not make
tonight the first of its kind.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from harness.changes import conditions, model, verdicts
from harness.history import evidence as found_in
from harness.nightly import night, page
from harness.nightly.night import Night, Row
from harness.results.model import BuildRow, Report
from harness.results.verdicts import Fidelity

#: So many nights are looked back: the last one, and the fourteen before it, against whose median a
#: creep is seen.
NIGHTS = 15
#: Device, execution, threads and data: what rows of a report do not tell, and what no comparison
#: goes across; and a cell's own name.
Group = tuple[str, str, int | None, str | None, str]
EMPTY = Report(
    title="",
    created="",
    harness_version="",
    command="",
    fidelity=Fidelity.NONE,
    headline="",
    stages=(),
    speed=(),
    jobs=(),
    builds=(),
    tapes={},
)
Item = TypeVar("Item")


@dataclasses.dataclass(frozen=True)
class Ran:
    """A cell's judged run: its report, where it lies, and what its records tell of rounds and
    sources."""

    row: Row
    report: Report
    folder: Path
    told: found_in.Evidence

    @property
    def group(self) -> Group:
        """What it may be compared within."""
        cell = self.row.cell
        names = [item.partition("@")[0] for item in cell.builds]
        alone = "@" in "".join(cell.builds) or len(set(names)) < len(
            names
        )  # its labels mean something else in other cells
        return cell.device, cell.execution, cell.threads, cell.data, cell.name if alone else ""


def rans(state: Night, folder: Path, names: Iterable[str]) -> Iterable[Ran]:
    """Yield those of a night's cells that are named and have a report that can be read; of others
    no record is read."""
    for row, report in page.reports(
        dataclasses.replace(state, rows=tuple(row for row in state.rows if row.cell.name in names)),
        folder,
    ):
        yield Ran(row, report, folder / row.folder, found_in.gather(report, folder / row.folder))


def earlier(state: Night, nights: Path) -> list[tuple[Path, Night]]:
    """Return the nights before, the newest first: those of the same matrix file, or all if there is
    none of it."""
    before = [
        (path, one)
        for path, one in night.nights(nights)
        if isinstance(one, Night) and night.order(one.name) < night.order(state.name)
    ]
    return [(path, one) for path, one in before if one.config == state.config] or before


def together(found: Sequence[Ran]) -> model.Night:
    """Return the runs of several cells as one."""
    builds: dict[str, BuildRow] = {}
    for ran in found:
        for row in ran.report.builds:
            known = builds.get(row.build, row)
            builds[row.build] = dataclasses.replace(known, port={**row.port, **known.port})
    return model.Night(
        dataclasses.replace(
            found[0].report if found else EMPTY,
            stages=tuple(row for ran in found for row in ran.report.stages),
            speed=tuple(row for ran in found for row in ran.report.speed),
            jobs=tuple(row for ran in found for row in ran.report.jobs),
            builds=tuple(builds.values()),
            tapes={name: digest for ran in found for name, digest in ran.report.tapes.items()},
        ),
        tuple(one for ran in found for one in _ratios(ran)),
    )


def filled(newest: model.Night, older: Sequence[model.Night], tonight: model.Night) -> model.Night:
    """Return a night with those rows added that tonight has and it lacks, each from the newest of
    the older nights that has it."""
    found = newest
    for one in older:
        was, now, more = found.report, tonight.report, one.report
        tapes = {name: digest for name, digest in more.tapes.items() if name in now.tapes}
        found = model.Night(
            dataclasses.replace(
                was,
                stages=_added(was.stages, more.stages, now.stages, verdicts.key),
                speed=_added(
                    was.speed,
                    more.speed,
                    now.speed,
                    lambda row: (model.measurand(row), row.by_phase),
                ),
                jobs=_added(
                    was.jobs,
                    more.jobs,
                    now.jobs,
                    lambda row: (row.kind, row.workload, row.build, row.precision, row.seed),
                ),
                builds=_added(was.builds, more.builds, now.builds, lambda row: row.build),
                tapes={**tapes, **was.tapes},
            ),
            _added(found.ratios, one.ratios, tonight.ratios, lambda ratios: ratios.measurand),
        )
    return found


def _added(
    was: Sequence[Item], more: Sequence[Item], now: Sequence[Item], key: Callable[[Item], Hashable]
) -> tuple[Item, ...]:
    wanted = {key(one) for one in now} - {key(one) for one in was}
    return (*was, *(one for one in more if key(one) in wanted))


def _ratios(ran: Ran) -> Iterable[model.Ratios]:
    """Yield what a run's rounds measured."""
    host = ran.told.host()
    for place, row in enumerate(ran.report.speed):
        rounds = ran.told.rounds.get(place, ())
        logs = [one.log_ratio for one in rounds if one.log_ratio is not None]
        ports = {side: ran.told.ports.get((side, row.workload)) for side in (row.a, row.b)}
        versions = {side: _versions(ran.told.identities.get(side, {})) for side in (row.a, row.b)}
        specification = ran.told.specs.get((row.workload, row.preset))
        yield model.Ratios(
            model.measurand(row),
            model.moments(logs),
            {side: port.source_hash for side, port in ports.items() if port},
            {side: one for side, one in versions.items() if one},
            {
                "threads": str(row.threads),
                **({conditions.MACHINE: host.fingerprint} if host else {}),
                **({conditions.SPECIFICATION: specification} if specification else {}),
            },
        )


def _versions(identity: Mapping[str, Any]) -> dict[str, str]:
    told = identity.get("versions")
    return (
        {str(name): str(version) for name, version in told.items()}
        if isinstance(told, Mapping)
        else {}
    )
