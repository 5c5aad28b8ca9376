"""A night as a user runs it: killed, interrupted, and gone on with."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from harness.nightly import night
from harness.records import store

HOSTILE = Path(__file__).parent / "hostile"
ORPHANS_S = 10.0
#: A night has a cell behind it when it comes to the second.
SLOW_S = 100.0


@pytest.fixture
def matrix(harness) -> None:
    """Write three cells; a port of the second is stuck in a step as long as the gate is there."""
    text = f'[night]\nbudget_s = 500\nports = ["{HOSTILE}"]\n'
    text += 'pass_env = ["HOSTILE_GATE", "PARITY_TEST_MARK"]\n'
    for name, fault in (("first", ""), ("second", "stuck"), ("third", "")):
        second = f"numpy@{HOSTILE / fault}" if fault else "numpy"
        text += (
            f'[[matrix]]\nname = "{name}"\nworkloads = ["hostile"]\nbuilds = ["numpy",'
            f' "{second}"]\n'
        )
        text += 'precisions = ["fp64"]\nthreads = 2\njudge = ["fidelity"]\n'
    (harness.folder / "nightly.toml").write_text(text)


def wait_until_stuck(harness):
    """Start a night and return it when the first cell is finished and a worker of the second is
    stuck in its step."""
    harness.gate.touch()
    running = harness.start("nightly", "--date", "2026-11-21")
    running.says("second-hostile", SLOW_S)
    log = "reports/nightly/*/cells/second-hostile/jobs/hostile-numpy-stuck-*/worker.log"
    harness.wait_until(
        lambda: any("stuck" in path.read_text() for path in harness.folder.glob(log)),
        "the stuck worker's step",
        SLOW_S,
    )
    harness.wait_until(
        lambda: [path for path in written(harness) if "second" in path],
        "the honest job of the second cell",
        SLOW_S,
    )
    return running


def written(harness) -> dict[str, int]:
    """Return when each manifest was written, by its path; nanoseconds."""
    folder = harness.folder / "reports/nightly/2026-11-21"
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in folder.glob("cells/*/jobs/hostile-*/manifest.json")
    }


def state(harness) -> dict[str, str]:
    """Return the cells' statuses as they are on disk."""
    return {
        row.cell.name: row.status
        for row in night.read(harness.folder / "reports/nightly/2026-11-21").rows
    }


@pytest.mark.usefixtures("matrix")
def test_kill_and_go_on(harness) -> None:
    """After kill -9 in the midst of a cell no worker is left; the same command runs what is not
    finished, job by job, and only that."""
    running = wait_until_stuck(harness)
    running.kill(signal.SIGKILL)
    running.done(ORPHANS_S)
    harness.wait_until(lambda: not harness.processes(), "end of all workers", ORPHANS_S)
    assert {
        "first-hostile": "ok",
        "second-hostile": "running",
        "third-hostile": "waiting",
    } == state(harness)
    before = written(harness)
    assert 3 == len(before)  # both jobs of the first cell, and the honest one of the second
    harness.gate.unlink()
    done = harness.run("nightly", "--date", "2026-11-21")
    assert done.code == 0, done.err
    assert {"first-hostile": "ok", "second-hostile": "ok", "third-hostile": "ok"} == state(harness)
    after = written(harness)
    assert before.items() < after.items() and 6 == len(after)
    assert "1 of 3 cells are finished" in done.err and "first-hostile" not in done.err
    assert "PASS: Same function in 3 of 3 cells." in done.out
    folder = harness.folder / "reports/nightly/2026-11-21"
    assert [] == list(folder.rglob("*.tmp")) and (folder / "summary.md").is_file()
    assert "\x1b" not in done.err


@pytest.mark.usefixtures("matrix")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt(harness, number: signal.Signals) -> None:
    """Ctrl-C, or a request to terminate: 130, no worker left, what is finished kept, and the way
    on is said."""
    running = wait_until_stuck(harness)
    running.kill(number)
    done = running.done(ORPHANS_S)
    assert (
        done.code == 130
        and "The same command goes on with it" in done.err
        and "Traceback" not in done.err
    )
    assert [] == harness.processes()
    assert {
        "first-hostile": "ok",
        "second-hostile": "interrupted",
        "third-hostile": "waiting",
    } == state(harness)
    document = store.read_json(
        harness.folder / "reports/nightly/2026-11-21/night.json", "night", night.SCHEMA
    )
    assert 130 == document["exit_code"] and not document["finished"]


def test_wrong_usage(harness) -> None:
    """A matrix that is not there, a key that does not exist, a date that is none: 2, one
    sentence, nothing made."""
    for words, said in (
        (("nightly", "--config", "nowhere.toml"), "no such file"),
        (("nightly", "--date", "yesterday"), "YYYY-MM-DD"),
        (("nightly", "--only", "functoin-cnn"), "Did you mean 'function-cnn'?"),
    ):
        done = harness.run(*words)
        assert (
            done.code == 2 and said in " ".join(done.err.split()) and "Traceback" not in done.err
        ), done.err
    assert not (harness.folder / "reports").exists()


def test_preview(harness) -> None:
    """--dry-run of the shipped matrix: every cell with its time, the sum beside the budget, and
    nothing made."""
    done = harness.run("nightly", "--dry-run")
    assert done.code == 0, done.err
    for name in ("function-linear", "function-cnn", "speed-linear", "speed-cnn", "gan-ehr_mgan"):
        assert name in done.out
    assert "of 14 min" in done.out and not (harness.folder / "reports").exists()
