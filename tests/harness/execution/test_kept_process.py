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
folder = Path(sys.argv[1])
worker = WorkerProcess(Path(sys.executable), folder, dict(os.environ), folder / "log", Limits())
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


STOP, KILL = "os.kill(os.getppid(), 19)", "os.kill(os.getppid(), 9)"
AGAIN = """
    if not os.fork():
        os.setsid()
        while True:
            try: os.kill(parent, 19)
            except OSError: os._exit(0)
"""


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("end", [WorkerProcess.close, WorkerProcess.kill])
def test_a_keeper_that_is_stopped_goes_on(
    scene: Scene, kind: str, end: Callable[[WorkerProcess], None]
) -> None:
    """By the port, whose parent it is."""
    worker = scene.start(kind, STOP)
    worker.request("work")
    assert scene.held()
    end(worker)
    assert ([], False) == (scene.left(), scene.held())
    assert worker.process.returncode in (0, -signal.SIGKILL)


def test_a_keeper_that_is_stopped_again_and_again_is_replaced(scene: Scene) -> None:
    """By something that outlives the worker; its guard does the rest."""
    deed = "parent = os.getppid()" + AGAIN
    worker = scene.start("daemon", deed)
    worker.request("work")
    assert scene.held()
    worker.close()
    assert ([], False) == (scene.left(), scene.held())


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_keeper_that_is_killed_leaves_nothing(scene: Scene, kind: str) -> None:
    """All that it kept is killed at once, the worker too."""
    worker = scene.start(kind, f"{KILL}; time.sleep(20)")
    with pytest.raises(JobFailed, match="killed by SIGKILL during 'work'"):
        worker.request("work")
    assert ([], False) == (scene.left(), scene.held())
    assert not psutil.pid_exists(worker.pid) and not worker.alive


def test_a_guard_that_is_stopped_or_killed_leaves_nothing(scene: Scene) -> None:
    """The keeper needs it only where it is stopped or killed itself."""
    worker = scene.start("daemon")
    worker.request("work")
    guard = psutil.Process(worker.pid).parent().parent()
    assert os.getpid() == guard.ppid()
    guard.suspend()
    psutil.Process(worker.pid).parent().suspend()
    worker.close()
    assert ([], False) == (scene.left(), scene.held())
    assert not guard.is_running()


def test_who_kills_keeper_and_guard_leaves_what_is_not_of_the_group(scene: Scene) -> None:
    """That is the limit."""
    worker = scene.start("session", "os.fork() or time.sleep(300)")
    worker.request("work")
    group = [process for process in psutil.process_iter() if worker.pid == _group(process.pid)]
    assert len(group) == 2
    kept = psutil.Process(worker.pid).parent()
    kept.parent().kill()
    kept.kill()
    worker.kill()
    assert [] == psutil.wait_procs(group, timeout=5)[1]
    assert not worker.alive and len(scene.left()) == 1


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
