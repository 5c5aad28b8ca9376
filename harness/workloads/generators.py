"""Draws of a tape: uniform ones only, whose bits depend on no platform's libm."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def normal(generator: np.random.RandomState, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return draws of mean 0 and variance 1: the sum of twelve uniforms less six (Irwin-Hall),
    close to normal within three standard deviations. A true normal draw takes logarithms, whose
    last bit depends on the platform; a tape must not.

    Args:
        generator: moves on by twelve draws a value.
        shape: of what is returned.

    Example:
        >>> draws = normal(np.random.RandomState(0), (4, 1000))
        >>> draws.shape, bool(abs(draws.mean()) < 0.1), bool(abs(draws.std() - 1.0) < 0.1)
        ((4, 1000), True, True)
    """
    total = np.full(shape, -6.0)
    for _ in range(12):
        total += generator.uniform(size=shape)
    return total


def glorot_uniform(generator: np.random.RandomState, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return uniform draws within sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010); of a vector
    both fans are its length.

    Args:
        generator: moves on by one draw a value.
        shape: [..., fan in, fan out]; axes before, those of a convolution's window, multiply both.

    Example:
        >>> kernel = glorot_uniform(np.random.RandomState(0), (3, 3, 2, 4))
        >>> kernel.shape, bool(np.abs(kernel).max() <= math.sqrt(6.0 / (9 * (2 + 4))))
        ((3, 3, 2, 4), True)
    """
    receptive = math.prod(shape[:-2])
    fans = shape[-1] + (shape[-2] if len(shape) > 1 else shape[-1])
    limit = math.sqrt(6.0 / (receptive * fans))
    return generator.uniform(-limit, limit, size=shape)
