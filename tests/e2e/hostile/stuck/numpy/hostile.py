"""Sleeps in native code with the interpreter lock held, as long as the file HOSTILE_GATE exists when it starts."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Any

from backends.numpy.linear import Port as Honest


class Port(Honest):
    """The honest port with one fault."""

    def forward(self, batch: Any, training: bool) -> dict[str, Any]:
        if Path(os.environ["HOSTILE_GATE"]).exists():
            sys.stdout.write("stuck\n")
            sys.stdout.flush()
            ctypes.PyDLL(None).sleep(600)
        return super().forward(batch, training)
