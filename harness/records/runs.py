"""A run's folder: where it is made, what it was asked, whether it finished, and what may be deleted
from it.

`reports/<date>_<what>/` holds `run.json` (what was asked, under a key), `jobs/`, `tapes/`, and the
reports.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock

from harness.errors import Busy, RecordError, UsageError, remedy
from harness.records import files, store
from harness.records.decoder import decode

#: 1 (first), 2 (a seal).
SCHEMA, SEALED_SINCE = 2, 2
RUN_FILE = "run.json"
LOCK_FILE = ".lock"


@dataclasses.dataclass(frozen=True)
class Run:
    """One run's folder."""

    folder: Path
    key: str
    command: str
    created: str

    def mark(self, finished: bool) -> None:
        """Write `run.json`: at the start not finished, at the end finished."""
        store.write_sealed(
            self.folder / RUN_FILE,
            {
                "schema": SCHEMA,
                "key": self.key,
                "command": self.command,
                "created": self.created,
                "finished": finished,
            },
        )


def key(identity: Any) -> str:
    """Return the identity of what was asked: two runs with the same key do the same work."""
    content = json.dumps(identity, sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def create(reports: Path, what: str, identity: str, command: str, now: datetime.datetime) -> Run:
    """Make a new folder `reports/<date>_<what>`, or `..._2` and so on if it is taken.

    Args:
        reports: the folder of all runs; it is made too.
        what: the end of the folder's name, which is cut to 80 characters.
        identity: the key of what was asked (`key`). command: as the user typed it.
        now: when the run starts.

    Raises:
        UsageError: the folder cannot be made.
    """
    stem = f"{now:%Y-%m-%d}_{what}"[:80]
    for number in range(1, 10_000):
        folder = reports / (stem if number == 1 else f"{stem}_{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if reports.exists() and not reports.is_dir():
                raise UsageError(f"--reports {reports}: this is a file; give a folder.") from None
            if not _never_begun(folder):
                continue
        except OSError as error:
            raise UsageError(
                f"--reports {reports}: cannot make a folder there ({error.strerror})."
                f" {remedy(error)}."
            ) from error
        run = Run(folder, identity, command, now.isoformat(timespec="seconds"))
        run.mark(finished=False)
        return run
    raise UsageError(
        f"--reports {reports}: too many runs named {stem}; clean up with `harness clean`."
    )


def _never_begun(folder: Path) -> bool:
    """Whether a folder holds nothing but what a process was writing of its run's file when it was
    killed: no run, and nothing that anybody goes on with."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return 0 < sum(1 for _ in folder.iterdir()) == sum(1 for _ in files.left_of(folder / RUN_FILE))


def at(folder: Path, identity: str, command: str, now: datetime.datetime) -> Run:
    """Return the run in a folder of the caller's own: the same work that lies there, or a new run
    in place of whatever does.

    Args:
        folder: of the run; if it is of other work, all in it is deleted.
        identity: the key of what was asked (`key`).
        command, now: as typed, and when the run starts; the same work keeps those that it began
            with.

    Raises:
        Busy: another process works in it.
        RecordError: the folder, or something in it, is a symbolic link.
    """
    refuse_links(folder)
    with contextlib.suppress(RecordError, FileNotFoundError):
        noted = read(folder)
        if noted.key == identity:
            return Run(folder, identity, noted.command, noted.created)
    if folder.is_dir():
        with held(folder):
            shutil.rmtree(folder)
    folder.mkdir(parents=True)
    run = Run(folder, identity, command, now.isoformat(timespec="seconds"))
    run.mark(finished=False)
    return run


def is_finished(folder: Path) -> bool:
    """Whether a run came to its end, and all its jobs ended well."""
    with contextlib.suppress(RecordError, FileNotFoundError):
        return read(folder).finished
    return False


@dataclasses.dataclass(frozen=True)
class Noted:
    """What `run.json` holds."""

    key: str
    command: str
    created: str
    finished: bool


def read(folder: Path) -> Noted:
    """Return what a run's folder says of the run.

    Raises:
        FileNotFoundError: it is no run's folder.
        CorruptRecord, NewerSchema: its `run.json` cannot be used.
    """
    path = folder / RUN_FILE
    return decode(Noted, store.read_sealed(path, "run", SCHEMA, SEALED_SINCE), str(path))


def all_runs(reports: Path) -> Iterator[tuple[Path, Noted]]:
    """Yield the folders of all runs, newest first, with their `run.json`; a link to a folder is
    another's run."""
    runs_here = [
        (path.lstat().st_mtime, path.parent.name, path)
        for path in reports.glob(f"*/{RUN_FILE}")
        if not path.parent.is_symlink()
    ]
    for _, _, path in sorted(runs_here, reverse=True):
        with contextlib.suppress(RecordError, FileNotFoundError):
            yield path.parent, read(path.parent)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a run's folder while working in it; the system releases it if we die.

    Raises:
        Busy: another process works in it.
        RecordError: it cannot be written to, or something in it is a symbolic link, through which
            it would be written or deleted; nothing has been touched.
    """
    refuse_links(folder)
    lock = filelock.FileLock(folder / LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise Busy(
            f"{folder}: another harness is working in this run; wait for it to end"
        ) from None
    except OSError as error:  # another user's run, or a file system that takes no writes
        raise RecordError(
            f"{folder}: nobody can work in this run ({lock.lock_file}: {error.strerror})."
            f" {remedy(error)}."
        ) from error
    try:
        for part in (folder, folder / "tapes", *(folder / "jobs").glob("*")):
            files.sweep(part)
        yield
    finally:
        lock.release()


def refuse_links(folder: Path) -> None:
    """Check that a run's folder and what a run writes into are no symbolic links.

    Raises:
        RecordError: one is.
    """
    files.refuse_links([folder])
    for part in (folder, folder / "jobs", folder / "tapes"):
        if part.is_dir():
            files.refuse_links(sorted(part.iterdir()))


def is_held(folder: Path) -> bool:
    """Whether another process works in a run's folder.

    Raises:
        RecordError: it cannot be written to, or something in it is a symbolic link.
    """
    try:
        with held(folder):
            return False
    except Busy:
        return True


def unfinished(reports: Path, identity: str) -> Run | None:
    """Return the newest unfinished run of the same key that nobody is working in, or None.

    Args:
        reports: the folder of all runs. identity: the key of what was asked (`key`).
    """
    for folder, noted in all_runs(reports):
        if noted.key == identity and not noted.finished and not is_held(folder):
            return Run(folder, identity, noted.command, noted.created)
    return None


def age(noted: Noted, now: datetime.datetime) -> datetime.timedelta:
    """Return how long ago a run began; no time at all where its `created` is no time, or lies
    ahead: the clock was wrong then, or is now.

    Args:
        noted: of the run. now: with its offset from UTC.
    """
    try:
        created = datetime.datetime.fromisoformat(noted.created)
        passed = now - (created if created.tzinfo else created.replace(tzinfo=now.tzinfo))
        return max(passed, datetime.timedelta(0))
    except (ValueError, OverflowError):
        return datetime.timedelta(0)


def drop_tensors(folder: Path, keep: frozenset[str]) -> int:
    """Delete the arrays of all jobs but those named, and the tapes if none is kept; return the
    bytes freed.

    Args:
        folder: the run's. keep: names of jobs.
    """
    freed = 0
    for path in (folder / "jobs").glob("*/*.npz"):
        if path.parent.name not in keep:
            freed += path.stat().st_size
            path.unlink()
    if not keep:
        freed += size(folder / "tapes")
        shutil.rmtree(folder / "tapes", ignore_errors=True)
    return freed


def size(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return (
        sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
        if folder.is_dir()
        else 0
    )
