"""Keeps a process beside it that takes 32 MiB in one step, less than the worker holds, gives
them back after 50 ms, and stays."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from backends.ports.numpy.linear import Port as Honest

CHILD = """
import re, sys, time
print("ready", flush=True)
for _ in sys.stdin:
    taken = b"x" * (32 << 20)
    time.sleep(0.05)
    del taken
    status = open("/proc/self/status").read()
    open(sys.argv[1], "w").write(re.search(r"VmHWM:\\s*(\\d+)", status)[1])
    print("done", flush=True)
"""


class Port(Honest):
    """The honest port with one step that is another."""

    def __init__(self, config: Any, setting: Any) -> None:
        super().__init__(config, setting)
        argv = [sys.executable, "-c", CHILD, os.environ["HOSTILE_TOLD"]]
        self.keeper = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.keeper.stdout.readline()

    def train(self, source: Any, steps: int) -> dict[str, list[float]]:
        before, found = self.steps_trained, super().train(source, steps)
        if before < 15 <= self.steps_trained:
            self.keeper.stdin.write("now\n")
            self.keeper.stdin.flush()
            self.keeper.stdout.readline()
        return found
