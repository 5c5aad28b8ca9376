"""A process that adds runs to a history, for tests that start several and kill them.

    writer.py FILE FIRST COUNT    adds runs FIRST, FIRST + 1, ... and prints the number of each once
    it is added writer.py                     reads lines "FILE FIRST" and forks for each a child
    that does so until it is killed

A child is forked from a process that has imported all: its whole life is adding runs.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import sample

from harness.history import open_history


def add(path: str, numbers: Iterable[int]) -> None:
    """Add runs; tell of each when it is on disk, in one write that a kill cannot cut in two."""
    with open_history(Path(path)) as history:
        for number in numbers:
            history.add(sample.report(number))
            os.write(1, f"{number}\n".encode())


def serve() -> None:
    """Fork a child for each line, tell its process id, wait for its end and tell that."""
    for line in sys.stdin:
        path, first = line.split()
        child = os.fork()
        if not child:
            os.write(1, f"pid {os.getpid()}\n".encode())
            add(path, itertools.count(int(first)))
        os.waitpid(child, 0)
        os.write(1, b"ended\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        add(sys.argv[1], range(int(sys.argv[2]), int(sys.argv[2]) + int(sys.argv[3])))
    else:
        serve()
