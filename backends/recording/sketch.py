"""A sketch of a large tensor: sums of its values with random signs, by which two runs are compared
without keeping either.

The values, in one row, are cut into blocks of `BLOCK`; of each block `SUMS` sums with signs of +1
and -1 are kept, divided by √BLOCK. A sketch is linear: the sketch of a difference is the difference
of the sketches. So two tensors are compared by their sketches with the same measure, and with the
movements of the sketches under honest variations as the floor.

What that proves. Let d be the largest distance of two values, e the largest distance of two numbers
of the sketches. The sum that holds the largest distance is ±d and a rest that does not know this
sign: for one of the two signs it is at least d. So one sum of the block is smaller than d with a
chance of at most 1/2, all of them with one of at most 2^-SUMS, and otherwise d <= √BLOCK e. In the
other direction |sum| <= BLOCK d, so e <= √BLOCK d. The signs are drawn once, and know nothing of
either tensor.
"""

from __future__ import annotations

import functools
import hashlib
import math

import numpy as np

from backends.contract import SKETCH_BLOCK as BLOCK
from backends.contract import SKETCH_SUMS as SUMS
from backends.contract import sketch_size

#: By how much the largest distance of two values may exceed that of two numbers of the sketches.
BOUND = math.sqrt(BLOCK)
SEED = 20150
#: Sums of larger numbers may overflow.
LARGEST = 2.0**1000


@functools.lru_cache(maxsize=None)
def signs() -> np.ndarray:
    """Return the signs, [BLOCK, SUMS], those of every block."""
    drawn = np.random.RandomState(SEED).randint(0, 2, size=(BLOCK, SUMS))
    return 2.0 * drawn - 1.0


def is_sketched(value: np.ndarray, least: int) -> bool:
    """Return whether a tensor is kept as its sketch: it is large and holds real numbers, all of
    them finite.

    Args:
        value: the tensor. least: values that it has to have; 0: none is kept so.
    """
    if not sketch_size(value.size, least) or value.dtype.kind != "f":
        return False
    # Of NaN and infinities there is no sum; the smallest and the largest tell of all.
    bounds = np.array([np.min(value), np.max(value)], np.float64)
    return bool(np.all(np.abs(bounds) < LARGEST))


def sketch(value: np.ndarray) -> np.ndarray:
    """Return the sketch of a tensor, float64, [blocks, SUMS]; the last block is filled with zeros.

    Args:
        value: real and finite, of any shape.
    """
    flat = np.ascontiguousarray(value).reshape(-1)
    blocks = -(-flat.size // BLOCK)
    whole = flat.size // BLOCK
    summed = np.zeros((blocks, SUMS))
    summed[:whole] = _summed(flat[: whole * BLOCK].reshape(whole, BLOCK))
    if whole < blocks:
        rest = np.zeros((1, BLOCK), flat.dtype)
        rest[0, : flat.size - whole * BLOCK] = flat[whole * BLOCK :]
        summed[whole:] = _summed(rest)
    summed /= BOUND
    return summed


#: Blocks that are summed at a time: so few that OpenBLAS does it in one thread, for whose others
#: workers beside each other would wait.
_AT_A_TIME = 32


#: Values that are hashed at a time: so few that they stay in the cache.
_HASHED = 1 << 14


def _summed(blocks: np.ndarray) -> np.ndarray:
    """Return the signed sums of blocks, [count, BLOCK]."""
    summed = np.empty((len(blocks), SUMS))
    wide = np.empty((_AT_A_TIME, BLOCK))
    for first in range(0, len(blocks), _AT_A_TIME):
        values = blocks[first : first + _AT_A_TIME]
        if values.dtype != np.float64:
            part = wide[: len(values)]
            np.copyto(part, values)
            values = part
        np.matmul(values, signs(), out=summed[first : first + len(values)])
    return summed


def content(value: np.ndarray) -> str:
    """Return the SHA-256 of a tensor's values; -0 is 0."""
    flat, digest = np.ascontiguousarray(value).reshape(-1), hashlib.sha256()
    for first in range(0, flat.size, _HASHED):
        digest.update((flat[first : first + _HASHED] + 0.0).data)
    return digest.hexdigest()
