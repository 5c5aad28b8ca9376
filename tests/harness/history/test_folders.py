"""Which runs lie below a folder, and to which night they count."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from harness.bisecting import record
from harness.errors import UsageError
from harness.history import History, folders
from harness.nightly import night
from harness.records import runs

NOW = datetime.datetime(2026, 11, 21, 1, 30, tzinfo=datetime.timezone.utc)


def _run(folder: Path) -> Path:
    """Make a folder as a finished run leaves it, with a file of its work that is named like a
    report."""
    run = runs.at(folder, "key", "harness compare", NOW)
    for name in ("report.json", "jobs/one/report.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    run.mark(finished=True)
    return folder


def test_all_runs_below_a_folder_are_found(tmp_path: Path):
    """Beside each other and in nights; not what a run's work left, nor a report without a run,
    nor a run that has not finished."""
    names = (
        "2026-11-21_x",
        "2026-11-21_x_2",
        "nightly/2026-11-20/cells/a",
        "nightly/2026-11-21_2/cells/b",
    )
    expected = [_run(tmp_path / name) for name in names]
    runs.at(tmp_path / "2026-11-22_y", "key", "harness compare", NOW)
    (tmp_path / "example").mkdir()
    (tmp_path / "example/report.json").write_text("{}")
    found = folders.finished_runs(tmp_path)
    assert expected == [one.path for one in found]
    assert [None, None, "2026-11-20", "2026-11-21"] == [one.night for one in found]


def test_a_report_beside_the_runs_hides_none(tmp_path: Path):
    """`--json reports/report.json` wrote a copy there."""
    made = _run(tmp_path / "2026-11-21_x")
    (tmp_path / "report.json").write_text("{}")
    assert [made] == [one.path for one in folders.finished_runs(tmp_path)]


def test_a_run_is_itself(tmp_path: Path, sample):
    """By its folder, also where only the report is left, or by its report; what is not there is
    told by whoever loads it."""
    made, bare = _run(tmp_path / "2026-11-21_x"), tmp_path / "bare"
    sample.write(bare, sample.report())
    for path in (made, bare, made / "report.json", tmp_path / "nowhere"):
        assert [path] == [one.path for one in folders.finished_runs(path)]


def test_a_bisection_is_left_out(tmp_path: Path):
    """Old releases that were measured today are no points of a series; one that is named is
    added all the same."""
    folder = tmp_path / "bisect/torch-2.1-2.9-0a1b"
    release = _run(folder / "2.3.0")
    record.write(folder, "key", "harness bisect", (), {})
    for path in (tmp_path, folder):
        with pytest.raises(UsageError, match=r"no finished run is in it .*bisection"):
            folders.finished_runs(path)
    assert [release] == [one.path for one in folders.finished_runs(release)]


def test_the_night_is_read_from_where_nights_are_made(
    tmp_path: Path, matrix_cell, monkeypatch: pytest.MonkeyPatch
):
    """The folders are those of `harness.nightly`; however they are named on the way."""
    for name in ("2026-11-21", "2026-11-21_2"):
        folder = night.folder_of(tmp_path / night.FOLDER, "2026-11-21", "key" + name)
        night.write(folder, night.Night(name, "key" + name, "", "", "", "", 0.0, ()))
        cell = _run(folder / night.CellRow(matrix_cell).folder)
        assert (name, "2026-11-21") == (folder.name, folders.night(cell))
        monkeypatch.chdir(cell)
        assert ["2026-11-21"] * 2 == [
            one.night for path in (".", "report.json") for one in folders.finished_runs(Path(path))
        ]
    assert [None] * 3 == [
        folders.night(tmp_path / name) for name in ("2026-11-21_x", "2026-11-21/one", "cells/one")
    ]


def test_a_cell_counts_to_its_night_without_being_told(history: History, sample, tmp_path: Path):
    """Not to the date on which it began: a night may have been named, or begun after midnight."""
    history.add(sample.report(), tmp_path / "reports/nightly/2026-10-30_2/cells/one")
    assert ["2026-10-30"] == [one.night for one in history.nights()]


@pytest.fixture
def matrix_cell():
    """A cell of a matrix."""
    return night.Cell(
        name="one-cnn",
        workload="cnn",
        device="cpu",
        preset=None,
        seed=0,
        priority=0,
        builds=("tf2", "torch"),
        precisions=("fp32",),
        judge=("fidelity",),
        stages=(),
        execution="default",
        timing_s=0.0,
    )
