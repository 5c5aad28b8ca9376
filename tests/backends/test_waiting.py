"""How long threads waited for a processor, as the kernel counts it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from backends.measuring import processor_waits


def spin(count):
    """Work, without waiting for anything."""
    total = 0
    for number in range(count):
        total += number
    return total


def test_what_ran_between_two_readings():
    """A new thread has run since it began; one that has ended is not seen."""
    before = {(1, 1): (100, 10), (1, 2): (50, 5)}
    assert (30 + 7, 3 + 2) == processor_waits.between(before, {(1, 1): (130, 13), (1, 3): (7, 2)})
    assert (0, 0) == processor_waits.between(before, {}) == processor_waits.between(before, before)


def test_threads_that_share_a_processor_wait_for_each_other():
    """Two on one: together they waited about as long as they ran. This is the fault that the
    reading is there for."""
    if not hasattr(os, "sched_setaffinity") or not processor_waits.read([os.getpid()]):
        return  # not Linux: there is nothing to read, and the judge is told None
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        hog = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            waits = processor_waits.Waits()
            waits.begin()
            spin(20000000)
            found = waits.end()
        finally:
            hog.kill()
            hog.wait()
    finally:
        os.sched_setaffinity(0, allowed)
    assert (
        found["waited_s"] > 0.25 * found["ran_s"] > 0.0 and found["wall_s"] > 0.9 * found["ran_s"]
    )


def test_the_whole_tree_is_read():
    """Threads of this process, and those of what it has started."""
    if not os.path.isdir("/proc/self/task"):
        return
    ready, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: (ready.set(), done.wait()))
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    thread.start()
    try:
        ready.wait()
        assert child.pid in processor_waits.descendants(os.getpid())
        found = processor_waits.read(processor_waits.Waits().pids)
        assert {os.getpid(), child.pid} <= {pid for pid, _ in found} and len(found) >= 3
    finally:
        done.set()
        thread.join()
        child.communicate(b"\n")
    assert {} == processor_waits.read([child.pid])
