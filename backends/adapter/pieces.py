"""From a side's own parameters to the canonical form and back: transposes, fused kernels, orders of
gates, two biases for one.

A `backends.survey.Piece` says from which of a side's parameters a canonical tensor is made, and by
which steps, each a tuple that begins with a word:

    ("transpose", axes)                      the axes in another order
    ("reshape", shape)                       the same numbers in another shape
    ("slice", axis, start, stop)             a part of an axis: one of several fused kernels
    ("blocks", axis, order)                  an axis of len(order) equal blocks, in that order
    ("shift", axis, start, stop, value)      a constant added to a part: the forget gate's bias
    ("concatenate", axis)                    only as the first: the sources beside each other, and
                                             not their sum: gates with kernels of their own

All of them can be undone, given the array that the result was cut out of. Standard library and
NumPy.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, Iterable, List, Mapping, Sequence

import numpy as np

from backends.survey import AVERAGE, Piece

Step = Sequence[Any]
#: How far weights that only one side has are moved apart, as `harness.pairs.inference` has it.
APART = 0.1


def _slices(ndim: int, axis: int, start: int, stop: int) -> Any:
    index: List[Any] = [slice(None)] * ndim
    index[axis] = slice(start, stop)
    return tuple(index)


def _blocks(value: np.ndarray, axis: int, order: Sequence[int]) -> np.ndarray:
    parts = np.split(value, len(order), axis)
    return np.concatenate([parts[index] for index in order], axis)


def _forward(value: np.ndarray, step: Step, linear: bool) -> np.ndarray:
    word = step[0]
    if word == "transpose":
        return np.transpose(value, step[1])
    if word == "reshape":
        return np.reshape(value, step[1])
    if word == "slice":
        part: np.ndarray = value[_slices(value.ndim, *step[1:])]
        return part
    if word == "blocks":
        return _blocks(value, step[1], step[2])
    if word == "shift":
        axis, start, stop, amount = step[1:]
        shifted = np.array(value)
        if not linear:
            shifted[_slices(value.ndim, axis, start, stop)] += amount
        return shifted
    raise ValueError(
        f"step {word!r} of a piece: not one of transpose, reshape, slice, blocks, shift, and"
        " concatenate as the first"
    )


def _put(own: np.ndarray, steps: Sequence[Step], value: np.ndarray) -> np.ndarray:
    """Return the array `own` with what the steps cut out of it replaced by `value`."""
    if not steps:
        return np.array(value).reshape(own.shape)
    step, rest = steps[0], steps[1:]
    # Shifted too: a later slice leaves a part of what is shifted back below as it is.
    inner = _put(_forward(own, step, linear=False), rest, value)
    word = step[0]
    if word == "transpose":
        return np.transpose(inner, np.argsort(step[1]))
    if word == "reshape":
        return inner.reshape(own.shape)
    if word == "slice":
        replaced = np.array(own)
        replaced[_slices(own.ndim, *step[1:])] = inner
        return replaced
    if word == "blocks":
        return _blocks(inner, step[1], np.argsort(step[2]).tolist())
    axis, start, stop, amount = step[1:]  # a shift
    shifted = np.array(inner)
    shifted[_slices(own.ndim, axis, start, stop)] -= amount
    return shifted


def apply(value: np.ndarray, steps: Iterable[Step], linear: bool = False) -> np.ndarray:
    """Return what the steps make of one of a side's own arrays.

    Args:
        value: in the side's layout. steps: as the module says.
        linear: for a gradient or a slot, which no constant is added to.

    Raises:
        ValueError: a step has no such word, or does not fit the shape.

    Example:
        The bias of a TF1 LSTM of one unit: gates i j f o, and 1 is added to f when it runs.

        >>> steps = [("blocks", 0, (0, 2, 1, 3)), ("shift", 0, 1, 2, 1.0)]
        >>> apply(np.array([1.0, 2.0, 3.0, 4.0]), steps).tolist()
        [1.0, 4.0, 2.0, 4.0]
    """
    for step in steps:
        value = _forward(value, step, linear)
    return np.array(value)


def _beside(piece: Piece) -> bool:
    return bool(piece.steps) and piece.steps[0][0] == "concatenate"


def _cut(own: np.ndarray, steps: Sequence[Step]) -> np.ndarray:
    """Return what `_put` puts values into. Where they take the place of all of it, its shape is
    enough."""
    if any(step[0] == "slice" for step in steps):
        return np.asarray(own, np.float64)
    return np.broadcast_to(np.float64(0.0), np.shape(own))


def _concatenated(piece: Piece, own: Mapping[str, np.ndarray]) -> np.ndarray:
    parts = [np.asarray(own[name], np.float64) for name in piece.sources]
    return np.concatenate(parts, piece.steps[0][1])


def canonical(piece: Piece, own: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the canonical tensor of a piece.

    Args:
        piece: which. own: the side's parameters by their own names.
    """
    if _beside(piece):
        return apply(_concatenated(piece, own), piece.steps[1:])
    parts = [
        apply(own[name], piece.steps, linear=index > 0) for index, name in enumerate(piece.sources)
    ]
    return parts[0] if len(parts) == 1 else np.sum(parts, axis=0)


class Shapes:
    """The canonical shapes of pieces: no large array is laid out anew each time for its shape.

    Args:
        pieces: by name.
    """

    def __init__(self, pieces: Mapping[str, Piece]) -> None:
        self._pieces = pieces
        self._of: Any = None
        self._made: Dict[str, Any] = {}

    def of(self, own: Mapping[str, np.ndarray]) -> Dict[str, Any]:
        """Return them by name, made anew where the side's own shapes, or pieces, have changed.

        Args:
            own: the side's parameters by their own names.
        """
        of = dict(self._pieces), {name: np.shape(value) for name, value in own.items()}
        if self._of != of:
            self._made = {name: canonical(part, own).shape for name, part in self._pieces.items()}
            self._of = of
        return self._made


def derived(piece: Piece, own: Mapping[str, np.ndarray]) -> Any:
    """Return a gradient or a slot of a piece in canonical form: that of its first source that has
    one, since all of a sum have the same. None where none has.

    Args:
        piece: which. own: gradients or slots by the names of the side's parameters.
    """
    if _beside(piece):
        if all(name in own for name in piece.sources):
            return apply(_concatenated(piece, own), piece.steps[1:], linear=True)
        return None
    for name in piece.sources:
        if name in own:
            return apply(own[name], piece.steps, linear=True)
    return None


def own_gradients(
    pieces: Iterable[Piece], gradients: Mapping[str, np.ndarray], own: Mapping[str, np.ndarray]
) -> Dict[str, np.ndarray]:
    """Return canonical gradients by the side's own parameters, in their layouts: the inverse of
    `derived`. Each source of a sum has the whole of it.

    Args:
        pieces: of the side. gradients: canonical, by piece; those that are missing leave their
            parameters out. own: the parameters, for their shapes.
    """
    chosen = [piece for piece in pieces if piece.name in gradients]
    zeros = {name: np.zeros(own[name].shape) for piece in chosen for name in piece.sources}
    linear, values = [], {}
    for piece in chosen:
        steps = tuple(step for step in piece.steps if step[0] != "shift")
        linear.append(dataclasses.replace(piece, steps=steps))
        parts = 1 if _beside(piece) else len(piece.sources)
        values[piece.name] = np.asarray(gradients[piece.name], np.float64) * parts
    return own_values(linear, values, zeros)


def own_values(
    pieces: Iterable[Piece], values: Mapping[str, np.ndarray], own: Mapping[str, np.ndarray]
) -> Dict[str, np.ndarray]:
    """Return the side's parameters with canonical values in the place of what they were.

    Each source of a sum of n gets the n-th part: all of them count.

    Args:
        pieces: of the side. values: canonical, by piece. own: the parameters as they are now.
    """
    changed = dict(own)
    for piece in pieces:
        if _beside(piece):
            whole = _concatenated(piece, changed)
            whole = _put(whole, piece.steps[1:], np.asarray(values[piece.name]))
            ends = np.cumsum([changed[name].shape[piece.steps[0][1]] for name in piece.sources])
            parts = np.split(whole, ends[:-1].tolist(), piece.steps[0][1])
            changed.update(zip(piece.sources, parts))
            continue
        share = np.asarray(values[piece.name])
        if len(piece.sources) > 1:
            share = share / len(piece.sources)
        for index, name in enumerate(piece.sources):
            # A constant is added to the first one alone, as `canonical` has it.
            steps = [step for step in piece.steps if not index or step[0] != "shift"]
            changed[name] = _put(_cut(changed[name], steps), steps, share)
    return changed


def slot(piece: Piece, word: str, own: Mapping[str, np.ndarray]) -> Any:
    """Return a slot of a piece in canonical form, None where there is none: as `derived`, but for
    the average of a weight, which is a weight and made of all that this is made of.

    Args:
        piece: which. word: of the slot. own: slots by the names of the side's parameters.
    """
    if word != AVERAGE:
        return derived(piece, own)
    return canonical(piece, own) if all(name in own for name in piece.sources) else None


def own_slots(
    pieces: Iterable[Piece],
    word: str,
    slots: Mapping[str, np.ndarray],
    own: Mapping[str, np.ndarray],
    held: Mapping[str, np.ndarray],
) -> Dict[str, np.ndarray]:
    """Return canonical slots by the side's own parameters: the inverse of `slot`.

    Args:
        pieces: of the side. word: of the slots. slots: canonical, by piece. own: the parameters.
        held: the slots as they are now, by the names of the parameters.
    """
    if word != AVERAGE:
        return own_gradients(pieces, slots, own)
    chosen = [piece for piece in pieces if piece.name in slots and held.keys() >= {*piece.sources}]
    return own_values(chosen, slots, held)


def moved_apart(values: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Return weights that are all alike moved apart: a bias of zeros that the other side has not
    would be seen only once it has been trained.

    Args:
        values: by name.
    """
    generator = np.random.RandomState(0)
    moved = {}
    for name in sorted(values):
        value = values[name]
        if value.size and np.all(value == value.flat[0]):
            noise = generator.uniform(-1.0, 1.0, value.shape)
            moved[name] = value + APART * (abs(float(value.flat[0])) or 1.0) * noise
    return moved
