"""Nothing that a worker has started outlives it, nor the harness: real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import psutil
import pytest

from harness.errors import JobFailed
from harness.execution import kept_process
from harness.execution.processes import WorkerProcess
from tests.harness.execution.scenes import ENDS_WITHIN_S, KINDS, Scene
from tests.import_rules import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="keepers are Linux' alone")
DRIVER = """
import os, sys, time
from pathlib import Path
from harness.execution.processes import Limits, WorkerProcess
worker = WorkerProcess(Path(sys.executable), Path(sys.argv[1]), dict(os.environ), Path(sys.argv[1]) / "log", Limits())
worker.request("work")
print("at work", flush=True)
time.sleep(300)
"""


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("end", [WorkerProcess.close, WorkerProcess.kill])
def test_nothing_outlives_the_worker(
    scene: Scene, kind: str, end: Callable[[WorkerProcess], None]
) -> None:
    """However it hides, and whether the worker ends politely or is killed: nothing is left when
    the call returns."""
    worker = scene.start(kind)
    worker.request("work")
    assert scene.held()
    end(worker)
    assert ([], False) == (scene.left(), scene.held())
    assert worker.process.returncode in (0, -signal.SIGKILL)


@pytest.mark.parametrize("kind", ["daemon", "stubborn", "hopping"])
@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("print('last words', flush=True); os._exit(7)", "exited with status 7"),
        ("print('last words', flush=True); os.kill(os.getpid(), 9)", "killed by SIGKILL"),
        ("print('last words', flush=True); os.kill(os.getpid(), 11)", "killed by SIGSEGV"),
    ],
)
def test_nothing_outlives_a_crash(scene: Scene, kind: str, deed: str, reason: str) -> None:
    """The worker's own end is told as it was, with its last line."""
    worker = scene.start(kind, deed)
    with pytest.raises(JobFailed) as caught:
        worker.request("work")
    assert f"{reason} during 'work'; its log ends with: last words" == caught.value.reason
    assert ([], False) == (scene.left(), scene.held())


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_the_harness(scene: Scene, kind: str, number: int) -> None:
    """Nobody tells the keeper that the harness is gone."""
    scene.write(kind)
    words = [sys.executable, "-c", DRIVER, str(scene.folder), scene.word]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE) as driver:
        assert b"at work\n" == driver.stdout.readline()
        family = psutil.Process(driver.pid).children(recursive=True)
        assert len(family) >= 2 and scene.held()
        driver.send_signal(number)
        driver.wait()
    assert scene.is_empty()
    assert [] == psutil.wait_procs(family, timeout=ENDS_WITHIN_S)[1]


def test_a_keeper_that_is_told_to_end_clears_first(scene: Scene) -> None:
    """A service manager tells every process to end."""
    worker = scene.start("daemon")
    worker.request("work")
    psutil.Process(worker.pid).parent().terminate()
    with pytest.raises(JobFailed, match="killed by SIGKILL during 'work'"):
        worker.request("work")
    assert ([], False) == (scene.left(), scene.held())


def test_a_keeper_that_is_killed_takes_the_group_along(scene: Scene) -> None:
    """What has left the group is lost to us then."""
    worker = scene.start("daemon", "os.fork() or time.sleep(300)")
    worker.request("work")
    group = [process for process in psutil.process_iter() if worker.pid == _group(process.pid)]
    assert len(group) == 2
    psutil.Process(worker.pid).parent().kill()
    worker.kill()
    assert [] == psutil.wait_procs(group, timeout=5)[1]
    assert not worker.alive


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def test_without_a_keeper_the_group_is_killed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the kernel lacks what a keeper needs."""
    monkeypatch.setattr(kept_process.sys, "platform", "darwin")
    worker = scene.start("session", "os.fork() or time.sleep(300)")
    worker.request("work")
    assert psutil.Process(worker.pid).ppid() == os.getpid()
    worker.close()
    assert worker.process.returncode == 0 and not psutil.pid_exists(worker.pid)
