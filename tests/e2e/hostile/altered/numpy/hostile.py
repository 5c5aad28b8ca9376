"""Flips one bit of an array file after its checksum was taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backends.ports.numpy.linear import Port as Honest
from backends.recording import recorder as recording


class Port(Honest):
    """The honest port with one fault."""

    def __init__(self, config: Any, setting: Any) -> None:
        super().__init__(config, setting)
        real = recording.Recorder.record

        def record(recorder: Any, **arguments: Any) -> Any:
            result = real(recorder, **arguments)
            path = Path(recorder.folder) / "forward.npz"
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(bytes(content))
            return result

        recording.Recorder.record = record
