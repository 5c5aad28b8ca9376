"""A fault: two channels change places."""

from __future__ import annotations

from pathlib import Path

from backends.protocol import loading

HONEST = loading.load(str(Path(__file__).resolve().parents[2] / "numpy/walks.py"))


class Port(HONEST):
    """The second channel first."""

    def generate(self, source, count):
        return super().generate(source, count)[:, :, [1, 0, 2, 3]]
