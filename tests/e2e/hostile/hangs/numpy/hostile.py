"""Waits in `forward` for what never comes."""

from __future__ import annotations

import threading
from typing import Any

from backends.ports.numpy.linear import Port as Honest


class Port(Honest):
    """The honest port with one fault."""

    def forward(self, batch: Any, training: bool) -> dict[str, Any]:
        threading.Event().wait()
        return super().forward(batch, training)
