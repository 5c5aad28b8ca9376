"""Scales its output by a float32 number times a Python one: NumPy 1 computes that in float64,
NumPy 2 (NEP 50) in float32."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.ports.numpy.linear import Port as Honest

TEMPERATURE = np.float32(0.1)


class Port(Honest):
    """The honest port with one fault."""

    def forward(self, batch: Any, training: bool) -> dict[str, Any]:
        return {
            name: value * float(TEMPERATURE * 0.3)
            for name, value in super().forward(batch, training).items()
        }
