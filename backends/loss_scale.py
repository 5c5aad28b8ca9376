"""The loss scale at which the gradients of a precision with a dynamic one are looked at.

Training starts at a scale of `PRECISION_TABLE` that may be too large for a model: an update that
overflows is skipped and halves the scale, so a few updates later training has gradients. To look
only at the first scale would show infinities that no weight ever sees. So whoever looks goes the
same way down, without a step of training, and tells how far it was.

One rule for all backends, on the arrays that they hand over: that a gradient is finite is no
question for a framework.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional

import numpy as np

#: Below this scale nothing is gained: the loss itself, unscaled, leaves the precision's range.
LEAST = 1.0

Gradients = Dict[str, np.ndarray]


def settle(
    port: Any, phase: str, start: Optional[float], gradients: Callable[[Optional[float]], Gradients]
) -> Gradients:
    """Return a phase's gradients at the scale that training would come down to, and note it in
    `port.loss_scales`.

    Args:
        port: gets `loss_scales[phase]`: the `scale` of what is returned, and how many times it was
            `halved` to get there.
        phase: whose gradients they are.
        start: the present scale of the phase's optimizer; None where the precision has no dynamic
            one.
        gradients: computes the unscaled gradients with the loss multiplied by a scale, or as it is
            for None. It is called once, and once more for each halving.

    Returns:
        The gradients at the first scale where all are finite, and where that is none, those at
        `LEAST`, as they are.
    """
    if start is None:
        return gradients(None)
    scale, halved = start, 0
    unscaled = gradients(scale)
    while scale > LEAST and not all(np.all(np.isfinite(value)) for value in unscaled.values()):
        scale, halved = max(LEAST, 0.5 * scale), halved + 1
        unscaled = gradients(scale)
    port.loss_scales[phase] = {"scale": scale, "halved": halved}
    return unscaled
