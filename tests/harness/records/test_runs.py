"""A run's folder: made once, found again by what was asked, and emptied of nothing that is still
needed."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from harness.errors import RecordError, UsageError
from harness.records import runs
from tests.harness import users

NOW = datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.timezone.utc)


def make(reports: Path, asked: str = "key") -> runs.Run:
    """Make a run."""
    return runs.create(reports, "tf2-torch", asked, "harness compare", NOW)


def test_create(tmp_path: Path) -> None:
    """Runs of one day and one question have folders of their own."""
    first, second = make(tmp_path / "reports"), make(tmp_path / "reports")
    assert ["2026-03-01_tf2-torch", "2026-03-01_tf2-torch_2"] == [
        run.folder.name for run in (first, second)
    ]
    assert not json.loads((first.folder / runs.RUN_FILE).read_text())["finished"]


def test_a_folder_whose_run_never_began_is_taken(tmp_path: Path) -> None:
    """Its maker was killed while it wrote the first file; one with anything else in it stays."""
    folder = make(tmp_path).folder
    left = folder / f".{runs.RUN_FILE}.{'9' * 30}.1.tmp"
    (folder / runs.RUN_FILE).rename(left)
    assert folder == make(tmp_path).folder
    assert [runs.RUN_FILE] == [path.name for path in folder.iterdir()]
    (folder / runs.RUN_FILE).rename(left)
    (folder / "notes.txt").touch()
    assert f"{folder.name}_2" == make(tmp_path).folder.name
    assert left.exists()
    (tmp_path / f"{folder.name}_3").mkdir()
    assert f"{folder.name}_4" == make(tmp_path).folder.name


def test_reports_is_a_file(tmp_path: Path) -> None:
    """A file where the folder should be is wrong usage."""
    (tmp_path / "reports").touch()
    with pytest.raises(UsageError, match="--reports"):
        make(tmp_path / "reports")


def test_unfinished(tmp_path: Path) -> None:
    """Only an unfinished run that was asked the same is gone on with, the newest of them."""
    assert runs.unfinished(tmp_path, "key") is None
    old, new, other, done = make(tmp_path), make(tmp_path), make(tmp_path, "other"), make(tmp_path)
    done.mark(finished=True)
    assert runs.unfinished(tmp_path, "key") == new
    new.mark(finished=True)
    assert runs.unfinished(tmp_path, "key") == old and runs.unfinished(tmp_path, "other") == other


def test_key() -> None:
    """The key depends on what was asked, not on the order of names."""
    assert (
        runs.key({"a": 1, "b": [2]}) == runs.key({"b": [2], "a": 1}) != runs.key({"a": 1, "b": [3]})
    )


def test_drop_tensors(tmp_path: Path) -> None:
    """Tensors of jobs that nobody will look at go; manifests, logs and what is kept stay, tapes
    too while anything is kept."""
    for name in (
        "jobs/a/forward.npz",
        "jobs/a/manifest.json",
        "jobs/b/forward.npz",
        "tapes/tape.npz",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    assert runs.drop_tensors(tmp_path, frozenset({"b"})) == 5
    assert ["a/manifest.json", "b/forward.npz"] == sorted(
        str(path.relative_to(tmp_path / "jobs")) for path in tmp_path.glob("jobs/*/*")
    )
    assert runs.drop_tensors(tmp_path, frozenset()) == 10 and runs.size(tmp_path) == 5
    assert not (tmp_path / "tapes").exists() and runs.size(tmp_path / "tapes") == 0


def test_what_a_killed_writer_has_left_is_swept_by_the_next_owner(tmp_path):
    """In the run's folder, its tapes and its jobs; nobody else's file, and nothing elsewhere."""
    names = [".report.md.17.18.tmp", "tapes/.data.npz.1.2.tmp", "jobs/one/.manifest.json.3.4.tmp"]
    kept = [".mine.tmp", "jobs/one/worker.log"]
    for name in (*names, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with runs.held(tmp_path):
        assert [False] * 3 == [(tmp_path / name).exists() for name in names]
        assert all((tmp_path / name).exists() for name in kept)


def test_a_run_that_cannot_be_written_to_is_held_by_nobody():
    """It is another user's, or where nothing can be written; it is left as it is."""
    with users.unprivileged() as place:
        run = make(place)
        with (
            users.closed(run.folder, 0o555),
            pytest.raises(RecordError, match=r"nobody can work in this run .*Permission denied"),
            runs.held(run.folder),
        ):
            pass
        assert [runs.RUN_FILE] == [path.name for path in run.folder.iterdir()]
