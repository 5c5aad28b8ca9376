"""A user without privileges, for tests of what a system refuses: no permission stops root.

Where the tests do not run as root, they are that user already, and `closed` does what belonging to
another one does.
"""

from __future__ import annotations

import builtins
import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

#: Without an account and without files on most systems.
NOBODY, OTHER = 65534, 65533


@contextlib.contextmanager
def unprivileged() -> Iterator[Path]:
    """Be a user without privileges, in a folder of that user's own that anybody may look at."""
    before = os.geteuid()
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        place = Path(name)
        place.chmod(0o755)
        if before == 0:
            os.chown(place, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            with mock.patch.object(builtins, "__import__", _importing(builtins.__import__)):
                yield place
        finally:
            os.seteuid(before)


def _importing(load: Callable[..., Any]) -> Callable[..., Any]:
    """Return what imports as whoever started the tests: where their modules lie, that user need not
    be let in."""

    def wrapped(*words: Any, **named: Any) -> Any:
        with privileged():
            return load(*words, **named)

    return wrapped


@contextlib.contextmanager
def privileged() -> Iterator[None]:
    """Be again who started the tests, for a while."""
    before = os.geteuid()
    os.seteuid(os.getuid())
    try:
        yield
    finally:
        os.seteuid(before)


@contextlib.contextmanager
def closed(path: Path, mode: int) -> Iterator[None]:
    """Let a path have these permissions meanwhile."""
    before = path.stat().st_mode
    with privileged():
        path.chmod(mode)
    try:
        yield
    finally:
        with privileged():
            path.chmod(before)


def given_away(path: Path) -> int:
    """Let a path be another user's, if that can be done; return the number of the one for whom it
    now is another's: of the present user, or where only root could have done it, of another."""
    with privileged():
        if os.geteuid() == 0:
            os.chown(path, OTHER, OTHER)
            return NOBODY
    return os.geteuid() + 1
