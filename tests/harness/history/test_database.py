"""Opening a history, and what is said where it cannot be used."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from harness.errors import Busy, CorruptRecord, HarnessError, RecordError, UsageError
from harness.history import History, database, open_history
from tests.harness import users


def test_a_history_is_made_where_there_is_none(path: Path):
    """With its folder; reading alone makes nothing."""
    with pytest.raises(UsageError, match="there is no history"):
        open_history(path, create=False)
    assert not path.parent.exists()
    with open_history(path) as history:
        assert {0} == set(history.count().values())


def test_a_folder_is_no_history(tmp_path: Path):
    """The message names a file to give."""
    with pytest.raises(UsageError, match="this is a folder"):
        open_history(tmp_path)


@pytest.mark.parametrize("name", ["", ".", "/", "..", "./"])
def test_a_path_without_a_name_is_a_folder(name: str):
    """`--history=` with nothing behind it is where one stands."""
    with pytest.raises(UsageError, match="this is a folder"):
        open_history(Path(name))


def test_the_log_is_written_ahead(path: Path, history: History):
    """Readers do not wait for a writer, nor it for them: a reader that has begun sees its own
    state to the end."""
    connection = sqlite3.connect(path)
    assert "wal" == connection.execute("PRAGMA journal_mode").fetchone()[0]
    connection.close()


@pytest.mark.parametrize(
    "content",
    [b"not a database at all\n" * 99, b"SQLite format 3\0" + b"\xff" * 4080],
    ids=["text", "header"],
)
def test_a_file_that_is_no_database(path: Path, content: bytes):
    """It is named, with what to do, and stays as it is."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(CorruptRecord, match=r"damaged, or no history .* harness history add"):
        open_history(path)
    assert content == path.read_bytes()


def test_a_truncated_history(path: Path, sample):
    """Half of the pages are gone."""
    with open_history(path) as history:
        history.add(sample.report())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CorruptRecord, match="damaged"), open_history(path) as history:
        history.add(sample.report(1))


def test_damage_in_the_middle_is_found(path: Path, sample):
    """The check of the whole file sees pages that were overwritten."""
    with open_history(path) as history:
        for number in range(5):
            history.add(sample.report(number))
        assert [] == history.faults()
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = b"\xa5" * 8192
    path.write_bytes(content)
    try:
        with open_history(path) as history:
            found = history.faults()
    except CorruptRecord as error:
        found = [str(error)]
    assert found


def test_a_lock_that_is_held_too_long(path: Path, sample, history: History):
    """Who cannot get the lock says so and has changed nothing; afterwards the run can be added."""
    with open_history(path, busy_s=0.05) as hurried:
        with history._database.writing(), pytest.raises(Busy, match="locked"):
            hurried.add(sample.report())
        assert 0 == hurried.count()["runs"]
        assert hurried.add(sample.report()).new


def test_a_block_that_fails_changes_nothing(
    history: History, sample, monkeypatch: pytest.MonkeyPatch
):
    """A run is added whole or not at all: it breaks off after all its rows but the last ones
    have been written."""
    with monkeypatch.context() as patch:
        patch.setattr("harness.history.insertion._insert_builds", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            history.add(sample.report())
    assert {0} == set(history.count().values())


def test_a_place_that_cannot_be_written(tmp_path: Path):
    """A file stands where a folder has to be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="cannot be"):
        open_history(tmp_path / "file" / "history.sqlite")


def test_every_error_is_ours():
    """`cli` turns them into exits: 4 for a file that cannot be used."""
    assert {4} == {kind.exit_code for kind in (Busy, CorruptRecord, RecordError, HarnessError)}


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("database or disk is full", "Make room there, and try again"),
        ("unable to open database file", "Give yourself the right to it"),
        ("attempt to write a readonly database", "Give yourself the right to it"),
    ],
)
def test_what_the_system_refuses_is_answered_with_what_helps(text: str, remedy: str):
    """SQLite does not say why it cannot write; the system does. Nothing is left beside the file."""
    with users.unprivileged() as place:
        path = place / "history.sqlite"
        path.touch()
        with (
            users.closed(path, 0o444),
            users.closed(place, 0o555),
            pytest.raises(RecordError, match=remedy) as caught,
            database.translated(path),
        ):
            raise sqlite3.OperationalError(text)
        assert text in str(caught.value) and [path] == list(place.iterdir())


def test_what_nobody_can_tell_is_only_said(tmp_path: Path):
    """The system refuses nothing by now."""
    said = "the history cannot be used .disk I/O error.. Mend this, and try again"
    with pytest.raises(RecordError, match=said), database.translated(tmp_path / "history.sqlite"):
        raise sqlite3.OperationalError("disk I/O error")
