"""Cuts an array file short after its checksum was taken, as a dying disk or a copy that was
broken off does."""

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
            path.write_bytes(path.read_bytes()[:-100])
            return result

        recording.Recorder.record = record
