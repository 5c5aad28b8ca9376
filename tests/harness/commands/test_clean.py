"""What `harness clean` lists and deletes: whose runs, how old by which clock, and what it
cannot."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest

from harness import cli
from harness.commands import clean
from harness.context import Context
from harness.records import runs
from tests.harness import users

NOW = datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.timezone.utc)
HOUR, YEAR = datetime.timedelta(hours=1), datetime.timedelta(days=365)


def made(reports: Path, ago: datetime.timedelta) -> str:
    """Make a run as it is made so long ago, by the clock of then; return its folder's name."""
    return runs.create(reports, "a-b", "key", "harness compare", NOW - ago).folder.name


def listed(reports: Path, days: int, said: list[str]) -> set[str]:
    """Return the names of the runs that are shown, as of NOW."""
    around = Context({"XDG_CACHE_HOME": str(reports)}, NOW, "harness clean", said.append)
    items = clean.survey(reports, days, around)
    return {item.path.name for item in items if item.kind == "run"}


@pytest.mark.parametrize("touched", [0.0, 4e9])
def test_a_run_of_a_clock_that_was_ahead_is_listed(tmp_path: Path, touched: float):
    """An hour ahead, or a year: it is no age at all, and not less than none. The times of files say
    nothing of it."""
    old, hour, year = made(tmp_path, YEAR), made(tmp_path, -HOUR), made(tmp_path, -YEAR)
    for path in tmp_path.glob(f"*/{runs.RUN_FILE}"):
        os.utime(path, (touched, touched))
    assert {old, hour, year} == listed(tmp_path, 0, [])
    assert {old} == listed(tmp_path, 1, [])


def test_a_run_that_nobody_may_write_to_is_left_and_the_others_are_listed(tmp_path: Path):
    """It is another user's, or on a file system that takes no writes."""
    with users.unprivileged() as place:
        mine, other = made(place, HOUR), made(place, YEAR)
        said: list[str] = []
        with users.closed(place / other, 0o555):
            assert {mine} == listed(place, 0, said)
        (line,) = said
        assert line.startswith("left as it is: ") and f"{place / other}" in line
        assert "Permission denied). Give yourself the right to it" in line


def test_a_run_that_cannot_be_deleted_keeps_none_of_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """It is named, and the command ends with 4."""
    with users.unprivileged() as place:
        names = [made(place, HOUR), made(place, YEAR), made(place, 2 * YEAR)]
        (place / names[1] / "jobs").mkdir()
        (place / names[1] / "jobs/log").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
        with users.closed(place / names[1] / "jobs", 0o555), pytest.raises(SystemExit) as ended:
            cli.main(["clean", "--reports", str(place), "--runs"])
        assert 4 == ended.value.code
        assert [names[1]] == [path.name for path in place.iterdir()]
        assert "not all of it can be deleted" in capsys.readouterr().err
