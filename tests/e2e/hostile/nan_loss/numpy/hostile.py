"""Returns a loss that is not a number, wherever it is asked for one."""

from __future__ import annotations

from typing import Any

from backends.ports.numpy.linear import Port as Honest


class Port(Honest):
    """The honest port with one fault."""

    def losses(self, phase: str, batch: Any) -> dict[str, float]:
        return dict.fromkeys(super().losses(phase, batch), float("nan"))
