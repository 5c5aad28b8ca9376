"""Who else could change what is run from a place; and code in such a place is not run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.environments import installation, ownership, staging
from harness.errors import BuildError
from tests.harness import users


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder of an unprivileged user's, below no folder that is closed to others."""
    with users.unprivileged() as folder:
        yield folder


@pytest.fixture
def package(place: Path) -> Path:
    """What is copied for workers."""
    (place / "package").mkdir()
    (place / "package/core.py").write_text("honest = True")
    return place / "package"


def test_what_is_ones_own_is_in_no_danger(place: Path) -> None:
    """Nor is what is not there yet, nor what lies in a sticky folder, as the system's is."""
    (place / "a/b").mkdir(parents=True)
    assert "" == ownership.stranger(place / "a/b") == ownership.stranger(place / "c/d")
    with users.closed(place / "a", 0o1777):
        assert "" == ownership.stranger(place / "a/b")


@pytest.mark.parametrize(("mode", "who"), [(0o777, "everybody"), (0o775, "a group")])
def test_a_folder_that_is_open_to_others_is_named(
    place: Path, mode: int, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it stands on the way, but below one that is closed to them; a group of one's own
    name and without members is nobody."""
    monkeypatch.setattr(ownership, "_private", lambda group, user: False)
    (place / "a/b/c").mkdir(parents=True)
    with users.closed(place / "a/b", mode):
        assert f"{place / 'a/b'} can be written to by {who}" == ownership.stranger(place / "a/b/c")
        with users.closed(place / "a", 0o700):
            assert "" == ownership.stranger(place / "a/b/c")
        monkeypatch.setattr(ownership, "_private", lambda group, user: True)
        assert (mode == 0o775) == (ownership.stranger(place / "a/b/c") == "")


def test_a_folder_of_another_user_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its owner, and also where a link leads there."""
    (place / "a/b").mkdir(parents=True)
    (place / "link").symlink_to("a")
    user = users.given_away(place / "a")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    for path in (place / "a/b", place / "link/b"):
        assert "belongs to another user" in ownership.stranger(path)


def test_a_shared_cache_is_not_used(
    place: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its copy has the right content, and what was compiled of it has not: a folder of one's own
    takes its place, which nobody else may enter."""
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    cache = place / "cache"
    cache.mkdir()
    environ = {"XDG_CACHE_HOME": str(cache)}
    copied = staging.prepare(environ, package)
    assert copied.is_relative_to(cache) and staging.prepare(environ, package) == copied
    with users.closed(cache, 0o777):
        own = staging.prepare(environ, package)
    assert own.parent.parent == place / f"parity-harness-{os.getuid()}"
    assert 0o700 == own.parent.parent.stat().st_mode & 0o777
    assert "honest = True" == (own / "backends/core.py").read_text()


def test_compiled_code_that_others_could_write_is_not_run(
    place: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python runs it unseen, and no checksum is over it."""
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    environ = {"XDG_CACHE_HOME": str(place / "cache")}
    copied = staging.prepare(environ, package)
    (copied / "backends/__pycache__").mkdir()
    compiled = copied / "backends/__pycache__/core.pyc"
    compiled.write_bytes(b"planted")
    assert copied == staging.prepare(environ, package)
    with users.closed(compiled, 0o666):
        assert not staging.prepare(environ, package).is_relative_to(place / "cache")


def test_where_nothing_is_ones_own_it_is_said(
    place: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody was faster with the name in the folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    squatted = place / f"parity-harness-{os.getuid()}"
    squatted.mkdir()
    with users.closed(squatted, 0o777), pytest.raises(BuildError) as caught:
        staging.prepare({}, package)
    said = str(caught.value)
    assert f"{squatted} can be written to by everybody. Set XDG_CACHE_HOME to a folder" in said
    assert [] == list(squatted.iterdir())


def test_without_a_folder_for_temporary_files_no_worker_starts(
    place: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said before anything runs, with all that was tried."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(place / "nowhere")])
    with pytest.raises(BuildError, match=r"nowhere.*set TMPDIR to a folder that can be written"):
        staging.prepare({"XDG_CACHE_HOME": str(place)}, package)


def test_an_environment_in_a_shared_cache_is_not_run(place: Path) -> None:
    """In a checkout, who owns it could change the harness itself."""
    folder = place / "tox"
    (folder / "torch-cpu/bin").mkdir(parents=True)
    (folder / "torch-cpu/bin/python").touch()
    where = installation.Places(place, place / "tox.ini", place, folder)
    python = installation.python(where, "torch-cpu")
    assert python == folder / "torch-cpu/bin/python"
    with users.closed(folder, 0o777):
        with pytest.raises(BuildError, match=r"everybody. Set XDG_CACHE_HOME .* with --python"):
            installation.python(where, "torch-cpu")
        (place / "pyproject.toml").touch()
        assert python == installation.python(where, "torch-cpu")
    with users.closed(folder, 0):
        assert installation.python(where, "torch-cpu") is None


def test_a_checkout_that_cannot_be_written_is_answered_with_what_helps(place: Path) -> None:
    """Another cache folder would not: a checkout has its environments in itself."""
    where = installation.Places(place, place / "tox.ini", place, place / ".tox")
    with users.closed(place, 0o555):
        for known, other in ((False, "set XDG_CACHE_HOME"), (True, "with --python")):
            if known:
                with users.privileged(), users.closed(place, 0o755):
                    (place / "pyproject.toml").touch()
            with (
                pytest.raises(BuildError, match=f"Permission denied.*the right to it.*{other}"),
                installation.lock(where, "torch-cpu", print),
            ):
                pass
