"""How the weights of a module begin, told from the weights: the code that drew them is not to be
seen in them, but their distribution is."""

from __future__ import annotations

import math
from typing import Any, Callable, Dict, Iterable, Mapping, Tuple

import numpy as np

from backends.adapter import pieces
from backends.survey import Piece

#: Fewer numbers are not looked at. The spread of the spread of n numbers is up to 0.71 / sqrt(n).
ENOUGH, SPREAD = 100, 0.71
#: By word: the variance, as a function of the numbers of inputs and outputs.
SCALES: Dict[str, Callable[[float, float], float]] = {
    # torch's own for dense layers and convolutions: within 1/sqrt(inputs).
    "torch": lambda inputs, _: 1.0 / (3.0 * inputs),
    "glorot": lambda inputs, outputs: 2.0 / (inputs + outputs),
    "he": lambda inputs, _: 2.0 / inputs,
    "lecun": lambda inputs, _: 1.0 / inputs,
}


PLAIN = {0.0: "zeros", 1.0: "ones"}


def _fans(shape: Tuple[int, ...]) -> Tuple[float, float]:
    field = float(np.prod(shape[:-2], dtype=np.int64)) if len(shape) > 2 else 1.0
    return shape[-2] * field, shape[-1] * field


def _shape_of(value: np.ndarray, deviation: float) -> str:
    """Return `uniform`, `normal` or `truncated` by how far the outermost numbers are out."""
    outermost = np.abs(value - value.mean()).max() / deviation
    if outermost < math.sqrt(3.0) * (1.0 + 3.0 * 0.45 / math.sqrt(value.size)):
        return "uniform"
    # A thousand normal numbers do not stay within 2.4 deviations unless cut off.
    return "truncated" if outermost < 2.4 and value.size >= 1000 else "normal"


def word(value: np.ndarray) -> str:
    """Return how a tensor seems to begin: `zeros`, `ones`, `constant(number)`, `orthogonal`,
    `glorot_uniform`, `he_normal`, `torch_uniform`, ..., `uniform(limit)`, `normal(deviation)`; of
    a vector `zeros, forget gate 1`, or `random` if it is none of these; `unknown` where the
    numbers do not tell.

    Args:
        value: canonical: [..., in, out].
    """
    numbers = np.asarray(value, np.float64)
    first = float(numbers.flat[0]) if numbers.size else 0.0
    if numbers.size and (numbers == first).all() and (first in PLAIN or numbers.size > 1):
        return PLAIN.get(first, f"constant({first:.6g})")
    if numbers.ndim < 2:
        return _forgetting(numbers) or "random"
    if numbers.size < ENOUGH or not np.isfinite(numbers).all():
        return "unknown"
    return "orthogonal" if _orthogonal(numbers) else _scaled(numbers)


def _forgetting(numbers: np.ndarray) -> str:
    """Return the word for an LSTM's bias that is 0 but at the forget gate, the second of four;
    empty for anything else."""
    if numbers.size % 4 or not numbers.size:
        return ""
    gates = numbers.reshape(4, -1)
    forget = float(gates[1, 0])
    alike = forget != 0.0 and (gates[1] == forget).all()
    return f"zeros, forget gate {forget:g}" if alike and not gates[[0, 2, 3]].any() else ""


def _scaled(numbers: np.ndarray) -> str:
    deviation = float(numbers.std())
    shape = _shape_of(numbers, deviation)
    inputs, outputs = _fans(numbers.shape)
    distances = {
        name: abs(deviation / math.sqrt(scale(inputs, outputs)) - 1.0)
        for name, scale in SCALES.items()
    }
    near = [name for name in distances if distances[name] < 3 * SPREAD / math.sqrt(numbers.size)]
    if len(near) > 1:
        return "unknown"
    if near:
        return f"{near[0]}_{'uniform' if shape == 'uniform' else 'normal'}"
    if shape == "uniform":
        return f"uniform({deviation * math.sqrt(3.0):.2g})"
    return f"{shape.replace('truncated', 'truncated_normal')}({deviation:.2g})"


def _orthogonal(numbers: np.ndarray) -> bool:
    if numbers.ndim != 2 or max(numbers.shape) > 4096:
        return False
    tall = numbers if numbers.shape[0] >= numbers.shape[1] else numbers.T
    product = tall.T @ tall
    return bool(np.abs(product - np.eye(len(product))).max() < 1e-3)


def words(drawn: Mapping[str, Any], own: Iterable[Piece]) -> Dict[str, str]:
    """Return how the pieces of a layer begin, by role.

    Args:
        drawn: the values that the side's own code has drawn, by its names. own: the pieces.
    """
    return {
        piece.role: word(pieces.apply(drawn[piece.sources[0]], piece.steps))
        for piece in own
        if piece.sources[0] in drawn
    }
