"""The report as JSON, and back: for machines, and for drawing a report again without judging again.

Strict JSON: what is not finite is written as "NaN", "Infinity" or "-Infinity" and read back where
the model has a float. The same report gives the same bytes: the top level in a fixed order, names
below it sorted. The module is not called `json` so that the standard library's is never shadowed.
History of the schema: see `model.SCHEMA`.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import math
import sys
import types
import typing
from typing import Any, TypeVar

from harness.errors import CorruptRecord, NewerSchema
from harness.results.model import SCHEMA, Report

Row = TypeVar("Row")
SUMMARY = ("fidelity", "headline", "exit_code")
ORDER = (
    "schema",
    "title",
    "created",
    "harness_version",
    "commit",
    "command",
    "summary",
    "notes",
    "stages",
    "speed",
    "quality",
    "jobs",
    "builds",
    "tapes",
    "curves",
    "spreads",
    "history",
)
#: Columns of numbers, each on a line of its own: a number a line would make the file several times
#: as long.
COLUMNS = ("compared", "turns", "curves", "spreads", "history")
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def to_json(report: Report) -> str:
    """Return the report as strict JSON with a newline at its end."""
    flat = dataclasses.asdict(report)
    flat["summary"] = {name: flat.pop(name) for name in SUMMARY}
    return _text({name: plain(flat[name]) for name in ORDER}) + "\n"


def _text(value: Any, margin: str = "\n ") -> str:
    """Return JSON that is indented by one space, but for columns of numbers. `margin`: a new line
    and the indentation inside."""
    if not value or not isinstance(value, (dict, list)):
        return json.dumps(value, allow_nan=False)
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(name)}:"
            f" {_column(part, margin) if name in COLUMNS else _text(part, margin + ' ')}"
            for name, part in value.items()
        ]
        return "{" + margin + f",{margin}".join(parts) + margin[:-1] + "}"
    return (
        "["
        + margin
        + f",{margin}".join(_text(part, margin + " ") for part in value)
        + margin[:-1]
        + "]"
    )


def _column(value: Any, margin: str) -> str:
    """Return JSON in which each column of a mapping, or each item of a list, takes one line."""
    inner = margin + " "
    if isinstance(value, dict) and value:
        parts = [f"{json.dumps(name)}: {_dense(part)}" for name, part in value.items()]
        return "{" + inner + f",{inner}".join(parts) + margin + "}"
    if isinstance(value, list) and value:
        return "[" + inner + f",{inner}".join(_dense(part) for part in value) + margin + "]"
    return _dense(value)


def _dense(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def plain(value: Any) -> Any:
    """Return a value that strict JSON can hold, its names sorted; in what a build tells of itself,
    anything unknown becomes its text."""
    if isinstance(value, float):
        return (
            value
            if math.isfinite(value)
            else "NaN"
            if math.isnan(value)
            else "Infinity"
            if value > 0
            else "-Infinity"
        )
    if isinstance(value, dict):
        names = {str(name): part for name, part in value.items()}
        return {name: plain(names[name]) for name in sorted(names)}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if value is None or isinstance(value, (str, int)):
        return value
    return str(value)


def from_json(text: str, source: str = "the report") -> Report:
    """Return the report that `to_json` wrote.

    Args:
        text: the file's content.
        source: the file's name, for messages.

    Raises:
        NewerSchema: written by a newer harness.
        CorruptRecord: not JSON, or not a report.
    """
    try:
        flat = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CorruptRecord(f"{source} is not JSON ({error}); run the comparison again") from None
    schema = flat.get("schema") if isinstance(flat, dict) else None
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        raise CorruptRecord(
            f"{source} is not a report of this harness: 'schema' is {schema!r}, and has to be a"
            f" number from 1 to {SCHEMA}"
        )
    if schema > SCHEMA:
        raise NewerSchema(
            f"{source} has schema {schema}, and this harness reads up to {SCHEMA}; "
            "install a newer parity-harness, or run the comparison again with this one"
        )
    summary = flat.get("summary")
    if not isinstance(summary, dict):
        raise CorruptRecord(f"{source}: 'summary' is missing; the file is truncated or altered")
    return _row(
        Report, {**flat, **{name: summary[name] for name in SUMMARY if name in summary}}, source
    )


def _row(kind: type[Row], value: Any, where: str) -> Row:
    """Return a dataclass of the model; names that it does not know are left out."""
    if not isinstance(value, dict):
        raise CorruptRecord(
            f"{where}: {_short(value)} is met where {kind.__name__} belongs; the file is altered"
        )
    hints = typing.get_type_hints(kind)
    known: dict[str, Any] = {}
    for field in dataclasses.fields(typing.cast("Any", kind)):
        if field.name in value:
            known[field.name] = _value(
                hints[field.name], value[field.name], f"{where}: {field.name}"
            )
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise CorruptRecord(
                f"{where}: '{field.name}' is missing; the file is truncated or altered"
            )
    return kind(**known)


def _value(kind: Any, value: Any, where: str) -> Any:  # noqa: PLR0911  (one return a kind of value)
    """Return a JSON value as the type that the model has."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        return None if value is None else _value(parts[0], value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(
            _value(parts[0], part, f"{where}[{place}]") for place, part in enumerate(value)
        )
    if origin is dict and isinstance(value, dict):
        return {
            name: part if parts[1] is Any else _value(parts[1], part, f"{where}.{name}")
            for name, part in value.items()
        }
    if dataclasses.is_dataclass(kind):
        return _row(typing.cast("Any", kind), value, where)
    if kind is float and isinstance(value, str) and value in NOT_FINITE:
        return NOT_FINITE[value]
    if (
        kind is float
        and isinstance(value, (int, float))
        and not isinstance(value, bool)
        and abs(value) <= sys.float_info.max
    ):
        return float(value)
    if kind in (str, int, bool) and type(value) is kind:
        return value
    if isinstance(kind, type) and issubclass(kind, enum.Enum) and value in {*kind}:
        return kind(value)
    raise CorruptRecord(
        f"{where} is {_short(value)}, and has to be {getattr(kind, '__name__', kind)}; the file is"
        " altered"
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
