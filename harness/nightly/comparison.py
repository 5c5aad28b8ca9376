"""What a night did to the history: its runs are added, and what changed against the night before
and over the history is asked for.

The one place where a night meets `harness.history` and `harness.changes`. Each row is compared with
the newest earlier night that has it (`collection`); cells of one device and setting are judged
together, for an error rate that holds for all their rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from harness.changes import charts, model, nights
from harness.errors import HarnessError
from harness.history import History, SpeedPoint, Wanted, open_history
from harness.history import charts as drawing
from harness.nightly import collection
from harness.nightly.collection import Group, JudgedRun
from harness.nightly.night import Changed, Night
from harness.records import files
from harness.report import history_page, renderers

#: Series of speed ratios that end in a night, by the name of its cell.
SeriesByCell = Mapping[str, Sequence[model.Series]]
HISTORY = "history.sqlite"
#: How everything went over all nights, beside the index.
PAGE = "history.html"
#: So many runs of a series are looked at: more than a quarter of a year of nights.
NEWEST = 100


def compared(state: Night, folder: Path, reports: Path) -> Night:
    """Add a night's runs to the history, and return the night with what changed, regressions first,
    and against which night.

    Args:
        state: the night. folder: where it lies. reports: the folder of all reports, with the
            history.
    """
    names = {row.cell.name for row in state.rows}
    runs = {run.row.cell.name: run for run in collection.judged_runs(state, folder, names)}
    earlier = collection.earlier(state, folder.parent)
    past = [
        list(collection.judged_runs(night, path, runs))
        for path, night in earlier[: collection.NIGHTS]
    ]
    histories, notes = _in_history(state, folder, reports, runs)
    changes: list[model.Change] = []
    for group in dict.fromkeys(run.group for run in runs.values()):
        changes += _changes(group, runs.values(), past, histories)
    notes += _gone(state, [night for _, night in earlier])
    changes.sort(key=model.order)
    ordered = [Changed(change.severity, change.kind, change.text) for change in changes]
    return dataclasses.replace(
        state,
        changed=(*ordered, *notes),
        regressed=any(change.severity == model.REGRESSION for change in changes),
        uncompared="",
        before=earlier[0][1].name if earlier else "",
    )


def _in_history(
    state: Night, folder: Path, reports: Path, runs: Mapping[str, JudgedRun]
) -> tuple[SeriesByCell, list[Changed]]:
    """Add a night's runs to the history and draw it, as a whole and in the pages of the runs.

    Return the series that end in the runs; where the history cannot be used, also a note that says
    so, and those series that were read before.
    """
    histories: SeriesByCell = {}
    try:
        with open_history(reports / HISTORY) as history:
            histories = _histories(history, runs, state.name[:10])
            whole = drawing.drawn(history)
        for name, series in histories.items():  # its pages show the nights before
            run = runs[name]
            report = dataclasses.replace(run.report, history=charts.histories(series))
            renderers.write(report, run.folder)
        text = history_page.render(
            "All nights", whole.histories, whole.left_out, whole.stages, whole.speed
        )
        files.write_text(folder.parent / PAGE, text)
    except (HarnessError, OSError) as error:
        text = f"The history could not be used: {error}"
        return histories, [Changed(model.NOTE, model.UNJUDGED, text)]
    return histories, []


def _changes(
    group: Group,
    runs: Collection[JudgedRun],
    past: Sequence[Sequence[JudgedRun]],
    histories: SeriesByCell,
) -> Sequence[model.Change]:
    """Return what changed in a group's runs against its earlier nights, the newest first."""
    here = [run for run in runs if run.group == group]
    series = [item for run in here for item in histories.get(run.row.cell.name, ())]
    past_here = []
    for night in past:
        members = [run for run in night if run.group == group]
        if members:
            past_here.append(members)
    # what runs for the first time has nothing to change from
    known = {run.row.cell.name for night in past_here for run in night}
    tonight = collection.together([run for run in here if run.row.cell.name in known])
    before = [collection.together(night) for night in past_here]
    if before:
        newest = collection.filled(before[0], before[1:], tonight)
    else:
        newest = collection.together([])
    return nights.between(newest, tonight, series, before[1:])


def _histories(history: History, runs: Mapping[str, JudgedRun], date: str) -> SeriesByCell:
    """Add the night's runs, and return the series of speed ratios that end in them, by cell."""
    ids = {history.add(run.report, run.folder, date).id: name for name, run in runs.items()}
    workloads = {row.workload for run in runs.values() for row in run.report.speed}
    if not workloads:
        return {}
    wanted = Wanted(workloads=tuple(sorted(workloads)), limit=NEWEST)
    newest_runs = history.runs(dataclasses.replace(wanted, limit=NEWEST * len(runs)))
    versions = {run.id: run.versions for run in newest_runs}
    by_cell: dict[str, list[model.Series]] = {}
    for key in history.speed_keys(wanted):
        points = history.series(key, Wanted(limit=NEWEST))
        # runs that are dated later: a night that is gone on with, a clock that went back
        while points and points[-1].run not in ids:
            points = points[:-1]
        if not points:
            continue
        newest = points[-1]
        summaries = [_point(point, versions) for point in points if point.host == newest.host]
        series = model.Series(model.measurand(newest.row), tuple(summaries))
        by_cell.setdefault(ids[newest.run], []).append(series)
    return by_cell


def _point(
    point: SpeedPoint, versions: Mapping[str, Mapping[str, Mapping[str, str]]]
) -> model.SeriesPoint:
    """Return a point of a history as what changes are judged by; `versions`: by run and build."""
    logs = [timed.log_ratio for timed in point.rounds if timed.log_ratio is not None]
    moments = model.moments(logs)
    return model.SeriesPoint(
        run=point.run,
        time=point.night,
        mean=moments.mean,
        error=moments.error,
        rounds=moments.rounds,
        source=point.source_hash,
        versions=versions.get(point.run, {}),
    )


def _gone(state: Night, earlier: Sequence[Night]) -> Iterable[Changed]:
    """Yield cells that the last night that came to its end compared and that this one did not."""
    last = next((night for night in earlier if night.finished), None)
    if last is None:
        return
    tonight = {row.cell.name: row for row in state.rows}
    for row in last.rows:
        if row.exit_code is None:
            continue
        now = tonight.get(row.cell.name)
        if now is None:
            text = (
                f"The cell {row.cell.name} was compared in the night {last.name} and is in the"
                " matrix no more."
            )
            yield Changed(model.NOTE, model.VANISHED, text)
        elif now.exit_code is None:
            text = (
                f"The cell {row.cell.name} was compared in the night {last.name}; now it is"
                f" {now.status}."
            )
            yield Changed(model.NOTE, model.STATUS, text)
