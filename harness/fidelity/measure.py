"""The error measure between two tensors.

error = max|a - b| / max(d, s), where d is max|b| (for a parameter: the size of its update) and s
the tensor's own noise, in absolute terms. One number per tensor, on the tensor's own scale:
element-wise relative error reads 7e-2 between honest ports where a gradient is mathematically zero,
and a fixed absolute tolerance hides every fault in small gradients.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class TensorDifference:
    """How far two tensors of one shape are apart.

    Attributes:
        error: by the measure; NaN if either side has a value that is not finite.
        index: of the worst element; `value_a`, `value_b`: what stands there.
        norm_error: ||a - b|| / ||b||. cosine: of the angle between a and b; 1 for two zero tensors.
        finite: whether all values of both sides are finite; `same_mask`: whether NaN and infinities
            stand at the same indices.
        odd_a, odd_b: how many values of each side are not finite. departing: how many elements are
            further apart than allowed.
        size: of the tensor. apart: max|a - b|.
    """

    error: float
    index: tuple[int, ...]
    value_a: float
    value_b: float
    norm_error: float
    cosine: float
    finite: bool
    same_mask: bool
    odd_a: int = 0
    odd_b: int = 0
    departing: int = 0
    size: int = 0
    apart: float = 0.0


def difference(
    a: NDArray[Any], b: NDArray[Any], scale: float, allowed: float = math.inf
) -> TensorDifference:
    """Compare two tensors of equal shape. Empty tensors differ by 0.

    Args:
        a, b: the tensors. scale: the denominator max(d, s). allowed: the largest error that is no
            departure.
    """
    a, b, apart = _comparable(a, b)
    if a.size == 0:
        return TensorDifference(
            error=0.0,
            index=(),
            value_a=0.0,
            value_b=0.0,
            norm_error=0.0,
            cosine=1.0,
            finite=True,
            same_mask=True,
        )
    odd_a, odd_b = ~np.isfinite(a), ~np.isfinite(b)
    if odd_a.any() or odd_b.any():
        return _not_finite(a, b, odd_a, odd_b)
    apart = np.abs(a - b) if apart is None else apart
    index = np.unravel_index(int(np.argmax(apart)), a.shape)
    worst = float(apart[index])
    error = worst / scale if scale > 0.0 else (0.0 if worst == 0.0 else float("inf"))
    return TensorDifference(
        error=error,
        index=_plain(index),
        value_a=float(a[index]),
        value_b=float(b[index]),
        norm_error=_ratio(_norm(a - b), _norm(b)),
        cosine=_cosine(a, b),
        finite=True,
        same_mask=True,
        departing=int(np.count_nonzero(apart > allowed * scale)) if math.isfinite(allowed) else 0,
        size=a.size,
        apart=worst,
    )


def _not_finite(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    odd_a: NDArray[np.bool_],
    odd_b: NDArray[np.bool_],
) -> TensorDifference:
    """Return what can be said where values, `odd_a` and `odd_b`, are not finite."""
    index = np.unravel_index(int(np.argmax(odd_a | odd_b)), a.shape)
    same = np.array_equal(np.where(odd_a, a, 0.0), np.where(odd_b, b, 0.0), equal_nan=True)
    return TensorDifference(
        error=math.nan,
        index=_plain(index),
        value_a=float(a[index]),
        value_b=float(b[index]),
        norm_error=math.nan,
        cosine=math.nan,
        finite=False,
        same_mask=bool(same),
        odd_a=int(odd_a.sum()),
        odd_b=int(odd_b.sum()),
        size=a.size,
    )


def _comparable(
    a: NDArray[Any], b: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
    """Return two tensors as float64, and their distances where float64 cannot tell them: of whole
    numbers beyond 2^53.

    A complex tensor gets a last axis of two: the real and the imaginary part.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind in "iu" and b.dtype.kind in "iu":
        return a.astype(np.float64), b.astype(np.float64), whole_distance(a, b)
    if "c" in (a.dtype.kind, b.dtype.kind):
        a, b = (np.stack([value.real, value.imag], axis=-1) for value in (a, b))
    return a.astype(np.float64), b.astype(np.float64), None


def whole_distance(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """Return |a - b| of whole numbers of any width, exact before it is rounded to float64.

    Modulo 2^64 the larger less the smaller is right whatever their signs; only an unsigned number
    of 2^63 or more against a signed one is compared as Python's own integers.
    """
    if (
        "u" in (a.dtype.kind, b.dtype.kind)
        and max(a.max(initial=0), b.max(initial=0)) > np.iinfo(np.int64).max
    ):
        return np.asarray(np.abs(a.astype(object) - b.astype(object)), dtype=np.float64)
    a, b = a.astype(np.int64), b.astype(np.int64)
    with np.errstate(over="ignore"):
        distance = np.where(
            a >= b, a.view(np.uint64) - b.view(np.uint64), b.view(np.uint64) - a.view(np.uint64)
        )
    return np.asarray(distance, dtype=np.float64)


def _plain(index: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(int(axis) for axis in index)


def _norm(values: NDArray[np.float64]) -> float:
    """Euclidean norm, scaled first so that squares neither overflow nor vanish."""
    largest = float(np.max(np.abs(values)))
    return largest * float(np.sqrt(np.sum(np.square(values / largest)))) if largest > 0.0 else 0.0


def _ratio(top: float, bottom: float) -> float:
    if bottom > 0.0:
        return top / bottom
    return 0.0 if top == 0.0 else float("inf")


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    largest_a, largest_b = float(np.max(np.abs(a))), float(np.max(np.abs(b)))
    if largest_a == 0.0 or largest_b == 0.0:
        return 1.0 if largest_a == largest_b else 0.0
    unit_a, unit_b = a / largest_a, b / largest_b
    return float(np.sum(unit_a * unit_b)) / (_norm(unit_a) * _norm(unit_b))
