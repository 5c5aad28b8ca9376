"""Asks for more memory at once than any machine has."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.ports.numpy.linear import Port as Honest


class Port(Honest):
    """The honest port with one fault."""

    def forward(self, batch: Any, training: bool) -> dict[str, Any]:
        np.ones(1 << 60, np.uint8)
        return super().forward(batch, training)
