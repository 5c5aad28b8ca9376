"""Has one activation of 64 MiB, more than the small disk holds that a test gives it."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.ports.numpy.linear import Port as Honest


class Port(Honest):
    """The honest port with one fault."""

    def forward(self, batch: Any, training: bool) -> dict[str, Any]:
        return {**super().forward(batch, training), "much": np.zeros(8 << 20)}
