"""Commands on what belongs to another user, or lies where nothing can be written."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness import cli
from harness.errors import RecordError
from harness.execution import machine_lock
from tests.harness import users

RUN = Path(__file__).parents[2] / "data/history"


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An unprivileged user's folder, with a run in it."""
    with users.unprivileged() as folder:
        with users.privileged():
            shutil.copytree(RUN, folder / "run")
            (folder / "run").chmod(0o755)
        yield folder


@pytest.fixture
def ended(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Return what runs a command and gives its exit code and all that it has printed."""

    def run(*words: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as caught:
            cli.main([str(word) for word in words])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        assert isinstance(caught.value.code, int)
        return caught.value.code, captured.out + " ".join(captured.err.split())

    return run


def test_a_report_that_may_not_be_read_is_not_said_to_be_damaged(place: Path, ended) -> None:
    """Nobody is told to delete it or to run again."""
    for words in (
        ("report", place / "run"),
        ("history", "add", place / "run", "--history", place / "h.sqlite"),
        ("diff", place / "run", place / "run"),
    ):
        with users.closed(place / "run/report.json", 0):
            code, said = ended(*words)
        assert 4 == code and "Give yourself the right to it" in said
        assert "elete" not in said and "run again" not in said


def test_a_report_is_not_written_where_nobody_may(place: Path, ended) -> None:
    """With what to do."""
    with users.closed(place, 0o555):
        code, said = ended(
            "report", place / "run", "--format", "json", "--out", place / "report.json"
        )
    assert 2 == code and "Permission denied). Give yourself the right to it" in said


def test_a_history_is_read_where_nobody_may_write(place: Path, ended) -> None:
    """Its log is made beside it, where nothing can be made: it is read without one, and nothing is
    left. Added is nothing."""
    where = ("--history", place / "history.sqlite")
    assert 0 == ended("history", "add", place / "run", *where)[0]
    before = sorted(place.iterdir())
    with users.closed(place / "history.sqlite", 0o444), users.closed(place, 0o555):
        code, said = ended("history", *where)
        assert 0 == code and "1 of 1 runs" in said
        assert before == sorted(place.iterdir())
        code, said = ended("history", "add", place / "run", *where)
        assert 4 == code and "Permission denied" in said and "room" not in said
        assert "Give yourself the right to it, or name another place, and try again" in said


def test_a_lock_of_timed_runs_that_cannot_be_held_is_named(place: Path) -> None:
    """With what to do; whoever shares the cache can hold it otherwise."""
    lock = place / "cache/timed.lock"
    with machine_lock.held(lock, pytest.fail):
        assert 0o666 == lock.stat().st_mode & 0o777
    with (
        users.closed(lock, 0o444),
        pytest.raises(RecordError, match=r"timed\.lock, by which .* set XDG_CACHE_HOME"),
        machine_lock.held(lock, pytest.fail),
    ):
        pass
