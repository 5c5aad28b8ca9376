"""Peaks that are over before anybody looks, in real workers: the kernel's marks hold them, and a
sample would not."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import plan
from harness.commands import options, resolution
from harness.environments import staging
from harness.execution import memory, runner
from harness.execution.processes import Limits, WorkerProcess, ending
from harness.execution.worker_environment import clean_environment
from harness.workloads import registry

HOSTILE = Path(__file__).parents[2] / "e2e/hostile"
MIB = 1 << 20


@contextlib.contextmanager
def prepared(folder: Path, fault: str) -> Iterator[tuple[WorkerProcess, dict[str, str]]]:
    """Open a port of `hostile` in a worker; yield it with the arguments of `load`."""
    environ = clean_environment(
        {
            **os.environ,
            "XDG_CACHE_HOME": str(folder / "cache"),
            "HOSTILE_TOLD": str(folder / "told"),
        },
        ["HOSTILE_TOLD"],
    )
    python = {"numpy": Path(sys.executable)}
    run_context = runner.RunContext(
        folder / "run",
        staging.prepare(environ),
        python,
        environ,
        registry.known((HOSTILE,)),
        Limits(request_s=20.0),
    )
    side = f"numpy@{HOSTILE / fault}" if fault else "numpy"
    chosen = options.Options(
        backends=(side, side),
        workloads=("hostile",),
        precision=("fp64",),
        preset="tiny",
        ports=(HOSTILE,),
        no_fidelity=True,
        threads=1,
    )
    (job,) = plan.make(resolution.resolve(chosen)).speed
    files = runner.inputs(run_context, "hostile", "tiny", 0, 1)
    with run_context.worker("numpy", folder / "log") as worker, ending([worker]):
        runner.open_port(worker, run_context, job.opening(job.sides[0].label), files)
        yield worker, {"tape": str(files.tape)}


def run(worker: WorkerProcess, arguments: dict[str, str]) -> tuple[int, int, int]:
    """Run an action; return what the tree held before, its peak, and what it holds now."""
    worker.request("load", action="train", seed=0, **arguments)
    before = worker.memory.begin()
    worker.request("prepare", warmup_s=0.0, sample_s=0.001)
    done = worker.request("block", samples=2)
    return (
        before,
        worker.memory.peak(done["peak_bytes"], done["ended_bytes"], scan=True),
        worker.memory.resident(),
    )


def near(expected: float, found: float) -> bool:
    """Whether a peak is found within 2 % or 5 MB, whichever is more."""
    return abs(found - expected) <= max(0.02 * expected, 5e6)


@pytest.mark.parametrize("fault", ["spikes", "spikes_child", "spikes_keeper"])
def test_what_lasts_50_ms_is_found(tmp_path: Path, fault: str) -> None:
    """In the worker itself, in a child that has ended, and in one that stays; afterwards the
    tree holds little of it."""
    with prepared(tmp_path, fault) as (worker, arguments):
        before, peak, after = run(worker, arguments)
        assert worker.memory.set_back
        told = tmp_path / "told"
        if fault == "spikes":
            assert near(before + 96 * MIB, peak)
        elif fault == "spikes_child":
            assert near(before + (int(told.read_text()) << 10), peak)
            assert (
                worker.peak_bytes < peak - 100 * MIB
            )  # what looks from outside, even at marks, has missed it
        else:
            idle = peak - 32 * MIB
            assert near(before, idle) and int(told.read_text()) << 10 > 32 * MIB
        assert after < before + 8 * MIB


def test_honest_port_has_no_peak(tmp_path: Path) -> None:
    """Without a spike the peak is what the worker held all the time; what the opening took, and
    gave back, is not in it."""
    with prepared(tmp_path, "") as (worker, arguments):
        before, peak, _ = run(worker, arguments)
        assert near(before, peak)


def test_an_action_is_charged_with_nothing_else(tmp_path: Path) -> None:
    """What the first `generate` takes, in memory and in time, is told of `generate` and not of
    the `train` that was measured before."""
    with prepared(tmp_path, "spikes_generate") as (worker, arguments):
        told = {}
        for action in ("train", "generate"):
            worker.request("load", action=action, seed=0, **arguments)
            before = worker.memory.begin()
            first_s = worker.request("prepare", warmup_s=0.0, sample_s=0.001)["first_step_s"]
            done = worker.request("block", samples=2)
            told[action] = (
                first_s,
                worker.memory.peak(done["peak_bytes"], done["ended_bytes"], scan=True) - before,
            )
        assert told["train"][0] < 0.1 and near(0, told["train"][1])
        assert told["generate"][0] >= 0.2 and near(96 * MIB, told["generate"][1])


def test_a_peak_counts_once(tmp_path: Path) -> None:
    """What came to its height in one action is not in the next one's peak, be it the worker's or
    an ended child's."""
    for fault in ("spikes", "spikes_child"):
        with prepared(tmp_path / fault, fault) as (worker, arguments):
            (tmp_path / fault).mkdir(exist_ok=True)
            _, peak, _ = run(worker, arguments)
            done = worker.request("block", samples=1)
            worker.memory.end(done["ended_bytes"])
            before = worker.memory.begin()
            done = worker.request("block", samples=1)
            second = worker.memory.peak(done["peak_bytes"], done["ended_bytes"], scan=True)
            assert near(before, second) and second < peak - 80 * MIB


def test_marks_of_nobody() -> None:
    """A process that is not there has no marks, and none can be set back."""
    gone = 2**22 + 1  # above the largest process number of Linux
    assert memory.marks(gone) is None and not memory.set_back(gone)
    assert memory.Tree(gone).peak(own_bytes=5) == 5
    mine = memory.marks(os.getpid())
    assert mine is not None and 0 < mine.resident <= mine.peak


def test_a_slow_process_table_is_read_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where finding the descendants takes long it is done so seldom that it stays a small share of
    the time; waiting for a core is no work, and makes nothing seldom."""
    clock, work, waits, scans = [0.0], [0.0], [0.0], []

    class Slow:
        """A process whose table takes 50 ms to read."""

        def __init__(self, pid: int) -> None:
            self.pid = pid

        def children(self, recursive: bool) -> list[int]:
            assert recursive
            scans.append(clock[0])
            clock[0] += 0.05 + waits[0]
            work[0] += 0.05
            return []

    monkeypatch.setattr(memory.psutil, "Process", Slow)
    monkeypatch.setattr(memory.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(memory.time, "thread_time", lambda: work[0])
    for waits[0] in (0.0, 1.0):
        clock[0] = 0.0
        scans.clear()
        tree = memory.Tree(os.getpid())
        while clock[0] < 100.0:
            tree.resident()
            clock[0] += 0.25
        assert 4 <= len(scans) <= 6


def test_pages_of_mapped_files_are_told_apart(tmp_path: Path) -> None:
    """Of a process that maps a file of 48 MiB and reads it, and holds 32 MiB of its own: files
    are not its own."""
    path = tmp_path / "library"
    path.write_bytes(bytes(48 * MIB))
    code = (
        "import mmap, sys; file = open(sys.argv[1], 'rb'); mapped = mmap.mmap(file.fileno(), 0,"
        " prot=mmap.PROT_READ); print('begin', flush=True); sys.stdin.readline();"
        " sum(mapped[::4096]); own = bytearray(b'x') * (32 << 20); print('there', flush=True);"
        " sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin and process.stdout and "begin\n" == process.stdout.readline()
        tree = memory.Tree(process.pid)
        held = tree.begin()
        tree.resident()
        files = tree.mapped()
        process.stdin.write("\n")
        process.stdin.flush()
        assert "there\n" == process.stdout.readline()
        peak = tree.peak(scan=True)
        assert near(held + 80 * MIB, peak) and near(files + 48 * MIB, tree.mapped())
        assert near(held - files + 32 * MIB, peak - tree.mapped())
        process.communicate("\n")
