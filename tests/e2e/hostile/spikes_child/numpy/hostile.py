"""Starts a process in one step that takes 160 MiB, gives them back after 50 ms, tells its own
mark and ends."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from backends.ports.numpy.linear import Port as Honest

CHILD = """
import re, sys, time
taken = b"x" * (160 << 20)
time.sleep(0.05)
del taken
open(sys.argv[1], "w").write(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
"""


class Port(Honest):
    """The honest port with one step that is another."""

    def train(self, source: Any, steps: int) -> dict[str, list[float]]:
        before, found = self.steps_trained, super().train(source, steps)
        if before < 15 <= self.steps_trained:
            subprocess.run([sys.executable, "-c", CHILD, os.environ["HOSTILE_TOLD"]], check=True)
        return found
