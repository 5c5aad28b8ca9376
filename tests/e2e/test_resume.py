"""A comparison that is broken off leaves no process, nothing corrupt, and goes on where it
stopped."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import filelock
import pytest

from harness.records import store

#: A worker that holds the interpreter lock in native code cannot hear its pipe close.
FAULTS = ("", "", "", "stuck")
ORPHANS_S = 10.0


def wait_until_stuck(harness):
    """Start a comparison and return it when three jobs are done and the last is stuck in its
    step."""
    harness.gate.touch()
    running = harness.start(*harness.compare(*FAULTS))
    running.says("[3/4]")
    log = "reports/*/jobs/hostile-numpy-stuck-*/worker.log"
    harness.wait_until(
        lambda: any("stuck" in path.read_text() for path in harness.folder.glob(log)),
        "the last worker's step",
    )
    assert len(harness.processes()) >= 2
    return running


def manifests(harness) -> dict[str, int]:
    """Return when each manifest was written, by job; nanoseconds."""
    return {
        path.parent.name: path.stat().st_mtime_ns
        for path in harness.folder.glob("reports/*/jobs/hostile-*/manifest.json")
    }


def resume(harness):
    """Open the gate and run the same comparison again with --resume."""
    harness.gate.unlink()
    return harness.run(*harness.compare(*FAULTS, options=("--no-speed", "--resume")))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt(harness, number: signal.Signals) -> None:
    """Ctrl-C and a request to terminate end the workers, say how to go on, and exit with 130."""
    running = wait_until_stuck(harness)
    running.kill(number)
    done = running.done(ORPHANS_S)
    assert done.code == 130
    assert "--resume" in done.err and "Traceback" not in done.err
    assert harness.processes() == []
    statuses = [
        store.read_record(path.parent).status
        for path in sorted(harness.folder.glob("reports/*/jobs/hostile-*/manifest.json"))
    ]
    assert ["interrupted", "ok", "ok", "ok"] == sorted(statuses)


def test_kill_and_resume(harness) -> None:
    """After kill -9 of the harness even a worker in an endless step is gone; --resume runs what
    is not finished and intact, only that."""
    running = wait_until_stuck(harness)
    running.kill(signal.SIGKILL)
    running.done(ORPHANS_S)
    harness.wait_until(lambda: not harness.processes(), "end of all workers", ORPHANS_S)
    before = manifests(harness)
    assert len(before) == 3
    (altered,) = harness.folder.glob("reports/*/jobs/hostile-numpy-3-*/forward.npz")
    content = bytearray(altered.read_bytes())
    content[len(content) // 2] ^= 1
    altered.write_bytes(bytes(content))
    done = resume(harness)
    assert done.code == 0, done.err
    assert "going on with" in done.err and "[3/4]" not in done.err
    assert "hostile numpy#3 fp64: ok" in done.err and "hostile numpy@stuck fp64: ok" in done.err
    after = manifests(harness)
    intact = {name: written for name, written in before.items() if "numpy-3" not in name}
    assert (
        len(after) == 4
        and len(intact) == 2
        and intact.items() <= after.items()
        and not before.items() <= after.items()
    )
    assert {"PASS"} == {row["verdict"] for row in harness.report()["stages"]}
    (run,) = harness.folder.glob("reports/*")
    assert json.loads((run / "run.json").read_text())["finished"] and list(run.rglob("*.tmp")) == []


def test_timed_runs_wait(harness, cache: Path) -> None:
    """A timed run says that another one holds the machine, waits for it, and starts when it has
    ended; Ctrl-C ends it in a round."""
    options = ("--no-fidelity", "--budget", "0", "--threads", "1")
    first = harness.start(*harness.compare("", "", options=options))
    first.says("round 1")
    with pytest.raises(filelock.Timeout):
        filelock.FileLock(cache / "parity-harness/timed.lock").acquire(timeout=0)
    second = harness.start(*harness.compare("", "", options=(*options, "--seed", "1")))
    second.says("waiting for it to end")
    assert "round" not in second.err.read_text()
    first.kill(signal.SIGINT)
    assert first.done(ORPHANS_S).code == 130
    second.says("round 1")
    second.kill(signal.SIGINT)
    assert second.done(ORPHANS_S).code == 130
    assert harness.processes() == []
