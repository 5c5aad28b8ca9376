"""One timed run at a time on a machine: a lock that all who share a cache, and so the machine, wait
for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from harness.errors import RecordError, remedy


@contextlib.contextmanager
def held(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the machine's lock for timed runs; if another run holds it, say so once and wait.

    Args:
        path: the lock's file; its folder is made if there is none.
        waiting: called once if another run holds it.

    Raises:
        RecordError: it cannot be held at all, e.g. where it is another user's.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # for whoever shares the cache, and so the machine
        lock = filelock.FileLock(path, mode=0o666)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            waiting()
            lock.acquire()
    except OSError as error:
        raise RecordError(
            f"{path}, by which timed runs wait for each other, cannot be held ({error.strerror})."
            f" {remedy(error)}, or set XDG_CACHE_HOME to a folder that can be written."
        ) from error
    try:
        yield
    finally:
        lock.release()
