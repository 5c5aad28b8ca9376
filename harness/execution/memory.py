"""How much memory a worker's process tree takes, by the kernel's own high-water marks.

A mark is exact however short the peak was; a sample would have to come in time. Marks are set back
before each action, so that what an import needed is not taken for what a step needs. Reads files of
the kernel only, and starts nothing.

The tree's peak is the sum of its processes' marks between two settings back: an upper bound, tight
when one process at a time is at its height. Pages that a forked process shares with its parent are
counted in both, as in all sums of resident memory.

A process that has ended is known by what its parent was told when it waited for it (`ended_bytes`).
Linux hands a mark on through fork and exec: a child's is at least what its parent held when it
started it. So it counts where it is larger than anything the worker itself has held; a smaller one
that came and went between two looks stays unseen.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import time
from pathlib import Path

import psutil

#: Finding the descendants reads the whole process table, milliseconds or, where thousands of
#: processes run, much longer: so often at most, and for so small a share of the time. Their marks
#: keep until they end.
SCAN_INTERVAL_S = 2.0
SCAN_SHARE = 0.0025
RESIDENT, PEAK, FILES = (
    re.compile(rb"^%s:\s*(\d+) kB" % name, re.MULTILINE)
    for name in (b"VmRSS", b"VmHWM", b"RssFile")
)


@dataclasses.dataclass(frozen=True)
class Marks:
    """Resident memory of one process, now and at its height since the mark was last set back, and,
    of what it holds now, pages of files that are mapped (libraries), bytes. How many of those the
    kernel maps depends on its page cache: after an installation they were a quarter more."""

    resident: int
    peak: int
    files: int = 0


def marks(pid: int) -> Marks | None:
    """Return a process' marks, None if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_bytes()
    except FileNotFoundError:
        return _elsewhere(pid)
    except ProcessLookupError:
        return None
    resident, peak = RESIDENT.search(status), PEAK.search(status)
    if resident is None or peak is None:  # a zombie has no memory
        return None
    files = FILES.search(status)
    mapped = int(files[1]) << 10 if files else 0
    return Marks(int(resident[1]) << 10, int(peak[1]) << 10, mapped)


def _elsewhere(pid: int) -> Marks | None:
    """Return the marks of a process where there is no such file: on macOS the peak is what the
    worker says of itself."""
    try:
        now = int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None
    return Marks(now, now)


def set_back(pid: int) -> bool:
    """Set a process' mark back to what it holds now; return whether the kernel has let us."""
    try:
        Path(f"/proc/{pid}/clear_refs").write_bytes(b"5")
    except OSError:
        return False
    return True


class Tree:
    """The processes of one worker.

    Attributes:
        set_back: whether the worker's mark could be set back when `begin` was called last; if not,
            marks are of the whole life.
    """

    def __init__(self, pid: int) -> None:
        self.pid, self.set_back = pid, False
        self._alive: list[int] = []
        self._scanned_at = -SCAN_INTERVAL_S
        self._interval_s = SCAN_INTERVAL_S
        self._seen: dict[int, int] = {}  # the largest mark of every process seen since `begin`
        self._files: dict[int, int] = {}  # what each has mapped of files, when it was seen last
        self._largest = 0  # of the worker itself, ever
        self._ended = 0  # the largest of children that ended before `begin`, as far as it was told

    def resident(self, scan: bool = False) -> int:
        """Return what the tree holds now, bytes; the descendants are those of the last scan unless
        it is old, or one is asked for."""
        now = time.monotonic()
        if scan or now - self._scanned_at >= self._interval_s:
            self._scan(now)
        total = 0
        for pid in self._alive:
            held = marks(pid)
            if held is not None:
                total += held.resident
                self._seen[pid] = max(held.peak, self._seen.get(pid, 0))
                self._files[pid] = held.files
        self._largest = max(self._largest, self._seen.get(self.pid, 0))
        return total

    def _scan(self, now: float) -> None:
        # On a busy machine the clock on the wall would have limits looked at ever more seldom.
        before_s = time.thread_time()
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(self.pid).children(recursive=True)
            self._alive, self._scanned_at = [self.pid, *(child.pid for child in children)], now
            self._interval_s = max(SCAN_INTERVAL_S, (time.thread_time() - before_s) / SCAN_SHARE)

    def begin(self) -> int:
        """Set all marks back, and return what the tree holds now, bytes."""
        held = self.resident(scan=True)
        self.set_back = set_back(self.pid)
        for pid in self._alive[1:]:
            set_back(pid)
        self._seen, self._files = {}, {}
        return held

    def peak(self, own_bytes: int = 0, ended_bytes: int = 0, scan: bool = False) -> int:
        """Return the tree's peak since `begin`, bytes.

        Args:
            own_bytes: what the worker says of its own peak, where the kernel does not show it to
                others.
            ended_bytes: the largest of all the worker's children that have ended, ever, as it was
                told.
            scan: look for descendants that the last scan did not see.
        """
        self.resident(scan)
        root = max(self._seen.get(self.pid, 0), own_bytes)
        self._largest = max(self._largest, root)
        alive = sum(
            peak
            for pid, peak in self._seen.items()
            if pid != self.pid and pid in self._alive and marks(pid) is not None
        )
        gone = sum(peak for pid, peak in self._seen.items() if pid != self.pid) - alive
        ended = ended_bytes if ended_bytes > max(self._ended, self._largest) else 0
        return root + alive + max(gone, ended)

    def mapped(self) -> int:
        """Return what the processes that were seen since `begin` had mapped of files, bytes. It
        hardly ever shrinks, so that the peak less this is what they held themselves at their
        height, or a little less."""
        return sum(self._files.values())

    def end(self, ended_bytes: int) -> None:
        """Close the window: children that have ended by now are not counted in the next."""
        self._ended = max(self._ended, ended_bytes)
