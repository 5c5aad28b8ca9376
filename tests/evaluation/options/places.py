"""The folder in which a command is tried: files as the commands want them, and some as nobody
does."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from harness.history import open_history
from harness.report import renderers

DATA = Path(__file__).parents[2] / "data"
FORMATS = DATA / "formats/2026-11-29-11h"
#: A pair that comes as far as its first worker, which makes no port of objects.
PAIR = """\
from backends import pair

@pair.side("numpy")
@pair.side("numpy")
def original():
    return pair.torch(None)

@pair.data
def data():
    return pair.arrays(x=[[1.0], [2.0]], y=[1.0, 2.0], batch=1)
"""
NIGHT = """\
[night]
budget_s = 10
[[matrix]]
name = "one"
workloads = ["linear"]
builds = ["torch", "numpy"]
"""


def template(folder: Path) -> Path:
    """Make what every case gets a copy of: a run, a model, a history, a matrix."""
    (folder / "reports").mkdir(parents=True)
    (folder / "folder").mkdir()
    (folder / "file").write_text("text\n", encoding="utf-8")
    (folder / "broken.sqlite").write_bytes(b"SQLite format 3\0" + bytes(100))
    (folder / "night.toml").write_text(NIGHT, encoding="utf-8")
    (folder / "mine.py").write_text(PAIR, encoding="utf-8")
    shutil.copytree(FORMATS / "model", folder / "model")
    for run in (folder / "run", folder / "reports/2026-11-29_old"):
        shutil.copytree(FORMATS / "run", run)
        shutil.copy(DATA / "history/report.json", run)
    with open_history(folder / "history.sqlite") as history:
        history.add(renderers.load(folder / "run"), folder / "run")
    return folder


@contextlib.contextmanager
def made(copied: Path, scratch: Path) -> Iterator[Path]:
    """Be in a fresh copy, two folders below `scratch`, until the block is left."""
    here, before = scratch / "below/here", Path.cwd()
    shutil.copytree(copied, here)
    (here / "loop").symlink_to("loop")
    # by a link: what replaces a file without a look would otherwise replace the device
    (here / "full").symlink_to("/dev/full")
    os.mkfifo(here / "fifo")
    forbidden = here / "forbidden"
    forbidden.mkdir(mode=0)
    os.chdir(here)
    try:
        yield here
    finally:
        os.chdir(before)
        with contextlib.suppress(FileNotFoundError):
            forbidden.chmod(0o700)
        shutil.rmtree(scratch, ignore_errors=True)


def replaced(here: Path) -> list[str]:
    """Return what was no file and is no longer what it was."""
    kinds = {
        "fifo": stat.S_ISFIFO,
        "full": stat.S_ISLNK,
        "loop": stat.S_ISLNK,
        "folder": stat.S_ISDIR,
    }
    return [
        name
        for name, is_still in kinds.items()
        if not os.path.lexists(here / name) or not is_still((here / name).lstat().st_mode)
    ]
