"""Workers whose ports leave processes behind, each known by a word among its arguments and by a
file that it locks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
import uuid
from pathlib import Path

import psutil

from harness.execution.processes import Limits, WorkerProcess
from harness.execution.worker_environment import clean_environment
from tests.harness.execution.test_processes import HEAD

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
        argv = [sys.executable, "-S", "-c", {program!r}, {word!r}]
        child = subprocess.Popen(argv, pass_fds=[lock.fileno()])
    time.sleep(0.3)
    if "daemon" == {kind!r}: child.wait()
    {deed}
    send(id=request["id"], status="ok", result={{}})
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
