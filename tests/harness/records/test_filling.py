"""A folder is put in its place whole, or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.records import files


def test_a_whole_folder_takes_its_place(tmp_path: Path) -> None:
    """Of nothing, or of an empty folder, also by way of a link; folders above it are made."""
    empty, link = tmp_path / "empty", tmp_path / "link"
    empty.mkdir()
    (tmp_path / "far").mkdir()
    link.symlink_to(tmp_path / "far")
    for place in (tmp_path / "new/deep", empty, link):
        with files.filling(place) as folder:
            (folder / "a").write_text("whole")
            assert not (place / "a").exists()
        assert ["a"] == [path.name for path in place.iterdir()]
    assert link.is_symlink()
    assert {"new", "empty", "far", "link"} == {path.name for path in tmp_path.iterdir()}


def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Neither at the place nor beside it."""

    def fill() -> None:
        with files.filling(tmp_path / "model") as folder:
            (folder / "half").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill()
    assert [] == list(tmp_path.iterdir())


def test_what_has_come_meanwhile_is_kept(tmp_path: Path) -> None:
    """It is not replaced."""
    place = tmp_path / "model"

    def fill() -> None:
        with files.filling(place):
            place.mkdir()
            (place / "another's").touch()

    with pytest.raises(OSError, match="model"):
        fill()
    assert [place] == list(tmp_path.iterdir()) and (place / "another's").exists()


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    """Of this place alone, and not while its process runs."""
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom harness.records import files\n"
        "with files.filling(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'half').touch()\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    for name in ("model", "other"):
        done = subprocess.run([sys.executable, "-c", program, str(tmp_path / name)], check=False)
        assert -9 == done.returncode
    alive = tmp_path / f".model.{os.getpid()}.1.tmp"
    forged = tmp_path / f".model.{'9' * 30}.1.tmp"
    alive.mkdir()
    forged.mkdir()
    assert 4 == len(list(tmp_path.iterdir()))
    with files.filling(tmp_path / "model"):
        pass
    names = {path.name for path in tmp_path.iterdir()}
    assert {alive.name, "model"} == {name for name in names if not name.startswith(".other.")}
    assert 3 == len(names)


def test_what_a_killed_process_left_of_a_file_is_swept(tmp_path: Path) -> None:
    """By who writes that file next; of another file, and what a living process writes, stays. A
    number that another process has got since is no writer's."""
    killed = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom harness.records import files\n"
        "with files.replacing(Path(sys.argv[1])) as half:\n"
        "    half.write_text('half')\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    for name in ("a.json", "b.json"):
        subprocess.run([sys.executable, "-c", killed, str(tmp_path / name)], check=False)
    alive, reused = tmp_path / f".a.json.{os.getpid()}.7.tmp", tmp_path / ".a.json.1.7.tmp"
    for path in (alive, reused):
        path.write_text("half")
    os.utime(reused, (1, 1))  # written before the process of this number began
    assert 4 == len(list(tmp_path.glob(".*.tmp")))
    files.write_text(tmp_path / "a.json", "{}")
    left = sorted(path.name for path in tmp_path.glob(".*.tmp"))
    assert [alive.name] == [name for name in left if name.startswith(".a")]
    assert 1 == sum(name.startswith(".b") for name in left)
