"""The keeper: a small program between the harness and one worker, which leaves no process behind.

    python -I -S -E keeper.py LIFE_FD TOLD_FD FDS PROGRAM ARGUMENT...

Processes that lose their parent become children of the nearest ancestor that has asked for it
(PR_SET_CHILD_SUBREAPER), whatever session or group they have made for themselves. So all that a
worker has started, and that would outlive it, ends up here, and is killed after the worker's end;
or at once, with the worker, when the harness is gone: only the harness has the other end of LIFE,
which closes with it, however it ends. It has a session of its own, away from the terminal's
signals.

The keeper is the worker's parent, so a port has its number, and may stop or kill it. So it has a
parent in its turn, which does nothing but guard it: a keeper that is stopped is made to go on, and
when it has been killed, all that it had falls to the guard, which kills it. A port that has both
killed is kept by nobody.

They tell the harness in lines: `started PID` or `failed ERRNO`, then `ended CODE` (as `subprocess`
has it: negative for a signal), then `cleared`. FDS, divided by commas, are the worker's alone.

What the worker and all that it has started print comes through here too: the log, which is this
program's own stdout, gets the beginning as it comes, and the end when everything has ended. What
lies between is let go, so that no port fills the disk, and none waits for it.

Runs on the standard library, and imports little: every worker waits for it. It sleeps in `poll`
until a process has ended or the harness is gone, so that a timed step meets nothing of it.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
#: Killing what is left may take so long: something that starts processes faster than they are
#: killed, or hangs in the kernel, is given up.
CLEAR_S = 5.0
PAUSE_S = 0.002  # between two looks at processes that have been killed and are not gone yet
MOST_LOOKS = 50  # for what was started while the rest was being stopped
REMEMBERED = 100  # looks
#: Of what is printed, so much is kept of the beginning, and of the end, in memory until then.
HEAD_BYTES = 1 << 20
TAIL_BYTES = 1 << 20
CHUNK_BYTES = 1 << 16
LOG_FD = 1
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
#: What Python has ignored and the worker must not.
RESTORED = [
    getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ", "SIGXFZ") if hasattr(signal, name)
]


def main(life: int, tell_fd: int, inherited: list[int], argv: list[str]) -> None:
    """Divide into a guard and the keeper."""
    for fd in (life, tell_fd):
        os.set_inheritable(fd, False)
    _adopt()
    kept = os.fork()
    if not kept:
        os.setsid()
        _adopt()  # is not inherited
        keep(life, tell_fd, inherited, argv)
        return
    for fd in inherited:
        os.close(fd)
    if guard(kept, life):
        _tell(tell_fd, f"ended {-signal.SIGKILL}")  # counts only if the keeper has told no other
    _tell(tell_fd, "cleared")


def _adopt() -> None:
    """Have processes below that lose their parent become children of this one."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def guard(kept: int, life: int) -> int:
    """Keep the keeper going until it ends, or the harness is gone and it has had time to clear;
    then kill what is left, and return how it has ended."""
    woken = _signals()
    waiting = select.poll()
    for fd in (life, woken):
        waiting.register(fd, select.POLLIN)
    until: float | None = None
    while (code := _ended(kept)) is None:
        left_s = None if until is None else until - time.monotonic()
        if left_s is not None and left_s <= 0:
            os.kill(kept, signal.SIGKILL)  # its number is its own until it is reaped, by `_ended`
        for fd, _ in waiting.poll(None if left_s is None else 1e3 * max(left_s, PAUSE_S)):
            if fd == life:
                waiting.unregister(life)
            elif any(number in ENDING for number in os.read(woken, 1 << 12)):
                os.kill(kept, signal.SIGTERM)
            else:
                continue
            until = time.monotonic() + CLEAR_S
    clear(None)
    return code


def _ended(kept: int) -> int | None:
    """Return how the keeper has ended, None if it has not; one that is stopped goes on."""
    pid, status = os.waitpid(kept, os.WNOHANG | os.WUNTRACED)
    if pid and os.WIFSTOPPED(status):
        os.kill(kept, signal.SIGCONT)
        return None
    return os.waitstatus_to_exitcode(status) if pid else None


def keep(life: int, tell_fd: int, inherited: list[int], argv: list[str]) -> None:
    """Start the worker, wait for its end or the harness', and clear away what is left."""
    woken = _signals()
    printed, prints = os.pipe()
    try:
        worker = os.posix_spawnp(
            argv[0],
            argv,
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, prints, fd) for fd in (1, 2)],
            setsid=True,
            setsigdef=RESTORED,
        )
    except OSError as error:
        _tell(tell_fd, f"failed {error.errno}")
        return
    for fd in (*inherited, prints):
        os.close(fd)
    log = Log(printed)
    _tell(tell_fd, f"started {worker}")
    code = _wait(worker, log, life, woken)
    if code is not None:
        _tell(tell_fd, f"ended {code}")
        clear(None)
    else:
        code = clear(worker)
        _tell(tell_fd, f"ended {-signal.SIGKILL if code is None else code}")
    log.close()


def _signals() -> int:
    """Have signals write a byte each into a pipe, and return its other end."""
    woken, wake = os.pipe()
    for fd in (woken, wake):
        os.set_blocking(fd, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, *ENDING):
        signal.signal(number, lambda *_: None)
    return woken


def _tell(tell_fd: int, line: str) -> None:
    try:
        os.write(tell_fd, line.encode() + b"\n")
    except OSError:  # the harness is gone
        return


def _wait(worker: int, log: Log, life: int, woken: int) -> int | None:
    """Sleep until the worker has ended, and return how; None if the harness is gone first."""
    waiting = select.poll()
    for fd in (life, woken, log.printed):
        waiting.register(fd, select.POLLIN)
    while True:
        for fd, _ in waiting.poll():
            if fd == log.printed:
                if not log.take():
                    waiting.unregister(fd)
            elif fd == life or any(number in ENDING for number in os.read(woken, 1 << 12)):
                return None
        _, code = reap(worker)
        if code is not None:
            return code


class Log:
    """What has been printed.

    Attributes:
        printed: where it comes from.
    """

    def __init__(self, printed: int) -> None:
        self.printed = printed
        os.set_blocking(printed, False)
        self._head_left = HEAD_BYTES
        self._tail: list[bytes] = []
        self._held = self._dropped = 0

    def take(self) -> bool:
        """Take in what is there; return whether there can be more."""
        try:
            chunk = os.read(self.printed, CHUNK_BYTES)
        except BlockingIOError:
            return True
        head = chunk[: self._head_left]
        self._head_left -= len(head)
        self._write(head)
        tail = chunk[len(head) :]
        if tail:
            self._tail.append(tail)
            self._held += len(tail)
        if self._held >= 2 * TAIL_BYTES:  # seldom, for it copies
            self._trim()
        return bool(chunk)

    def _trim(self) -> None:
        kept = b"".join(self._tail)[-TAIL_BYTES:]
        self._dropped += self._held - len(kept)
        self._tail, self._held = [kept], len(kept)

    def close(self) -> None:
        """Write the end, after all that is still in the pipe: who could print more is gone."""
        until = time.monotonic() + CLEAR_S
        waiting = select.poll()
        waiting.register(self.printed, select.POLLIN)
        while waiting.poll(0) and time.monotonic() < until and self.take():
            pass
        self._trim()
        if self._dropped:
            self._write(cut_note(self._dropped))
        self._write(b"".join(self._tail))

    def _write(self, content: bytes) -> None:
        while content:
            try:
                content = content[os.write(LOG_FD, content) :]
            except OSError:  # the disk is full: the worker has to go on all the same
                return


def cut_note(count: int) -> bytes:
    """Return the line that stands where so many bytes of a log were cut out."""
    return f"\n[... {count} bytes cut here by the harness ...]\n".encode()


def reap(worker: int | None) -> tuple[bool, int | None]:
    """Take all children that have ended off the kernel's list; return whether there are others, and
    how the worker has ended, if it is among them."""
    code = None
    try:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return True, code
            if pid == worker:
                code = os.waitstatus_to_exitcode(status)
    except ChildProcessError:
        return False, code


def clear(worker: int | None) -> int | None:
    """Kill everything that descends from this process, for as long as that may take; return how
    the worker has ended, if it is among them.

    The kernel knows when all of it is gone: whoever descends from a process does so through one
    of its children. A look at `/proc` may miss what comes and goes.
    """
    family, until, code = Family(), time.monotonic() + CLEAR_S, None
    while True:
        left, ended = reap(worker)
        code = code if ended is None else ended
        if not left or time.monotonic() >= until:
            return code
        # Stopped, they start nothing any more; what was started meanwhile is found by looking
        # again.
        stopped: dict[int, int] = {}
        for _ in range(MOST_LOOKS):
            descendants = family.look()
            fresh = {pid: group for pid, group in descendants.items() if pid not in stopped}
            if not fresh:
                break
            _signal(fresh, signal.SIGSTOP)
            stopped.update(fresh)
        _signal(stopped, signal.SIGKILL)
        if stopped:
            time.sleep(PAUSE_S)


def _signal(groups: dict[int, int], number: int) -> None:
    """Signal processes and their groups; a signal reaches all of a group at once, with no gap for a
    fork."""
    own = os.getpgid(0)
    for target in [*(-group for group in set(groups.values()) - {own} if group > 1), *groups]:
        try:
            os.kill(target, number)
        except (ProcessLookupError, PermissionError):
            continue


class Family:
    """What descends from this process. A parent's number tells; the kernel's own lists of children
    are not in every kernel.

    Who is a stranger is remembered, for looks have to be faster than processes that start the next
    one and end; and forgotten in time, for numbers are given out again.
    """

    def __init__(self) -> None:
        self._strangers: set[int] = set()
        self._looks = 0

    def look(self) -> dict[int, int]:
        """Return the descendants, each with its group."""
        self._looks += 1
        if self._looks % REMEMBERED == 0:
            self._strangers.clear()
        unknown, own = self._unknown(), os.getpid()
        unknown.pop(own, None)
        descendants: dict[int, int] = {}
        count = -1
        while count != len(unknown):
            count = len(unknown)
            for pid, (parent, group) in list(unknown.items()):
                if parent == own or parent in descendants:
                    descendants[pid] = group
                elif parent == 0 or parent in self._strangers:
                    self._strangers.add(pid)
                else:  # its parent has ended since
                    continue
                del unknown[pid]
        return descendants

    def _unknown(self) -> dict[int, tuple[int, int]]:
        """Return parent and group of all processes that are not known for strangers."""
        parents = {}
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) not in self._strangers:
                try:
                    with open(f"/proc/{name}/stat", "rb") as file:
                        words = file.read().rpartition(b")")[2].split()
                except OSError:  # it has ended
                    continue
                parents[int(name)] = int(words[1]), int(words[2])
        return parents


if __name__ == "__main__":
    main(
        int(sys.argv[1]),
        int(sys.argv[2]),
        [int(word) for word in sys.argv[3].split(",")],
        sys.argv[4:],
    )
