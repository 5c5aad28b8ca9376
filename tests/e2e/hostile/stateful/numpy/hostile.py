"""Changes a parameter when only asked to look."""

from __future__ import annotations

from typing import Any

from backends.ports.numpy.linear import Port as Honest


class Port(Honest):
    """The honest port with one fault."""

    def forward(self, batch: Any, training: bool) -> dict[str, Any]:
        self.weights["W"] = self.weights["W"] + 1.0
        return super().forward(batch, training)
