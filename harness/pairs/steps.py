"""Steps that a person has written into a map, checked before anything is done with them: the words
of `backends.adapter.pieces`, each with what it needs, on a parameter of a known shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

#: By word, what stands behind it.
FORMS = {
    "transpose": '["transpose", [axes in another order]]',
    "reshape": '["reshape", [another shape]]',
    "slice": '["slice", axis, start, stop]',
    "blocks": '["blocks", axis, [order of equal blocks]]',
    "shift": '["shift", axis, start, stop, number]',
}


def checked(step: Any, shape: Sequence[int]) -> tuple[object, ...]:
    """Return a step as `backends.adapter.pieces` takes it.

    Args:
        step: as TOML has it: anything. shape: of what it is applied to.

    Raises:
        ValueError: it is no step, or does not fit the shape; the message says what is wanted.
    """
    word = step[0] if isinstance(step, list) and step else None
    if not isinstance(word, str) or word not in FORMS:
        raise ValueError(f"{step!r} is none of {', '.join(FORMS.values())}")
    values = step[1:]
    if not _fits(word, values, tuple(shape)):
        raise ValueError(f"{step!r} does not fit {[*shape]}; wanted: {FORMS[word]}")
    return (word, *(tuple(item) if isinstance(item, list) else item for item in values))


def _fits(word: str, values: Sequence[Any], shape: tuple[int, ...]) -> bool:
    if word in ("transpose", "reshape"):
        return len(values) == 1 and whole_numbers(values[0]) and _reorders(word, values[0], shape)
    if len(values) != {"blocks": 2, "slice": 3, "shift": 4}[word]:
        return False
    axis, *rest = values
    if not whole_numbers([axis]) or not 0 <= axis < len(shape):
        return False
    size = shape[axis]
    if word == "blocks":
        (order,) = rest
        whole = whole_numbers(order) and order
        return bool(whole) and size % len(order) == 0 and sorted(order) == [*range(len(order))]
    inside = whole_numbers(rest[:2]) and 0 <= rest[0] < rest[1] <= size
    return inside and (word == "slice" or _is_number(rest[2]))


def _reorders(word: str, values: Sequence[int], shape: tuple[int, ...]) -> bool:
    """Return whether numbers are the axes of a shape, or another shape of as many values."""
    if word == "transpose":
        return sorted(values) == [*range(len(shape))]
    return min(values, default=1) >= 0 and math.prod(values) == math.prod(shape)


def whole_numbers(value: Any) -> bool:
    """Return whether a value is a list of whole numbers; `true` and 1.0 are none.

    Args:
        value: as TOML has it: anything.
    """
    return isinstance(value, list) and all(type(item) is int for item in value)


def _is_number(value: Any) -> bool:
    """Return whether a value is a number that arrays can hold."""
    if type(value) not in (int, float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
