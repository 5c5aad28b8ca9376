"""Processes: start, talk, time out, kill them with all that they have started, watch memory.

Nobody else starts any; how a worker is held, so that nothing of it is left, is `kept_process`'s.

A worker is spoken to in JSON lines over two inherited pipes, never over stdout (frameworks write
there; it goes to a log file). The parent sleeps in `select` between messages; every half second it
wakes to look at the memory of the worker's process tree. A look costs a few thousandths of a second
on a machine that has to be woken for it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import selectors
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, overload

from backends.contract import Status
from harness.errors import CorruptRecord, JobFailed
from harness.execution import answers, kept_process, memory, verbs, worker_environment
from harness.execution.logs import last_line, trim_log
from harness.execution.verbs import Promised, Said, Verb

WATCH_INTERVAL_S = 0.5
GRACE_S = 2.0  # between the polite end of a worker (its control pipe closes) and the kill
CHUNK_BYTES = 1 << 16
#: A worker that tells so often that it goes on is going nowhere: a recording calls the methods of a
#: port some thousand times.
MOST_SIGNS = 1 << 14


def run_logged(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path, timeout_s: float
) -> int:
    """Run a command with its output in a log file and return its exit status.

    Args:
        argv: the command. cwd: where it runs. env: all of its environment.
        log: appended to; its folder is made if there is none.
        timeout_s: how long it may run, seconds.

    Raises:
        JobFailed: `timeout`; the whole process group has been killed. OSError: it cannot start.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        process = kept_process.start_group(argv, cwd=cwd, env=env, sink=sink)
        try:
            return process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise JobFailed(
                Status.TIMEOUT, f"{argv[0]} ran longer than {timeout_s:.0f} s; see {log}"
            ) from None
        finally:
            process.end()


def capture(
    argv: Sequence[str], *, env: Mapping[str, str], timeout_s: float, errors: bool = False
) -> tuple[int, str]:
    """Run a short command; return its exit status and output. A command that cannot start gives
    127, with the reason; one that takes too long 124, and no output.

    Args:
        argv: the command. env: all of its environment. timeout_s: how long it may run, seconds.
        errors: whether the output has its errors too.
    """
    sink = subprocess.STDOUT if errors else subprocess.DEVNULL
    try:
        done = subprocess.run(
            list(argv),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=sink,
            timeout=timeout_s,
            check=False,
        )
    except OSError as error:
        return 127, str(error)
    except subprocess.TimeoutExpired:
        return 124, ""
    return done.returncode, done.stdout.decode("utf-8", "replace")


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a worker may use.

    Attributes:
        request_s: longest time for one answer, seconds.
        memory_bytes: largest resident memory of the worker's process tree; 0 for no limit.
        stop: set when the run is interrupted: a request in another thread than the main one, which
            no signal reaches, ends.
    """

    request_s: float = 600.0
    memory_bytes: int = 0
    stop: threading.Event = dataclasses.field(default_factory=threading.Event, compare=False)


class WorkerProcess:
    """One worker: a process that lives for a whole job and answers requests in turn.

    Args:
        python: the build's interpreter.
        folder: what `staging` prepared; holds the package `backends` and nothing else.
        env: a clean environment.
        log: file for the worker's stdout and stderr.
        limits: time and memory.
        cold: what earlier processes have compiled is out of its reach.

    Attributes:
        pid: of the worker itself, to measure it by.
        memory: the marks of its process tree. peak_bytes: the tree's peak over its whole life, as
            far as it was looked at.

    Raises:
        JobFailed: (from `request`) with the status that fits: `timeout`, `crashed`, `out of
            memory`, ...
    """

    def __init__(
        self,
        python: Path,
        folder: Path,
        env: Mapping[str, str],
        log: Path,
        limits: Limits,
        cold: bool = False,
    ) -> None:
        self.limits, self.log, self.peak_bytes = limits, log, 0
        self._buffer, self._next_id = bytearray(), 0
        self._asked = (0.0, "", 0.0)  # deadline, verb and limit of what was sent
        self._verb: Verb[Any] = verbs.named("")  # of what was sent
        self._doing = ""  # what the worker was last heard to be doing for it
        log.parent.mkdir(parents=True, exist_ok=True)
        self._scratch = tempfile.mkdtemp(prefix="harness-worker-")
        control_read, self._control = os.pipe()
        self._answers, answer_write = os.pipe()
        argv = [str(python), "-m", "backends.worker", str(control_read), str(answer_write)]
        try:
            with log.open("ab") as sink:
                self.process = kept_process.start(
                    argv,
                    cwd=folder,
                    env=worker_environment.environment(env, self._scratch, cold),
                    sink=sink,
                    fds=(control_read, answer_write),
                )
        except OSError as error:
            os.close(self._control)
            os.close(self._answers)
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise JobFailed(
                Status.ERROR, f"cannot start {python}: {error.strerror or error}"
            ) from error
        finally:
            os.close(control_read)
            os.close(answer_write)
        self.pid = self.process.pid
        self.memory = memory.Tree(self.pid)
        os.set_blocking(self._control, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._answers, selectors.EVENT_READ)

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether requests can still be sent: the worker has neither died nor been ended."""
        return self._answers >= 0

    @overload
    def request(
        self, verb: Verb[Promised], timeout_s: float | None = None, **arguments: Any
    ) -> Said[Promised]: ...

    @overload
    def request(
        self, verb: str, timeout_s: float | None = None, **arguments: Any
    ) -> dict[str, Any]: ...

    def request(
        self, verb: Verb[Any] | str, timeout_s: float | None = None, **arguments: Any
    ) -> Said[Any] | dict[str, Any]:
        """Send one request and return what is answered: to a name instead of a verb, for workers of
        other kinds, the plain JSON.

        Args:
            verb: what is asked for. timeout_s: how long the answer may take, seconds; None for the
                limit of the worker.
            arguments: of the verb, plain JSON.

        Raises:
            JobFailed: the worker answered with a status other than `ok`, died, or broke a limit. It
                has been killed in the last two cases.
        """
        self.send(verb, timeout_s, **arguments)
        said = self.receive()
        return said if isinstance(verb, Verb) else said.plain

    def send(self, verb: Verb[Any] | str, timeout_s: float | None = None, **arguments: Any) -> None:
        """Send one request without waiting for its answer, so that several workers can be at work;
        `receive` has to follow.

        Args:
            verb, timeout_s, arguments: as for `request`.
        """
        self._next_id += 1
        limit_s = self.limits.request_s if timeout_s is None else timeout_s
        self._verb = verb if isinstance(verb, Verb) else verbs.named(verb)
        name = self._verb.name
        self._asked, self._doing = (time.monotonic() + limit_s, name, limit_s), ""
        line = (
            json.dumps({"id": self._next_id, "verb": name, **arguments}, allow_nan=False).encode()
            + b"\n"
        )
        self._write(line, *self._asked)

    def receive(self) -> Said[Any]:
        """Return the answer to the request that was sent last; fails as `request` does."""
        line = self._read(*self._asked)
        # Not in a turn, of which a second has hundreds, and whose peaks `rounds` looks at.
        if self._verb != verbs.BLOCK:
            # Now that the worker waits, a look costs it nothing.
            self.peak_bytes = max(self.peak_bytes, self.memory.peak())
        try:
            return answers.read(line, self._verb, self._next_id)
        except CorruptRecord as error:
            self._fail(Status.ERROR, str(error))

    def _write(self, line: bytes, deadline: float, verb: str, limit_s: float) -> None:
        while line:
            try:
                line = line[os.write(self._control, line) :]
            except BlockingIOError:
                # The pipe is full: the worker is not reading. Sleep until it does, or the limit is
                # over.
                self._watch(deadline, verb, limit_s)
                time.sleep(0.01)
            except BrokenPipeError:
                self._died(verb)

    def _read(self, deadline: float, verb: str, limit_s: float) -> dict[str, Any]:
        """Return the answer. A long request may take as long as it wants, as long as the worker
        tells that it goes on: what is limited is its silence."""
        signs = 0
        while True:
            line = self._line(deadline, verb, limit_s)
            if time.monotonic() >= deadline:  # also for one that has never done with telling
                self._watch(deadline, verb, limit_s)
            try:
                answer = answers.parse(line, verb)
            except ValueError as error:
                self._fail(Status.ERROR, str(error))
            if "doing" not in answer:
                return answer
            self._doing = str(answer["doing"])
            if self._verb in verbs.LONG and signs < MOST_SIGNS:
                signs, deadline = signs + 1, time.monotonic() + limit_s

    def _line(self, deadline: float, verb: str, limit_s: float) -> bytes:
        """Return the next line, as soon as it is whole."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > answers.LONGEST_BYTES:
                self._fail(
                    Status.ERROR,
                    f"the worker's answer to '{verb}' is longer than"
                    f" {answers.LONGEST_BYTES >> 20} MiB",
                )
            self._watch(deadline, verb, limit_s)
            if self._selector.select(
                timeout=min(WATCH_INTERVAL_S, max(0.0, deadline - time.monotonic()))
            ):
                chunk = os.read(self._answers, CHUNK_BYTES)
                if not chunk:
                    self._died(verb)
                self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _watch(self, deadline: float, verb: str, limit_s: float) -> None:
        """End the worker if it has broken a limit.

        Raises:
            KeyboardInterrupt: the run was interrupted.
        """
        if self.limits.stop.is_set():
            raise KeyboardInterrupt
        used = self.memory.resident()
        self.peak_bytes = max(self.peak_bytes, used)
        if self.limits.memory_bytes and used > self.limits.memory_bytes:
            limit = self.limits.memory_bytes
            self._fail(
                Status.OUT_OF_MEMORY,
                f"'{verb}' used {used >> 20} MiB, the limit is {limit >> 20} MiB",
            )
        if time.monotonic() >= deadline:
            other = ", nor a sign of it," if self._verb in verbs.LONG else ""
            self._fail(
                Status.TIMEOUT,
                f"no answer to '{verb}'{other} within {limit_s:g} s{self._busy()}; --limit gives it"
                " longer",
            )

    def _busy(self) -> str:
        """Return what keeps the worker from answering, as far as it can tell: the port's method,
        and the line of the user's code."""
        method = f", in {self._doing}" if self._doing else ""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            os.write(self._control, b'{"verb": "where"}\n')
            place = answers.place(self._answers, self._selector)
            return f"{method} ({place})" if place else method
        return method

    def _died(self, verb: str) -> NoReturn:
        """Raise for a worker whose pipe has closed: it has ended, or is about to."""
        try:
            code = self.process.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            self._fail(Status.ERROR, f"the worker closed its pipe during '{verb}' without ending")
        self.close()
        place = f"while it was in {self._doing} ('{verb}')" if self._doing else f"during '{verb}'"
        how = answers.ended(code, in_port=bool(self._doing))
        raise JobFailed(Status.CRASHED, f"{how} {place}{last_line(self.log)}")

    def _fail(self, status: Status, reason: str) -> NoReturn:
        self.kill()
        raise JobFailed(status, reason)

    def kill(self) -> None:
        """Kill the worker and all that it has started now, and release the pipes."""
        self.process.end()
        self._release()

    def close(self) -> None:
        """End the worker: close its control pipe, wait a moment, then kill it; nothing that it has
        started is left."""
        if self._control >= 0:
            os.close(self._control)
            self._control = -1
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=GRACE_S)
        self.process.end()
        self._release()

    def _release(self) -> None:
        if self._control >= 0:
            os.close(self._control)
            self._control = -1
        if self._answers >= 0:
            self._selector.close()
            os.close(self._answers)
            self._answers = -1
            trim_log(self.log)
            shutil.rmtree(self._scratch, ignore_errors=True)


@contextlib.contextmanager
def ending(workers: Sequence[WorkerProcess]) -> Iterator[None]:
    """End all workers when the block ends, whatever ended it; an interrupt kills them at once."""
    try:
        yield
    except BaseException:
        for worker in workers:
            worker.kill()
        raise
    finally:
        for worker in workers:
            worker.close()
