"""A comparison of a user without privileges and without a home, who shares a cache with others.

As root the user is changed, with the one privilege left that the interpreter's own folder may need:
to read what is root's. Nothing more can be written by that.
"""

from __future__ import annotations

import importlib.util
import marshal
import os
import struct
import tempfile
from pathlib import Path

import pytest

from tests.harness.users import NOBODY, OTHER

ROOT = os.geteuid() == 0
BEFORE = [
    *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
]


def give(path: Path, user: int, mode: int) -> None:
    """Let a path be a user's, as far as that can be done, and have these permissions."""
    if ROOT:
        os.chown(path, user, user)
    path.chmod(mode)


@pytest.fixture
def alone(harness):
    """Commands of that user, in a folder of their own."""
    temporary = harness.folder / "tmp"
    temporary.mkdir()
    if ROOT:
        for path in (harness.folder, temporary):
            give(path, NOBODY, 0o700)
    harness.environ.update(HOME="/nonexistent", TMPDIR=str(temporary))
    return harness


def compare(harness):
    """Run a comparison of two honest ports."""
    return harness.run(*harness.compare("", ""), before=BEFORE if ROOT else ())


def test_without_a_home_a_place_for_the_cache_is_asked_for(alone) -> None:
    """Before anything is made; named, it is used."""
    del alone.environ["XDG_CACHE_HOME"]
    done = compare(alone)
    assert 2 == done.code and "Traceback" not in done.err
    assert "/nonexistent/.cache" in done.err and "set XDG_CACHE_HOME to a folder" in done.err
    assert not (alone.folder / "reports").exists()
    alone.environ["XDG_CACHE_HOME"] = str(alone.folder / "cache")
    done = compare(alone)
    assert 0 == done.code, done.err
    assert list(alone.folder.glob("cache/parity-harness/worker/*/backends"))


def test_what_another_user_has_put_into_a_shared_cache_is_not_run(alone) -> None:
    """Its sources are the right ones; what lies compiled beside them is what Python would run."""
    mark = alone.folder / "planted"
    code = compile(f"open({str(mark)!r}, 'w')", "planted", "exec")
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        cache = Path(name)
        give(cache, NOBODY, 0o755)
        alone.environ["XDG_CACHE_HOME"] = str(cache)
        assert 0 == compare(alone).code
        (worker,) = cache.glob("parity-harness/worker/*/backends/worker.py")
        state = worker.stat()
        compiled = Path(importlib.util.cache_from_source(str(worker)))
        compiled.parent.mkdir(exist_ok=True)
        header = struct.pack("<III", 0, int(state.st_mtime), state.st_size)
        compiled.write_bytes(importlib.util.MAGIC_NUMBER + header + marshal.dumps(code))
        for path in (cache, *cache.rglob("*")):
            give(path, OTHER, 0o777)
        done = compare(alone)
        assert 0 == done.code, done.out + done.err
    assert not mark.exists()
    own = alone.folder / f"tmp/parity-harness-{NOBODY if ROOT else os.getuid()}"
    assert list(own.glob("worker/*/backends/worker.py"))
