"""What a night did to the history: its runs are added, and what changed against the night before
and over the history is asked for.

The one place where a night meets `harness.history` and `harness.changes`. Each row is compared with
the newest earlier night that has it (`gathering`); cells of one device and setting are judged
together, for an error rate that holds for all their rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness.changes import charts, model, nights
from harness.errors import HarnessError
from harness.history import History, Wanted, open_history
from harness.history import charts as drawing
from harness.nightly import collection
from harness.nightly.collection import Ran
from harness.nightly.night import Changed, Night
from harness.records import store
from harness.report import history_page, rendering

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
    after = {
        ran.row.cell.name: ran
        for ran in collection.rans(state, folder, {row.cell.name for row in state.rows})
    }
    earlier = collection.earlier(state, folder.parent)
    past = [list(collection.rans(one, path, after)) for path, one in earlier[: collection.NIGHTS]]
    notes: list[Changed] = []
    histories: dict[str, list[model.Series]] = {}
    try:
        with open_history(reports / HISTORY) as history:
            histories = _histories(history, after, state.name[:10])
            whole = drawing.drawn(history)
        for name, series in histories.items():  # its pages show the nights before
            rendering.write(
                dataclasses.replace(after[name].report, history=charts.histories(series)),
                after[name].folder,
            )
        text = history_page.render(
            "All nights", whole.histories, whole.left_out, whole.stages, whole.speed
        )
        store.write_text(folder.parent / PAGE, text)
    except (HarnessError, OSError) as error:
        notes.append(Changed(model.NOTE, model.UNJUDGED, f"The history could not be used: {error}"))
    found: list[model.Change] = []
    for group in dict.fromkeys(ran.group for ran in after.values()):
        here = [ran for ran in after.values() if ran.group == group]
        series = [one for ran in here for one in histories.get(ran.row.cell.name, ())]
        past_here = [rans for one in past if (rans := [ran for ran in one if ran.group == group])]
        known = {
            ran.row.cell.name for one in past_here for ran in one
        }  # what runs for the first time has nothing to change from
        tonight, before = (
            collection.together([ran for ran in here if ran.row.cell.name in known]),
            [*map(collection.together, past_here)],
        )
        newest = (
            collection.filled(before[0], before[1:], tonight) if before else collection.together([])
        )
        found += nights.between(newest, tonight, series, before[1:])
    notes += _gone(state, [one for _, one in earlier])
    ordered = [Changed(one.severity, one.kind, one.text) for one in sorted(found, key=model.order)]
    return dataclasses.replace(
        state,
        changed=(*ordered, *notes),
        regressed=any(one.severity == model.REGRESSION for one in found),
        uncompared="",
        before=earlier[0][1].name if earlier else "",
    )


def _histories(
    history: History, after: Mapping[str, Ran], date: str
) -> dict[str, list[model.Series]]:
    """Add the night's runs, and return the series of speed ratios that end in them, by cell."""
    ids = {history.add(ran.report, ran.folder, date).id: name for name, ran in after.items()}
    workloads = tuple(sorted({row.workload for ran in after.values() for row in ran.report.speed}))
    found: dict[str, list[model.Series]] = {}
    if not workloads:
        return found
    wanted = Wanted(workloads=workloads, limit=NEWEST)
    versions = {
        run.id: run.versions
        for run in history.runs(dataclasses.replace(wanted, limit=NEWEST * len(after)))
    }
    for key in history.speed_keys(wanted):
        points = history.series(key, Wanted(limit=NEWEST))
        while (
            points and points[-1].run not in ids
        ):  # runs that are dated later: a night that is gone on with, a clock that went back
            points = points[:-1]
        if points:
            here = [point for point in points if point.host == points[-1].host]
            told = []
            for point in here:
                sums = model.moments(
                    [one.log_ratio for one in point.rounds if one.log_ratio is not None]
                )
                told.append(
                    model.Point(
                        point.run,
                        point.night,
                        sums.mean,
                        sums.error,
                        sums.rounds,
                        point.source_hash,
                        versions.get(point.run, {}),
                    )
                )
            found.setdefault(ids[points[-1].run], []).append(
                model.Series(model.measurand(points[-1].row), tuple(told))
            )
    return found


def _gone(state: Night, earlier: Sequence[Night]) -> Iterable[Changed]:
    """Yield cells that the last night that came to its end compared and that this one did not."""
    last = next((one for one in earlier if one.finished), None)
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
