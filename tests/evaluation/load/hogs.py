"""Programs that take processors away, as other people's do: one on every core, a crowd of them,
one that comes and goes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

HOG = "while True: pass"
#: At work for about so many seconds, then gone for as many, at random.
COMING = """
import random, time
while True:
    end = time.time() + random.uniform(0.5, 4)
    while time.time() < end: pass
    time.sleep(random.uniform(0.5, 4))
"""
#: How many processes of each program a processor gets.
LOADS = {"none": (0, HOG), "core": (1, HOG), "crowd": (4, HOG), "comes": (1, COMING)}


@contextlib.contextmanager
def running(load: str) -> Iterator[None]:
    """Keep a load running while the block does; it ends with it, whatever ended it."""
    each, program = LOADS[load]
    started: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(each * len(os.sched_getaffinity(0))):
            hog = subprocess.Popen([sys.executable, "-c", program])
            started.append(hog)  # at once: one that cannot start must not leave the others behind
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()
