"""Writes its scratch file to a device that is full; the kernel answers ENOSPC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backends.ports.numpy.linear import Port as Honest


class Port(Honest):
    """The honest port with one fault."""

    def forward(self, batch: Any, training: bool) -> dict[str, Any]:
        Path("/dev/full").write_bytes(bytes(1 << 16))
        return super().forward(batch, training)
