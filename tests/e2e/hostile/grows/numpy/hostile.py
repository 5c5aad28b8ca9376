"""Takes 16 MiB after another, and gives up at 2 GiB so that a test without a limit does no harm."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.ports.numpy.linear import Port as Honest


class Port(Honest):
    """The honest port with one fault."""

    def forward(self, batch: Any, training: bool) -> dict[str, Any]:
        kept = []
        while len(kept) < 128:
            kept.append(np.ones(16 << 20, np.uint8))
        raise RuntimeError("nothing stopped this port at 2 GiB")
