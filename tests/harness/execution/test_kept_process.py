"""Nothing that a worker has started outlives it, nor the harness: real processes, known by a word
of their own among their arguments."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from harness.errors import JobFailed
from harness.execution import keeper, kept_process
from harness.execution.processes import Limits, WorkerProcess
from harness.execution.worker_environment import clean_environment
from tests.harness.execution.test_processes import HEAD
from tests.import_rules import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="keepers are Linux' alone")
ENVIRON = clean_environment(os.environ)
ENDS_WITHIN_S = 10.0
#: Programs that a port may leave behind, each told what word to carry.
SESSION = "import os, time; os.setsid(); time.sleep(300)"
DAEMON = """
import os, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
time.sleep(300)
"""
STUBBORN = """
import os, signal, time
os.setsid()
for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
    try: signal.signal(number, signal.SIG_IGN)
    except OSError: pass
time.sleep(300)
"""
#: Starts a child in a session of its own whenever it can, and ends: nobody stays to be killed.
HOPPING = """
import os, time
while True:
    if os.fork():
        os._exit(0)
    os.setsid()
    time.sleep(0.001)
"""
MULTIPLYING = """
import os, time
os.setsid()
for _ in range(40):
    if not os.fork():
        os.setsid()
        while True:
            child = os.fork()
            if not child: time.sleep(0.05); os._exit(0)
            os.waitpid(child, 0)
time.sleep(300)
"""
KINDS = {
    "session": SESSION,
    "daemon": DAEMON,
    "stubborn": STUBBORN,
    "hopping": HOPPING,
    "multiplying": MULTIPLYING,
}
#: A worker that starts such a program, waits until it is there, and does what is said.
PORT = """
import fcntl, subprocess
for request in requests:
    with open({word!r}, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        child = subprocess.Popen([sys.executable, "-S", "-c", {program!r}, {word!r}], pass_fds=[lock.fileno()])
    time.sleep(0.3)
    if "daemon" == {kind!r}: child.wait()
    {deed}
    send(id=request["id"], status="ok", result={{}})
"""
DRIVER = """
import os, sys, time
from pathlib import Path
from harness.execution.processes import Limits, WorkerProcess
worker = WorkerProcess(Path(sys.executable), Path(sys.argv[1]), dict(os.environ), Path(sys.argv[1]) / "log", Limits())
worker.request("work")
print("at work", flush=True)
time.sleep(300)
"""


class Scene:
    """A folder for a worker, a word that all that it starts carries, and a file that it locks: the
    kernel keeps the lock as long as any of it is alive, however short each of it lives."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.word = folder, f"left-{uuid.uuid4().hex}"

    @property
    def lock(self) -> Path:
        return self.folder / self.word

    def write(self, kind: str, deed: str = "pass") -> None:
        (self.folder / "backends").mkdir()
        (self.folder / "backends/__init__.py").touch()
        port = PORT.format(program=KINDS[kind], word=self.word, kind=kind, deed=deed)
        (self.folder / "backends/worker.py").write_text(HEAD + port)

    def start(self, kind: str, deed: str = "pass") -> WorkerProcess:
        self.write(kind, deed)
        return WorkerProcess(
            Path(sys.executable), self.folder, ENVIRON, self.folder / "log", Limits(20.0)
        )

    def left(self) -> list[int]:
        """Return the processes that carry the word."""
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            words = process.info["cmdline"] or ()
            if self.word in words and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        return found

    def held(self) -> bool:
        """Whether any of it is alive."""
        with self.lock.open() as lock, contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
        return True

    def is_empty(self) -> bool:
        """Wait until nothing is left, as long as is promised."""
        until = time.monotonic() + ENDS_WITHIN_S
        while self.left() or self.held():
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True


@pytest.fixture
def scene(tmp_path: Path):
    """What a failing test leaves is killed."""
    made = Scene(tmp_path)
    yield made
    until = time.monotonic() + ENDS_WITHIN_S
    while made.lock.exists() and made.held() and time.monotonic() < until:
        for pid in made.left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


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


def test_orphans_do_not_pile_up(scene: Scene) -> None:
    """Those that end while the worker is at work are taken off the kernel's list; the worker's own
    children are left to it."""
    worker = scene.start(
        "session",
        """
    for _ in range(20):
        if not os.fork():
            if not os.fork(): time.sleep(0.05)
            os._exit(3)
    codes = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(20)]
    assert codes == [3] * 20
""",
    )
    worker.request("work")
    parent = psutil.Process(worker.pid).parent()
    until = time.monotonic() + 5
    while len(parent.children()) > 1 and time.monotonic() < until:
        time.sleep(0.01)
    assert [worker.pid] == [child.pid for child in parent.children()]
    worker.close()


LOUD = """
    line = b"x" * 199 + bytes([10])
    os.write(1, b"the first line" + bytes([10]))
    sizes = []
    for _ in range(300):
        for _ in range(5):
            os.write(2, line * 1000)
        sizes.append(os.path.getsize("log"))
    print("the last line", flush=True)
    {end}
    send(id=request["id"], status="ok", result={{"largest": max(sizes)}})
    break
"""


def test_a_log_stays_small_while_it_is_written(scene: Scene) -> None:
    """300 MB are printed, and neither fill the disk nor hold the worker up; the beginning and the
    end are there."""
    worker = scene.start("session", LOUD.format(end=""))
    assert worker.request("work")["largest"] <= keeper.HEAD_BYTES
    worker.close()
    content = worker.log.read_bytes()
    assert len(content) < keeper.HEAD_BYTES + keeper.TAIL_BYTES + 100
    assert content.startswith(b"the first line\n") and content.endswith(b"x\nthe last line\n")
    dropped = 300_000_000 + 29 - keeper.HEAD_BYTES - keeper.TAIL_BYTES
    assert keeper.cut_note(dropped) in content


def test_the_last_line_of_much(scene: Scene) -> None:
    """It is in the log before anybody looks for it."""
    worker = scene.start("session", LOUD.format(end="os._exit(7)"))
    with pytest.raises(JobFailed, match="status 7 during 'work'; its log ends with: the last line"):
        worker.request("work")


def test_a_log_between_its_limits(scene: Scene) -> None:
    """Longer than the beginning, and nothing is cut."""
    worker = scene.start("session", "os.write(1, b'y' * 1_500_000)")
    worker.request("work")
    worker.kill()
    assert b"y" * 1_500_000 == worker.log.read_bytes()


def test_a_keeper_sleeps(scene: Scene) -> None:
    """It has not run at all while the worker waited."""
    worker = scene.start("session")
    worker.request("work")
    parent = psutil.Process(worker.pid).parent()
    before = parent.num_ctx_switches()
    time.sleep(0.5)
    assert before == parent.num_ctx_switches()
    worker.close()


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
