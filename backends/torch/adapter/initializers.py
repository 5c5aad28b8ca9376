"""How the weights of a module begin, told from the weights: the code that drew them is not to be
seen in them, but their distribution is."""

from __future__ import annotations

import math
from typing import Callable, Dict, List, Tuple

import numpy as np

#: So many numbers tell a distribution well enough: the spread of their spread is 2 %.
ENOUGH = 1200
#: By word: the variance, as a function of the numbers of inputs and outputs.
SCALES: Dict[str, Callable[[float, float], float]] = {
    # torch's own for dense layers and convolutions: within 1/sqrt(inputs).
    "torch": lambda inputs, _: 1.0 / (3.0 * inputs),
    "glorot": lambda inputs, outputs: 2.0 / (inputs + outputs),
    "he": lambda inputs, _: 2.0 / inputs,
    "lecun": lambda inputs, _: 1.0 / inputs,
}


def _fans(shape: Tuple[int, ...]) -> Tuple[float, float]:
    field = float(np.prod(shape[:-2], dtype=np.int64)) if len(shape) > 2 else 1.0
    return shape[-2] * field, shape[-1] * field


def _shape_of(value: np.ndarray, deviation: float) -> str:
    """Return `uniform`, `normal` or `truncated` by how far the outermost numbers are out."""
    outermost = np.abs(value - value.mean()).max() / deviation
    if outermost < 1.8:  # sqrt(3) = 1.73
        return "uniform"
    # Normal numbers, so many of them, do not stay within 2.3 deviations unless cut off.
    return "truncated" if outermost < 2.4 else "normal"


def word(value: np.ndarray) -> str:
    """Return how a tensor seems to begin: `zeros`, `ones`, `constant`, `orthogonal`,
    `glorot_uniform`, `he_normal`, ..., `uniform(limit)`, `normal(deviation)`; `unknown` where there
    are too few numbers to tell.

    Args:
        value: canonical: [..., in, out].
    """
    numbers = np.asarray(value, np.float64)
    if not numbers.size or not np.isfinite(numbers).all():
        return "unknown"
    if (numbers == numbers.flat[0]).all():
        first = float(numbers.flat[0])
        return {0.0: "zeros", 1.0: "ones"}.get(first, f"constant({first:.6g})")
    if numbers.size < ENOUGH or numbers.ndim < 2:
        return "unknown"
    return "orthogonal" if _orthogonal(numbers) else _scaled(numbers)


def _scaled(numbers: np.ndarray) -> str:
    deviation = float(numbers.std())
    shape = _shape_of(numbers, deviation)
    inputs, outputs = _fans(numbers.shape)
    candidates: List[Tuple[float, str]] = [
        (abs(deviation / math.sqrt(scale(inputs, outputs)) - 1.0), name)
        for name, scale in SCALES.items()
    ]
    distance, name = min(candidates)
    if distance < 0.06:
        return f"{name}_{'uniform' if shape == 'uniform' else 'normal'}"
    if shape == "uniform":
        return f"uniform({deviation * math.sqrt(3.0):.2g})"
    return f"{shape.replace('truncated', 'truncated_normal')}({deviation:.2g})"


def _orthogonal(numbers: np.ndarray) -> bool:
    if numbers.ndim != 2 or max(numbers.shape) > 4096:
        return False
    tall = numbers if numbers.shape[0] >= numbers.shape[1] else numbers.T
    product = tall.T @ tall
    return bool(np.abs(product - np.eye(len(product))).max() < 1e-3)
