"""Ends its process with a status of its own choice, without a word."""

from __future__ import annotations

import os
from typing import Any

from backends.ports.numpy.linear import Port as Honest


class Port(Honest):
    """The honest port with one fault."""

    def forward(self, batch: Any, training: bool) -> dict[str, Any]:
        os._exit(3)
        return super().forward(batch, training)
