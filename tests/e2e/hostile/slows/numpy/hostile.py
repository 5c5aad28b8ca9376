"""Computes every gradient many times over, as long as the file HOSTILE_GATE exists when it is
imported: slower, and the same source."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from backends.ports.numpy.linear import Port as Honest

TIMES = 40 if Path(os.environ.get("HOSTILE_GATE", "/nowhere")).exists() else 0


class Port(Honest):
    """The honest port with one fault."""

    def gradients(self, phase: str, batch: Any) -> dict[str, Any]:
        for _ in range(TIMES):
            super().gradients(phase, batch)
        return super().gradients(phase, batch)
