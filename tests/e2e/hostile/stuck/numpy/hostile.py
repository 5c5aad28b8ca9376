"""Sleeps in native code with the interpreter lock held, as long as the file HOSTILE_GATE exists
when it starts."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Any

from backends.ports.numpy.linear import Port as Honest


class Port(Honest):
    """The honest port with one fault, which a first short run does not find."""

    def train(self, source: Any, steps: int) -> dict[str, Any]:
        if steps > 1 and Path(os.environ["HOSTILE_GATE"]).exists():
            sys.stdout.write("stuck\n")
            sys.stdout.flush()
            ctypes.PyDLL(None).sleep(600)
        return super().train(source, steps)
