"""What lies in the columns of a history, checked value by value as it is read: the one boundary
between SQLite, whose types do not hold, and everything that works with the rows.

Any column may hold any value once a bit of the file is lost. Whatever a query of `schema` selects
passes here first, and what no writer could have put there is told with its table and column.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from sqlalchemy import JSON, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from harness.records.decoder import NOT_FINITE, parse

#: Seconds since 1970 of the years that Python's dates know, 1 to 9999, in every time zone.
FIRST_S, LAST_S = -62_135_500_000, 253_402_200_000
#: The largest number of a row: the next one has to be one, too.
MOST = 2**53
#: So much of a value is shown.
SHOWN = 60


class DamagedHistory(Exception):
    """A history holds what nobody has put there; never leaves `database`, which names the file."""


def damaged(place: str, value: object, why: str) -> DamagedHistory:
    """Return the error that tells of a value.

    Args:
        place: table and column. value: what lies there. why: what it is not, as "which is no text".
    """
    text = ascii(value)
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    return DamagedHistory(f"{place} is {shown}, {why}")


def parsed(text: Any) -> Any:
    """Return what a column of JSON holds, as strictly as a record is read.

    Args:
        text: as the database has it.

    Raises:
        ValueError: it is no JSON that this program writes.
    """
    if not isinstance(text, str):
        raise ValueError("which is no text")
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"which is no JSON of a history ({error})") from error


class Spelled(UserDefinedType[Any]):
    """A type that SQLite only knows the word of; values go in and come out as they are."""

    cache_ok = True

    def __init__(self, word: str) -> None:
        self.word = word

    def get_col_spec(self, **_: Any) -> str:
        return self.word


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("which is no text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("which is no UTF-8") from None
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError("which is no whole number")
    return value


def _row(value: Any) -> int:
    if not isinstance(value, int) or not 1 <= value <= MOST:
        raise ValueError("which is no number of a row")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, int) or value not in (0, 1):
        raise ValueError("which is neither 0 nor 1")
    return bool(value)


def _number(value: Any) -> float | str:
    """Return a number as it is, or the word for one that is not finite."""
    if isinstance(value, str) and value in NOT_FINITE:
        return value
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"which is neither a finite number nor one of {', '.join(NOT_FINITE)}")
    return value


def _moment(value: Any) -> float:
    if not isinstance(value, (int, float)) or not FIRST_S <= value <= LAST_S:
        raise ValueError("which are no seconds since 1970 of a year from 1 to 9999")
    return value


def _document(value: Any) -> dict[str, Any]:
    """Return JSON that the engine's own reader has taken, which has to be an object."""
    if not isinstance(value, dict):
        raise ValueError("which is no object of JSON")
    return value


@dataclasses.dataclass(frozen=True)
class ColumnKind:
    """What a column may hold.

    Attributes:
        declared: the type that the database is told. read: gives a value that lies there, or raises
            ValueError with the end of a sentence that says what it is not.
        exported: the Python type that it has in a table for other programs.
    """

    declared: TypeEngine[Any]
    read: Callable[[Any], Any]
    exported: type


TEXT = "text"
WHOLE = "whole"
ROW = "row"
FLAG = "flag"
#: A float, an integer, or the word for a number that is not finite.
NUMBER = "number"
MOMENT = "moment"
DOCUMENT = "document"
KINDS = {
    TEXT: ColumnKind(Text(), _text, str),
    WHOLE: ColumnKind(Integer(), _whole, int),
    ROW: ColumnKind(Integer(), _row, int),
    FLAG: ColumnKind(Spelled("BOOLEAN"), _flag, bool),
    NUMBER: ColumnKind(Spelled("FLOAT"), _number, float),
    MOMENT: ColumnKind(Spelled("FLOAT"), _moment, float),
    DOCUMENT: ColumnKind(JSON(), _document, str),
}


class CheckedType(TypeDecorator[Any]):
    """The type of a column whose values are checked.

    Args:
        kind: one of `KINDS`. place: table and column. optional: whether there may be none.
    """

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = Text
    cache_ok = True

    def __init__(self, kind: str, place: str = "", optional: bool = False) -> None:
        super().__init__()
        self.kind, self.place, self.optional = kind, place, optional
        self.impl = KINDS[kind].declared

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Return what reads a value, and raises DamagedHistory where the column may have none such.

        Args:
            dialect, coltype: SQLAlchemy's.
        """
        process = super().result_processor(dialect, coltype)
        assert process

        def checked(value: Any) -> Any:
            try:
                return process(value)
            except ValueError as error:
                raise damaged(self.place, value, str(error)) from error

        return checked

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return a stored value.

        Args:
            value: as the database has it. dialect: SQLAlchemy's.

        Raises:
            ValueError: it is none that this column may have.
        """
        del dialect
        return None if value is None and self.optional else KINDS[self.kind].read(value)
