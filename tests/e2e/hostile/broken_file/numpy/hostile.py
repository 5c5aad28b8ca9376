"""Writes half an array file and gives a checksum that fits it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backends.ports.numpy.linear import Port as Honest
from backends.recording import recorder


class Port(Honest):
    """The honest port with one fault."""

    def __init__(self, config: Any, setting: Any) -> None:
        super().__init__(config, setting)
        real = recorder.checksum

        def checksum(path: str) -> str:
            if path.endswith("forward.npz"):
                file = Path(path)
                file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
            return real(path)

        recorder.checksum = checksum
