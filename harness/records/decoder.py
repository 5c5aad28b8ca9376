"""From plain JSON to frozen dataclasses, checked against their annotations: the one place where
what lies on disk, or what a worker has answered, gets types.

Plain dataclasses and not a library's models: their annotations are all that is needed, the
messages name file, field and value in the harness's own words, and the history, the reports and the
records share these few lines.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import math
import re
import sys
import types
import typing
from collections.abc import Iterable
from typing import Any, TypeVar

from harness.errors import CorruptRecord

Decoded = TypeVar("Decoded")
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
ALTERED = "the file is truncated or was altered"
#: Nothing that the harness writes is nested half as deep; whoever walks through deeper JSON may run
#: out of Python's stack.
DEEPEST = 64


def parse(text: str) -> Any:
    """Return strict JSON: no name twice, no number that JSON does not have, nested no deeper than
    `DEEPEST`.

    Args:
        text: of the file, or of a part of one.

    Raises:
        ValueError: it is none, and why.
    """
    try:
        return shallow(
            json.loads(text, parse_float=finite, parse_constant=finite, object_pairs_hook=unique)
        )
    except RecursionError:
        raise ValueError(f"it is nested more than {DEEPEST} deep") from None


def unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; `object_pairs_hook` of the standard library's reader.

    Raises:
        ValueError: it has a name twice: which of the two is meant, nobody can tell.
    """
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"it has the name {_short(name)} twice")
        members[name] = value
    return members


def finite(text: str) -> float:
    """Return a number of JSON; `parse_float` and `parse_constant` of the standard library's reader.

    Raises:
        ValueError: it is too large for a float, or one of the words that are no JSON.
    """
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number that this program writes")
    return value


def shallow(value: Any) -> Any:
    """Return JSON, which has to be nested no deeper than `DEEPEST`.

    Raises:
        ValueError: it is.
    """
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEEPEST):
        parts = [item.values() if isinstance(item, dict) else item for item in level]
        level = [item for part in parts for item in part if isinstance(item, (dict, list))]
        if not level:
            return value
    raise ValueError(f"it is nested more than {DEEPEST} deep")


def decode(kind: type[Decoded], value: Any, where: str) -> Decoded:
    """Return a frozen dataclass made of a JSON object; names that it does not have are left out.

    Args:
        kind: the dataclass. Its fields are strings, numbers, enumerations, `T | None`, one of
            several enumerations, `tuple[T, ...]`, `dict[str, T]`, `dict[int, T]`, other
            dataclasses, or `Any`, which is taken as it is.
        value: the object; a number that JSON does not have may be spelled "NaN" or "Infinity".
        where: the file, for messages.

    Raises:
        CorruptRecord: a field is missing or holds something else; the message names file, field,
            value and what belongs there.
    """
    if not isinstance(value, dict):
        raise CorruptRecord(
            f"{where}: {_short(value)} is met where {kind.__name__} belongs; {ALTERED}"
        )
    known: dict[str, Any] = {}
    for field in _fields(typing.cast("Any", kind)):
        if field.stored in value:
            part = value[field.stored]
            known[field.name] = _value(field.kind, part, f"{where}: {field.stored}")
        elif field.needed:
            raise CorruptRecord(f"{where}: '{field.stored}' is missing; {ALTERED}")
    return kind(**known)


@dataclasses.dataclass(frozen=True)
class Field:
    """One field of a dataclass.

    Attributes:
        stored: its name on disk, where that is another: `metadata={"name": ...}`.
        kind: its type. needed: whether it has no default.
    """

    name: str
    stored: str
    kind: Any
    needed: bool


@functools.cache
def _fields(kind: Any) -> tuple[Field, ...]:
    hints = typing.get_type_hints(kind)
    missing = dataclasses.MISSING
    return tuple(
        Field(
            name=field.name,
            stored=field.metadata.get("name", field.name),
            kind=hints[field.name],
            needed=field.default is missing and field.default_factory is missing,
        )
        for field in dataclasses.fields(kind)
    )


def _value(kind: Any, value: Any, where: str) -> Any:  # noqa: PLR0911  (one return a kind of value)
    """Return a JSON value as the type that a field has."""
    if kind is Any:
        return value
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    # The classes that workers share have the spelling of Python 3.7.
    if origin in (types.UnionType, typing.Union):
        return _either(parts, value, where)
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(_value(parts[0], part, f"{where}[{at}]") for at, part in enumerate(value))
    if origin is dict and isinstance(value, dict):
        named = {name: _value(parts[1], part, f"{where}.{name}") for name, part in value.items()}
        return named if parts[0] is str else {_index(name, where): named[name] for name in named}
    if dataclasses.is_dataclass(kind):
        return decode(typing.cast("type[Any]", kind), value, where)
    if kind is float:
        number = _number(value)
        if number is not None:
            return number
    elif kind in (str, int, bool):
        if type(value) is kind:
            return value
    elif _is_word(kind) and value in [*kind]:
        return kind(value)
    raise CorruptRecord(_wrong(where, value, _allowed(kind)))


def _either(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    """Return a JSON value as the one of several types that it is of: None and another, or
    enumerations."""
    if value is None and types.NoneType in kinds:
        return None
    words = [word for kind in kinds if _is_word(kind) for word in kind]
    if len(words) > 1 and value not in words:
        raise CorruptRecord(_wrong(where, value, _one_of(words)))
    kind = next((kind for kind in kinds if _is_word(kind) and value in [*kind]), kinds[0])
    return _value(kind, value, where)


def _is_word(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _index(name: str, where: str) -> int:
    """Return a number that is a name, for JSON has no other names than text."""
    if re.fullmatch(r"-?[0-9]{1,6}", name):
        return int(name)
    raise CorruptRecord(f"{where} has the name {_short(name)}, and has to have numbers; {ALTERED}")


def _wrong(where: str, value: Any, allowed: str) -> str:
    return f"{where} is {_short(value)}, and has to be {allowed}; {ALTERED}"


def _allowed(kind: Any) -> str:
    """Return in words what a field holds."""
    if _is_word(kind):
        return _one_of(kind)
    return str(getattr(kind, "__name__", kind))


def _one_of(words: Iterable[str]) -> str:
    return f"one of {', '.join(word or 'an empty text' for word in words)}"


def _number(value: Any) -> float | None:
    """Return a JSON value as a float; None where it is none."""
    if isinstance(value, str):
        return NOT_FINITE.get(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return None
    return float(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
