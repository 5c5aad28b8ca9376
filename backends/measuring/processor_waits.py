"""How long the threads of this process, and of those it has started, waited for a processor: Linux
counts it for each thread.

A thread that is ready to run and finds every processor taken waits, and whatever it computes takes
that much longer: not because of the code. Read in the worker, directly around what is timed, so
that nothing else counts. Reads files of the kernel only.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import Dict, List, Optional, Tuple

#: By process and thread: nanoseconds on a processor, nanoseconds ready but not on one.
Reading = Dict[Tuple[int, int], Tuple[int, int]]


class Waits:
    """The process tree as it is when this is made: finding descendants reads the whole process
    table, too long for every block.
    """

    def __init__(self) -> None:
        self.pids = [os.getpid()] + descendants(os.getpid())
        self._before: Optional[Reading] = None
        self._used_s = self._started = 0.0

    def begin(self) -> None:
        """Begin to count."""
        self._before, self._used_s = read(self.pids), time.process_time()
        self._started = time.perf_counter()

    def end(self) -> Dict[str, Optional[float]]:
        """Return `wall_s`, `ran_s` and `waited_s` since `begin`, seconds of all threads together;
        `waited_s` is None where the kernel does not tell. What a thread waited that has ended
        meanwhile is not seen.
        """
        wall_s, own_s = time.perf_counter() - self._started, time.process_time() - self._used_s
        before, after = self._before or {}, read(self.pids)
        if not after:
            return {"wall_s": wall_s, "ran_s": own_s, "waited_s": None}
        # This process' own time is read from its clock, which is finer than the kernel's count.
        others = {key: times for key, times in after.items() if key[0] != self.pids[0]}
        ran, waited = between(before, others)[0], between(before, after)[1]
        return {"wall_s": wall_s, "ran_s": own_s + 1e-9 * ran, "waited_s": 1e-9 * waited}


def used_s() -> float:
    """Return what all threads of this process have used of processors, seconds."""
    return time.process_time()


def read(pids: List[int]) -> Reading:
    """Return what the kernel has counted for every thread of the processes; empty where it does
    not.
    """
    counted: Reading = {}
    for pid in pids:
        with contextlib.suppress(OSError):  # it has ended, or this is not Linux
            for thread in os.listdir(f"/proc/{pid}/task"):
                with contextlib.suppress(OSError, ValueError, IndexError):
                    descriptor = os.open(f"/proc/{pid}/task/{thread}/schedstat", os.O_RDONLY)
                    try:
                        ran, waited = os.read(descriptor, 128).split()[:2]
                    finally:
                        os.close(descriptor)
                    counted[(pid, int(thread))] = int(ran), int(waited)
    return counted


def between(before: Reading, after: Reading) -> Tuple[int, int]:
    """Return how long all threads ran, and waited, between two readings, nanoseconds; a new thread
    has begun in between.
    """
    ran = waited = 0
    for key, (ran_until, waited_until) in after.items():
        ran_from, waited_from = before.get(key, (0, 0))
        ran += max(0, ran_until - ran_from)
        waited += max(0, waited_until - waited_from)
    return ran, waited


def descendants(pid: int) -> List[int]:
    """Return the processes that this one has started, and those that they have."""
    parents = _parents()
    below: List[int] = []
    known = {pid}
    while True:
        new = [child for child, parent in parents.items() if parent in known and child not in known]
        if not new:
            return below
        below += new
        known |= set(new)


def _parents() -> Dict[int, int]:
    """Return the parent of every process that can be read."""
    parents: Dict[int, int] = {}
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdigit():
                path = f"/proc/{name}/stat"
                with contextlib.suppress(OSError, ValueError, IndexError), open(path, "rb") as file:
                    parents[int(name)] = int(file.read().rsplit(b")", 1)[1].split()[1])
    return parents
