"""Takes 96 MiB in one step and gives them back after 50 ms: no sample of its memory need see it."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from backends.ports.numpy.linear import Port as Honest

SPIKE_BYTES = 96 << 20


class Port(Honest):
    """The honest port with one step that is another."""

    def train(self, source: Any, steps: int) -> dict[str, list[float]]:
        before, found = self.steps_trained, super().train(source, steps)
        if before < 15 <= self.steps_trained:
            taken = np.ones(SPIKE_BYTES, np.uint8)
            threading.Event().wait(0.05)
            del taken
        return found
