"""What a command has left in its folder: finished jobs, files that a reader refuses, temporary
files."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import RecordError
from harness.models import training
from harness.records import runs, store

Jobs = dict[Path, str]


def finished(scratch: Path) -> Jobs:
    """Return the digest of the manifest of every job that has ended well, by its path."""
    jobs: Jobs = {}
    for path in sorted(scratch.rglob(f"jobs/*/{store.MANIFEST}")):
        try:
            record = store.read_manifest(path.parent)
        except (RecordError, FileNotFoundError):
            continue
        if record.ok:
            jobs[path.relative_to(scratch)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return jobs


def lost(scratch: Path, before: Jobs, takes_over: bool = True) -> list[str]:
    """Return which jobs that were finished are gone, or lie in a run that nobody took over, where
    the command should."""
    now = finished(scratch)
    named = [str(path) for path in before if path not in now]
    newest = {path.parts[-2]: path.parents[2] for path in sorted(now, key=_age(scratch))}
    for path in before:
        run = path.parents[2]
        # A run without its `run.json` had not begun; one that is finished is not gone on with.
        stopped = (scratch / run / runs.RUN_FILE).is_file() and not runs.is_finished(scratch / run)
        if takes_over and path in now and stopped and newest[path.parts[-2]] != run:
            named.append(f"{path}: not taken over")
    return named


def _age(scratch: Path) -> Callable[[Path], int]:
    return lambda path: (scratch / path).stat().st_mtime_ns


def repeated(scratch: Path, before: Jobs) -> list[str]:
    """Return which jobs that were finished have another manifest now."""
    now = finished(scratch)
    return [str(path) for path, digest in before.items() if now.get(path, digest) != digest]


def temporary(scratch: Path) -> list[str]:
    """Return the temporary files that lie around."""
    return sorted(str(path.relative_to(scratch)) for path in scratch.rglob("*.tmp"))


def damaged(scratch: Path) -> list[str]:
    """Return the files that a reader refuses, with its reason.

    The arrays of a job without a manifest, and of checkpoints, are read by nobody.
    """
    named = []
    for path in sorted(scratch.rglob("*")):
        read = READERS.get(path.suffix)
        if read is None or not path.is_file() or path.name.endswith(".tmp"):
            continue
        if path.suffix == ".npz" and _unread(path):
            continue
        try:
            read(path)
        except Exception as error:  # noqa: BLE001  (whatever a reader says)
            named.append(f"{path.relative_to(scratch)}: {type(error).__name__}: {error}"[:300])
    return named


def _unread(path: Path) -> bool:
    in_job = path.parent.parent.name == "jobs"
    return path.parent.name == training.CHECKPOINTS or (
        in_job and not (path.parent / store.MANIFEST).exists()
    )


def _read_json(path: Path) -> None:
    document = json.loads(path.read_bytes())
    if path.name == store.MANIFEST:
        store.read_manifest(path.parent)
    elif path.name == training.MODEL_FILE:
        training.checked(path.parent, resume=True)
    elif store.SEAL in document and document[store.SEAL] != store.seal(store.decode(document)):
        raise ValueError("its seal is broken")


def _read_arrays(path: Path) -> None:
    with np.load(path, allow_pickle=False) as archive:
        for name in archive.files:
            _ = archive[name]


def _read_csv(path: Path) -> None:
    content = path.read_text(encoding="utf-8")
    if content and not content.endswith("\n"):
        raise ValueError("its last line has no end")
    if len({len(row) for row in csv.reader(content.splitlines())}) > 1:
        raise ValueError("its rows are not of one length")


def _read_html(path: Path) -> None:
    if not path.read_text(encoding="utf-8").rstrip().endswith("</html>"):
        raise ValueError("it does not end as a page does")


def _read_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        (said,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    if said != "ok":
        raise ValueError(said)


#: By the end of a file's name.
READERS: dict[str, Callable[[Path], Any]] = {
    ".json": _read_json,
    ".npz": _read_arrays,
    ".csv": _read_csv,
    ".html": _read_html,
    ".xml": ET.parse,
    ".sqlite": _read_database,
}
