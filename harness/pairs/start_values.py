"""The values that both sides of a pair begin with: drawn once, in the likeness of the first side's
own. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Roles whose values have to be positive.
POSITIVE = ("moving_variance",)
#: How far values that are all alike are moved apart, of themselves, or of 1 where they are 0.
APART = 0.1


def alike(
    role: str, own: NDArray[np.float64], generator: np.random.RandomState
) -> NDArray[np.float64]:
    """Return a parameter's start values, drawn in the likeness of the first side's own: those that
    differ in another order, those that are all alike (a bias of zeros, a scale of ones) moved
    apart, for what is the same everywhere shows no transpose and no order of gates.

    Args:
        role: of the piece. own: the values that the first side has. generator: of the draws.
    """
    if own.size == 0:
        return own
    alike = bool(np.all(own == own.flat[0]))
    if not alike:
        shuffled: NDArray[np.float64] = generator.permutation(own.ravel())
        return shuffled.reshape(own.shape)
    around = float(own.flat[0])
    noise = generator.uniform(-1.0, 1.0, own.shape)
    if role.rpartition("/")[2] in POSITIVE:
        return np.asarray(abs(around) + 0.5 * (1.0 + noise))
    return around + APART * (abs(around) or 1.0) * noise
