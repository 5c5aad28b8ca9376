"""Nights of real cells: every ending is typed, none takes the others down, and nothing that is
finished runs again."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from harness.commands import compare as comparison
from harness.errors import Busy, JobFailed, RecordError, UnknownName
from harness.nightly import agenda, cells, conclusion, config, night, page, support
from harness.nightly.night import CellRow, CellStatus
from harness.records import runs, store


def written(folder: Path) -> dict[str, int]:
    """Return when each manifest of a night was written, nanoseconds."""
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in folder.glob("cells/*/jobs/*/manifest.json")
    }


def test_a_cell_that_fails_takes_no_other_down(nights, statuses) -> None:
    """One port segfaults, one writes a broken file, one is honest: each cell has its status, its
    reason and its report."""
    made = nights.write(("dies", "segfault"), ("broken", "broken_file"), ("good", ""))
    found = nights.run(made)
    assert {
        "dies-hostile": "crashed",
        "broken-hostile": "corrupt",
        "good-hostile": "ok",
    } == statuses(found)
    assert 4 == found.night.exit_code and found.night.finished
    reasons = {row.cell.name: row.reason for row in found.night.rows}
    assert (
        "SIGSEGV" in reasons["dies-hostile"]
        and "broken" in reasons["broken-hostile"]
        and "" == reasons["good-hostile"]
    )
    for row in found.night.rows:
        assert (found.folder / row.folder / "report.html").is_file()
    assert found.night == night.read(found.folder)
    assert [3, 2, 1] == [
        len(night.read(found.folder).rows),
        len(found.night.broken()),
        found.night.count("ok"),
    ]


def test_a_finished_night_rests(nights, statuses) -> None:
    """A second run of the night runs no finished cell again; one that did not end well has
    another try, from its finished jobs."""
    made = nights.write(("good", ""), ("dies", "segfault"))
    first = nights.run(made)
    before = written(first.folder)
    nights.said.clear()
    again = nights.run(made)
    after = written(again.folder)
    assert {"good-hostile": "ok", "dies-hostile": "crashed"} == statuses(again)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {name for name in after if "dies" in name and "numpy-segfault" in name}
    assert [] == [line for line in nights.said if line.startswith("[")]
    assert any(
        line.startswith("first check of numpy@segfault") for line in nights.said
    )  # it died there, and is tried there again
    assert again.night.created == first.night.created and first.folder == again.folder


def test_a_fault_fails_the_night(nights) -> None:
    """A port that computes something else: FAIL, exit code 1, and the sentence says where."""
    found = nights.run(nights.write(("good", ""), ("wrong", "nan_activation")))
    assert ("FAIL", 1) == (found.night.verdict, found.night.exit_code)
    assert "wrong-hostile" in found.night.headline


RAISED = {
    "a job": (JobFailed("timeout", "too long"), "timeout", "too long"),
    "the disk": (OSError(errno.ENOSPC, "No space left on device"), "disk full", "No space left"),
    "a file": (PermissionError(errno.EACCES, "Permission denied"), "error", "Permission denied"),
    "memory": (MemoryError(), "out of memory", "MemoryError"),
    "another process": (Busy("held"), "error", "held"),
    "a defect": (
        ZeroDivisionError("by zero"),
        "error",
        "a defect of the harness: cells/first-hostile/traceback.txt",
    ),
}


@pytest.mark.parametrize("what", RAISED)
def test_whatever_is_raised_ends_in_a_status(
    nights, statuses, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The first cell's comparison raises; the cell says what, and the second one is compared for
    real."""
    error, status, said = RAISED[what]
    compare = comparison.compare

    def failing(chosen, context, folder, request):
        if folder.name.startswith("first"):
            raise error
        return compare(chosen, context, folder, request)

    monkeypatch.setattr(comparison, "compare", failing)
    found = nights.run(nights.write(("first", ""), ("second", "")))
    assert {"first-hostile": status, "second-hostile": "ok"} == statuses(found)
    assert said in found.night.rows[0].reason and 4 == found.night.exit_code
    assert (what == "a defect") == (
        found.folder / "cells/first-hostile" / cells.TRACEBACK
    ).is_file()


def test_a_disk_that_is_full_costs_no_night(
    nights, statuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state cannot be written for a while: it is said, the cells run, and the end is written
    when there is room."""
    write, left = night.write, [OSError(errno.ENOSPC, "No space left on device")] * 3

    def full(folder, state):
        if left:
            raise left.pop()
        write(folder, state)

    monkeypatch.setattr(night, "write", full)
    found = nights.run(nights.write(("good", "")))
    assert {"good-hostile": "ok"} == statuses(found) and found.night == night.read(found.folder)
    assert [line for line in nights.said if "night.json cannot be written: No space left" in line]


def test_what_is_beyond_the_budget_is_not_reached(nights, statuses) -> None:
    """The most urgent come first; one that does not fit any more says so, and a smaller one
    behind it still runs."""
    path = nights.write(("first", ""), ("large", ""), ("small", ""), budget_s=25).path
    path.write_text(path.read_text().replace('name = "large"', 'name = "large"\nestimate_s = 1000'))
    found = nights.run(config.load(path))
    assert {
        "first-hostile": "ok",
        "large-hostile": "not reached",
        "small-hostile": "ok",
    } == statuses(found)
    assert (
        "takes about 17 min" in found.night.rows[1].reason and "25 s" in found.night.rows[1].reason
    )
    assert (
        found.night.finished
        and 0 == found.night.exit_code
        and "1 was not reached" in found.night.headline
    )


def test_only_some(nights, statuses) -> None:
    """--only runs what it names; the night is not finished, and goes on with the others."""
    made = nights.write(("one", ""), ("two", ""))
    found = nights.run(made, "two-hostile")
    assert {"one-hostile": "waiting", "two-hostile": "ok"} == statuses(
        found
    ) and not found.night.finished
    assert {"one-hostile": "ok", "two-hostile": "ok"} == statuses(nights.run(made))
    with pytest.raises(UnknownName, match="Did you mean 'one-hostile'"):
        nights.run(made, "one-hostil")


def test_after_a_reboot(nights, statuses) -> None:
    """Lock files lie about, a cell is marked as running, half a file was being written: nobody
    holds the locks, and the night goes on."""
    made = nights.write(("one", ""), ("two", ""))
    found = nights.run(made, "one-hostile")
    state = night.read(found.folder)
    cut_off = next(row for row in state.rows if row.cell.name == "two-hostile")
    night.write(
        found.folder,
        state.with_row(type(cut_off)(cut_off.cell, CellStatus.RUNNING, duration_s=2.0)),
    )
    for folder in (found.folder, found.folder / "cells/two-hostile"):
        folder.mkdir(exist_ok=True)
        (folder / runs.LOCK_FILE).write_text("4194304")
        (folder / ".night.json.4194304.tmp").write_text('{"sch')
    before = written(found.folder)
    again = nights.run(made)
    assert {"one-hostile": "ok", "two-hostile": "ok"} == statuses(again)
    after = written(again.folder)
    assert before.items() < after.items()
    assert again.night.rows[1].duration_s > 2.0


def test_a_cell_that_ended_before_it_was_noted(nights, statuses) -> None:
    """The power went between a cell's report and the night's state: the report is taken, and no
    job runs again."""
    made = nights.write(("one", ""))
    found = nights.run(made)
    report = (found.folder / "cells/one-hostile/report.json").read_bytes()
    night.write(
        found.folder,
        night.read(found.folder).with_row(CellRow(made.cells[0], CellStatus.RUNNING)),
    )
    before = written(found.folder)
    nights.said.clear()
    again = nights.run(made)
    assert {"one-hostile": "ok"} == statuses(again) and before == written(again.folder)
    assert report == (again.folder / "cells/one-hostile/report.json").read_bytes()
    assert not [line for line in nights.said if line.startswith("[")]


def test_two_at_a_time(nights) -> None:
    """A second process stays out of a night that is at work."""
    made = nights.write(("one", ""))
    found = nights.run(made)
    with runs.held(found.folder), pytest.raises(Busy, match="another harness"):
        nights.run(made)


def test_interrupt(nights, statuses, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C passes through; what is finished is kept, the cell at work is interrupted, and the
    same command goes on."""
    made = nights.write(("one", ""), ("two", ""), ("three", ""))
    compare = comparison.compare

    def interrupted(chosen, context, folder, request):
        if folder.name.startswith("two"):
            raise KeyboardInterrupt
        return compare(chosen, context, folder, request)

    with monkeypatch.context() as patched:
        patched.setattr(comparison, "compare", interrupted)
        with pytest.raises(KeyboardInterrupt):
            nights.run(made)
    folder = nights.folder / "reports/nightly/2026-11-21"
    state = night.read(folder)
    assert ["ok", "interrupted", "waiting"] == [row.status for row in state.rows]
    assert 130 == state.exit_code and not state.finished and (folder / conclusion.SUMMARY).is_file()
    found = nights.run(made)
    assert ["ok", "ok", "ok"] == [
        row.status for row in found.night.rows
    ] and 0 == found.night.exit_code


def test_the_last_night_says_how_long(nights) -> None:
    """Estimates are taken from the newest night in which a cell came to its end."""
    made = nights.write(("one", ""))
    found = nights.run(made, date="2026-11-20")
    usual_s, basis = agenda.estimate(made, made.cells[0], {})
    assert (10.0, "usual figures") == (usual_s, basis)
    known = agenda.durations(found.folder.parent, found.folder.with_name("2026-11-21"))
    assert (found.night.rows[0].duration_s, "the night 2026-11-20") == agenda.estimate(
        made, made.cells[0], known
    )


def test_what_cannot_run_here_is_listed(nights, statuses) -> None:
    """No GPU: unsupported, with what was looked for. A build without an environment for a device
    is named."""
    nights.context.environ.clear()
    nights.context.environ.update({"PATH": "/nowhere", "HOME": str(nights.folder)})
    made = nights.write(("one", ""))
    made.path.write_text(made.path.read_text() + 'devices = ["gpu"]\n')
    gpu = config.load(made.path)
    missing = support.survey(gpu, gpu.cells, nights.context, install=False)
    able = support.able(gpu, gpu.cells[0], missing)
    assert (
        () == able.builds
        and "numpy has no environment for gpu" in able.reason
        and "0 of the 2 builds" in able.reason
    )
    found = nights.run(gpu)
    assert {"one-hostile": "unsupported"} == statuses(found) and 5 == found.night.exit_code


def test_the_pages_are_written(nights) -> None:
    """Summary, index, state and history are there, and JSON is strict."""
    found = nights.run(nights.write(("one", "")))
    json.loads((found.folder / night.FILE).read_text(), parse_constant=pytest.fail)
    assert "one-hostile" in (found.folder / conclusion.SUMMARY).read_text()
    assert "2026-11-21/index.html" in (found.folder.parent / conclusion.INDEX).read_text()
    assert "./cells/one-hostile/report.html#pair-1" in (found.folder / page.NAME).read_text()
    assert (nights.folder / "reports/history.sqlite").is_file()
    assert store.read_json(found.folder / night.FILE, "night", night.SCHEMA)["exit_code"] == 0


def test_the_folder_of_all_nights_may_be_a_link(nights) -> None:
    """To another disk: it is the user's own, as that of `--reports`. A night's own is none."""
    elsewhere, reports = nights.folder / "elsewhere", nights.folder / "reports"
    elsewhere.mkdir()
    reports.mkdir()
    (reports / "nightly").symlink_to(elsewhere)
    made = nights.write(("honest", ""))
    assert "PASS" == nights.run(made).night.verdict
    assert (elsewhere / "2026-11-21/night.json").is_file() and (elsewhere / "index.html").is_file()
    (elsewhere / "2026-11-22").symlink_to(nights.folder)
    with pytest.raises(RecordError, match="link"):
        nights.run(made, date="2026-11-22")
