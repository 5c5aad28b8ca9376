"""Honest variations of a run: what they change is known to be harmless, so what they move is the
noise of a tensor.

    ulp       weights, inputs and noise moved by one unit in the last place of a precision, up or
              down at random; inputs that are all 0 or 1 stay
    weights   weights alone moved by one unit in the last place, equal ones alike, so that no edge
              in the data and no tie between weights is crossed
    reorder   the rows of every batch in another order (sums over the batch run in another order)
    repeat    nothing changed: a port that draws noise or batches of its own moves all the same
    constants hyper-parameters of a pair's optimizers in float32, as some frameworks hold them
              inside a float64 run: the rates (`constants:rates`), the `constants:others`, or the
              `constants:powers` of β, each by itself, for two may make up for each other; where
              float32 holds all of them that is the run itself, and no other is made
    round     weights, inputs and noise rounded to a lower precision: what that precision
              necessarily costs

`backends.recording.recorder` runs a port once more with each of them.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, Mapping

import numpy as np

#: Before the colon of its kinds.
CONSTANTS = "constants"
#: Explicit mantissa bits of each precision.
MANTISSA_BITS = {"fp64": 52, "fp32": 23, "tf32": 10, "bf16": 7, "fp16": 10}


def vary(run: Any, variant: Mapping[str, Any]) -> Any:
    """Turn a `passes.Run` into an honest variation of itself; `variant` has `kind`, `precision` and
    `seed`.
    """
    generator = np.random.RandomState(variant["seed"])
    kind = variant["kind"].split(":")[0]
    if kind == CONSTANTS:
        run.constants = variant["kind"].partition(":")[2]
        return run
    if kind == "repeat":
        run.brief = True  # a run that does not repeat shows in its first step
        return run
    if kind == "reorder":
        run.order = generator.permutation(run.config["batch"])
        run.tape = _reordered(run.tape, run.order)
        return run
    bits = MANTISSA_BITS[variant["precision"]]
    if kind == "weights":
        run.tape = {
            name: _alike(value, bits, generator) if name.startswith("weights/") else value
            for name, value in run.tape.items()
        }
        return run

    def change(value: np.ndarray) -> np.ndarray:
        if value.dtype.kind != "f":
            return value
        return round_to(value, bits) if kind == "round" else _moved(value, bits, generator)

    run.tape = {
        name: value if name == "batches" else change(value) for name, value in run.tape.items()
    }
    run.data = {
        name: value if _is_label(value) else change(value) for name, value in run.data.items()
    }
    return run


def _reordered(tape: Mapping[str, np.ndarray], order: np.ndarray) -> Dict[str, np.ndarray]:
    """Return a tape whose batches and their noise have their rows in another order."""
    reordered = dict(tape)
    for name, value in tape.items():
        noise = name.startswith("noise/") and not name.startswith("noise/generate/")
        if noise or name == "batches":
            reordered[name] = np.stack([permuted(step, order) for step in value])
    return reordered


def _moved(value: np.ndarray, bits: int, generator: np.random.RandomState) -> np.ndarray:
    """Return an array moved by one unit in the last place, up or down at random."""
    direction = generator.choice([-1.0, 1.0], size=value.shape)
    moved: np.ndarray = value * (1.0 + np.ldexp(direction, -bits))
    return moved


def _alike(value: np.ndarray, bits: int, generator: np.random.RandomState) -> np.ndarray:
    """Return an array moved by one unit in the last place, up or down at random, equal values in
    the same direction.
    """
    if value.dtype.kind != "f":
        return value
    distinct, indices = np.unique(value, return_inverse=True)
    return _moved(distinct, bits, generator)[indices].reshape(value.shape)


def permuted(value: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return an array with its rows in the order of the batch's.

    The first axis need not be the batch: of attention it is batch * heads, and the block of each
    row moves as a whole. One draw for all rows, and what is no multiple of the batch, has no row to
    move.
    """
    rows = value.shape[0] if value.ndim else 0
    if not rows or rows % len(order):
        return value
    blocks = value.reshape((len(order), rows // len(order)) + value.shape[1:])
    reordered: np.ndarray = blocks[order].reshape(value.shape)
    return reordered


def in_order(value: np.ndarray, order: np.ndarray) -> Iterator[np.ndarray]:
    """Yield an array with its rows in the order of the batch's, for each axis that may be theirs:
    the first, alone or with something else inside of it or around it, or another one that is as
    long as the batch.
    """
    yield permuted(value, order)
    for axis in range(1, value.ndim):
        if value.shape[axis] == len(order):
            yield np.take(value, order, axis)
    if value.ndim and value.shape[0] > len(order) and value.shape[0] % len(order) == 0:
        around = value.reshape((-1, len(order)) + value.shape[1:])
        yield around[:, order].reshape(value.shape)


def _is_label(value: np.ndarray) -> bool:
    """Whether an array holds nothing but 0 and 1: a probability a little above 1 is an error to
    some losses.
    """
    return bool(np.all((value == 0) | (value == 1)))


def round_to(value: np.ndarray, bits: int) -> np.ndarray:
    """Return the values rounded to `bits` explicit mantissa bits, half to even; of any range."""
    fraction, exponent = np.frexp(value)
    rounded: np.ndarray = np.ldexp(np.rint(np.ldexp(fraction, bits + 1)), exponent - bits - 1)
    return rounded
