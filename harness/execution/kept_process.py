"""A worker's process as the harness holds it: behind a keeper (`harness.execution.keeper`), and
where the kernel lacks what a keeper needs, by its process group.

Starts processes for `harness.execution.processes` alone, and knows nothing of what is said to them.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from harness.execution import keeper

#: A keeper is given so long after its own limit; then it hangs, and is killed.
PATIENCE_S = 2.0


class GroupProcess(subprocess.Popen[bytes]):
    """A process that leads a session and a group of its own; what it starts in other groups
    outlives it."""

    def end(self) -> None:
        """Kill it, if it has not ended, and everything in its group, and reap it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()


def start_group(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    sink: IO[bytes],
    fds: Sequence[int] = (),
) -> GroupProcess:
    """Start a process that leads a group.

    Args:
        argv: the command. cwd: where it runs. env: all of its environment.
        sink: for its stdout and stderr. fds: what else it inherits.

    Raises:
        OSError: it cannot start.
    """
    return GroupProcess(
        list(argv),
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=sink,
        stderr=sink,
        pass_fds=tuple(fds),
        start_new_session=True,
    )


class KeptProcess:
    """A process behind a keeper: all that it has started ends with it, and all with the harness.

    Attributes:
        pid: of the process itself. returncode: how it has ended, as `subprocess` has it, once
            `wait` or `end` were told.

    Raises:
        OSError: it cannot start.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        sink: IO[bytes],
        fds: Sequence[int],
    ) -> None:
        self.returncode: int | None = None
        self._lines: list[list[str]] = []
        self._buffer = b""
        life, self._life = os.pipe()
        self._told, tell = os.pipe()
        words = [str(life), str(tell), ",".join(map(str, fds)), *argv]
        try:
            self._keeper = start_group(
                [sys.executable, "-I", "-S", "-E", str(Path(keeper.__file__).resolve()), *words],
                cwd=cwd,
                env=env,
                sink=sink,
                fds=(*fds, life, tell),
            )
        except OSError:
            self._close()
            raise
        finally:
            os.close(life)
            os.close(tell)
        try:
            self.pid = self._started()
        except BaseException:
            self._close()
            self._keeper.wait()
            raise

    def _started(self) -> int:
        self._hear("started", None)
        for word, number in (line for line in self._lines if len(line) == 2):
            if word == "started":
                return int(number)
            raise OSError(int(number), os.strerror(int(number)))
        raise OSError(f"its keeper ended with status {self._keeper.wait()}")

    def poll(self) -> int | None:
        """Return how the process has ended, None if it has not."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the process, and until everything that it has started is gone.

        Args:
            timeout: how long the process itself may take, seconds.

        Raises:
            subprocess.TimeoutExpired: it has not ended.
        """
        if self.returncode is None:
            if not self._hear("ended", timeout):
                raise subprocess.TimeoutExpired(self._keeper.args, timeout or 0.0)
            self._leave()
        assert self.returncode is not None
        return self.returncode

    def end(self) -> None:
        """Kill the process and everything that it has started, in whatever session, and reap it."""
        if self.returncode is None:
            self._close_life()
            self._leave()

    def _leave(self) -> None:
        """Wait for the keeper, which is about to end, and kill the group where it did not get to
        it: a port may have stopped or killed the keeper, and its guard."""
        self._keeper.send_signal(signal.SIGCONT)
        self._hear("cleared", keeper.CLEAR_S + PATIENCE_S)
        self._keeper.kill()  # it has nothing more to do
        status = self._keeper.wait()
        codes = [int(line[1]) for line in self._lines if line[0] == "ended"]
        if ["cleared"] not in self._lines:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self.returncode = codes[0] if codes else status
        self._close()

    def _hear(self, word: str, timeout: float | None) -> bool:
        """Return whether the keeper has said a word, or is gone, before the time is over."""
        until = None if timeout is None else time.monotonic() + timeout
        said = select.poll()  # `select` knows no file above 1023
        said.register(self._told, select.POLLIN)
        while all(line[0] != word for line in self._lines):
            left = None if until is None else max(0.0, until - time.monotonic())
            if not said.poll(None if left is None else 1e3 * left):
                return False
            heard = os.read(self._told, 1 << 12)
            if not heard:
                return True
            *whole, self._buffer = (self._buffer + heard).split(b"\n")
            self._lines += [line.decode().split() for line in whole]
        return True

    def _close_life(self) -> None:
        if self._life >= 0:
            os.close(self._life)
            self._life = -1

    def _close(self) -> None:
        self._close_life()
        if self._told >= 0:
            os.close(self._told)
            self._told = -1


def start(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], sink: IO[bytes], fds: Sequence[int]
) -> KeptProcess | GroupProcess:
    """Start a process in a session of its own, behind a keeper where there can be one.

    Args:
        argv: the command. cwd: where it runs. env: all of its environment.
        sink: for its stdout and stderr. fds: what else it inherits.

    Raises:
        OSError: it cannot start.
    """
    if sys.platform == "linux" and sys.executable and Path("/proc/self/stat").exists():
        return KeptProcess(argv, cwd=cwd, env=env, sink=sink, fds=fds)
    return start_group(argv, cwd=cwd, env=env, sink=sink, fds=fds)
