"""What a night did to the history: its runs are added, and what changed against the night before and over the history is asked for.

The one place where a night meets `harness.history` and `harness.changes`. Each cell is compared with the newest earlier night in
which it has a report; cells of one device and setting are judged together, for an error rate that holds for all their rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness import rendering
from harness.changes import charts, model, nights
from harness.errors import HarnessError
from harness.history import History, Wanted, open_history
from harness.history import evidence as found_in
from harness.nightly import night
from harness.nightly.night import Changed, Night, Row
from harness.report.model import BuildRow, Report

HISTORY = "history.sqlite"
#: So many runs of a series are looked at: more than a quarter of a year of nights.
NEWEST = 100
#: Device, execution, threads and data: what rows of a report do not tell, and what no comparison goes across; and a cell's own name.
Group = tuple[str, str, int | None, str | None, str]


@dataclasses.dataclass(frozen=True)
class Ran:
    """A cell's judged run: its report, where it lies, and what its records tell of rounds and sources."""

    row: Row
    report: Report
    folder: Path
    told: found_in.Evidence


def compared(state: Night, folder: Path, reports: Path) -> Night:
    """Add a night's runs to the history, and return the night with what changed, regressions first, and against which night.

    Args:
        state: the night. folder: where it lies. reports: the folder of all reports, with the history.
    """
    after = {ran.row.cell.name: ran for ran in _all(state, folder)}
    readable = [(path, one) for path, one in night.nights(folder.parent) if isinstance(one, Night)]
    earlier = [(path, one) for path, one in readable if night.order(one.name) < night.order(state.name)]
    before = _before(earlier, set(after))
    notes: list[Changed] = []
    histories: dict[str, list[model.Series]] = {}
    try:
        with open_history(reports / HISTORY) as history:
            histories = _histories(history, after, state.name[:10])
        for name, series in histories.items():  # its pages show the nights before
            rendering.write(dataclasses.replace(after[name].report, history=charts.histories(series)), after[name].folder)
    except (HarnessError, OSError) as error:
        notes.append(Changed(model.NOTE, model.UNJUDGED, f"The history could not be used: {error}"))
    found: list[model.Change] = []
    for group in dict.fromkeys(_group(ran) for ran in after.values()):
        names = [name for name, ran in after.items() if _group(ran) == group]
        both = [name for name in names if name in before]
        series = [one for name in names for one in histories.get(name, ())]
        found += nights.between(_night([before[name] for name in both]), _night([after[name] for name in both]), series)
    notes += _gone(state, earlier)
    ordered = [Changed(one.severity, one.kind, one.text) for one in sorted(found, key=model.order)]
    return dataclasses.replace(
        state, changed=(*ordered, *notes), regressed=any(one.severity == model.REGRESSION for one in found),
        before=earlier[0][1].name if earlier else "",
    )


def _all(state: Night, folder: Path) -> Iterable[Ran]:
    """Yield a night's cells that have a report that can be read."""
    for row in state.rows:
        if row.exit_code is not None:
            try:
                report = rendering.load(folder / row.folder)
            except HarnessError:
                continue
            yield Ran(row, report, folder / row.folder, found_in.gather(report, folder / row.folder))


def _before(earlier: Sequence[tuple[Path, Night]], names: set[str]) -> dict[str, Ran]:
    """Return, of each cell, its newest earlier run."""
    found: dict[str, Ran] = {}
    for folder, one in earlier:
        left = dataclasses.replace(one, rows=tuple(row for row in one.rows if row.cell.name in names - set(found)))
        found.update({ran.row.cell.name: ran for ran in _all(left, folder)})
        if not names - set(found):
            break
    return found


def _group(ran: Ran) -> Group:
    cell = ran.row.cell
    names = [item.partition("@")[0] for item in cell.builds]
    alone = "@" in "".join(cell.builds) or len(set(names)) < len(names)  # its labels mean something else in other cells
    return cell.device, cell.execution, cell.threads, cell.data, cell.name if alone else ""


def _night(rans: Sequence[Ran]) -> model.Night:
    """Return the runs of several cells as one."""
    builds: dict[str, BuildRow] = {}
    for ran in rans:
        for row in ran.report.builds:
            known = builds.get(row.build, row)
            builds[row.build] = dataclasses.replace(known, port={**row.port, **known.port})
    empty = Report("", "", "", "", "NONE", "", (), (), (), (), {})
    return model.Night(dataclasses.replace(
        rans[0].report if rans else empty,
        stages=tuple(row for ran in rans for row in ran.report.stages), speed=tuple(row for ran in rans for row in ran.report.speed),
        jobs=tuple(row for ran in rans for row in ran.report.jobs), builds=tuple(builds.values()),
        tapes={name: digest for ran in rans for name, digest in ran.report.tapes.items()},
    ), tuple(one for ran in rans for one in _ratios(ran)))


def _ratios(ran: Ran) -> Iterable[model.Ratios]:
    """Yield what a run's rounds measured."""
    host = ran.told.host()
    for place, row in enumerate(ran.report.speed):
        rounds = ran.told.rounds.get(place, ())
        logs = [one.log_ratio for one in rounds if one.log_ratio is not None]
        ports = {side: ran.told.ports.get((side, row.workload)) for side in (row.a, row.b)}
        versions = {side: _versions(ran.told.identities.get(side, {})) for side in (row.a, row.b)}
        yield model.Ratios(
            model.measurand(row), model.moments(logs), {side: port.source_hash for side, port in ports.items() if port},
            {side: one for side, one in versions.items() if one},
            {"threads": str(row.threads), **({"machine": host.fingerprint} if host else {})},
        )


def _versions(identity: Mapping[str, object]) -> dict[str, str]:
    told = identity.get("versions")
    return {str(name): str(version) for name, version in told.items()} if isinstance(told, Mapping) else {}


def _histories(history: History, after: Mapping[str, Ran], date: str) -> dict[str, list[model.Series]]:
    """Add the night's runs, and return the series of speed ratios that end in them, by cell."""
    ids = {history.add(ran.report, ran.folder, date).id: name for name, ran in after.items()}
    workloads = tuple(sorted({row.workload for ran in after.values() for row in ran.report.speed}))
    found: dict[str, list[model.Series]] = {}
    if not workloads:
        return found
    wanted = Wanted(workloads=workloads, limit=NEWEST)
    versions = {run.id: run.versions for run in history.runs(wanted)}
    for key in history.speed_keys(wanted):
        points = history.series(key, Wanted(limit=NEWEST))
        if points and points[-1].run in ids:
            here = [point for point in points if point.host == points[-1].host]
            told = []
            for point in here:
                sums = model.moments([one.log_ratio for one in point.rounds if one.log_ratio is not None])
                told.append(model.Point(
                    point.run, point.night, sums.mean, sums.error, sums.rounds, point.source_hash, versions.get(point.run, {}),
                ))
            found.setdefault(ids[points[-1].run], []).append(model.Series(model.measurand(points[-1].row), tuple(told)))
    return found


def _gone(state: Night, earlier: Sequence[tuple[Path, Night]]) -> Iterable[Changed]:
    """Yield cells that the night before compared and that this one did not."""
    if not earlier:
        return
    last, tonight = earlier[0][1], {row.cell.name: row for row in state.rows}
    for row in last.rows:
        if row.exit_code is None:
            continue
        now = tonight.get(row.cell.name)
        if now is None:
            text = f"The cell {row.cell.name} was compared in the night {last.name} and is in the matrix no more."
            yield Changed(model.NOTE, model.VANISHED, text)
        elif now.exit_code is None:
            text = f"The cell {row.cell.name} was compared in the night {last.name}; now it is {now.status}."
            yield Changed(model.NOTE, model.STATUS, text)
