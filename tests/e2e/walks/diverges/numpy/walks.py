"""A fault: training diverges for some seeds."""

from __future__ import annotations

from pathlib import Path

from backends.protocol import loading

HONEST = loading.load(str(Path(__file__).resolve().parents[2] / "numpy/walks.py"))


class Port(HONEST):
    """An even seed makes the loss NaN."""

    def losses(self, phase, batch):
        return (
            {name: float("nan") for name in super().losses(phase, batch)}
            if self.even
            else super().losses(phase, batch)
        )

    def train(self, source, steps):
        self.even = source.seed % 2 == 0
        return super().train(source, steps)
