"""Returns an activation that is not a number."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.ports.numpy.linear import Port as Honest


class Port(Honest):
    """The honest port with one fault."""

    def forward(self, batch: Any, training: bool) -> dict[str, Any]:
        found = super().forward(batch, training)
        wrong = found["prediction"].copy()
        wrong[1] = np.nan
        found["prediction"] = wrong
        return found
