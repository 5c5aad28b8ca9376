"""A fault: the port begins with weights and noise of its own, whatever it is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backends.protocol import loading

HONEST = loading.load(str(Path(__file__).resolve().parents[2] / "numpy/walks.py"))


class Port(HONEST):
    """Every seed is 7."""

    def load_parameters(self, values):
        super().load_parameters({name: np.ones_like(value) for name, value in values.items()})

    def train(self, source, steps):
        source.seed = 7
        return super().train(source, steps)
