"""Trains well and reports a loss that is not a number when it is looked at."""

from __future__ import annotations

from typing import Any

from backends.ports.numpy.linear import Port as Honest


class Port(Honest):
    """The honest port with one fault."""

    def losses(self, phase: str, batch: Any) -> dict[str, float]:
        return {**super().losses(phase, batch), "total": float("nan")}

    def train_step(self, phase: str, batch: Any) -> dict[str, float]:
        before = super().losses(phase, batch)
        super().train_step(phase, batch)
        return before
