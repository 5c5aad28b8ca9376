"""Trains for ever."""

from __future__ import annotations

import threading
from typing import Any

from backends.ports.numpy.linear import Port as Honest


class Port(Honest):
    """The honest port with one fault."""

    def train(self, source: Any, steps: int) -> dict[str, list[float]]:
        threading.Event().wait()
        return super().train(source, steps)
