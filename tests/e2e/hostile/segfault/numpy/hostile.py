"""Reads address 0 in the middle of a job: SIGSEGV, as a broken native library does it."""

from __future__ import annotations

import ctypes
from typing import Any

from backends.ports.numpy.linear import Port as Honest


class Port(Honest):
    """The honest port with one fault."""

    def forward(self, batch: Any, training: bool) -> dict[str, Any]:
        ctypes.string_at(0)
        return super().forward(batch, training)
