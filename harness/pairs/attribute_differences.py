"""What is not the same on both sides of a pair, as rows: whether two values are the same, and how a
table has them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

from backends.contract import Stage

#: Of two numbers that are the same: some frameworks hold theirs in float32.
SAME = 1e-6
#: What is said of a side that has no such attribute, layer or parameter.
NONE = "none"
#: More places of one difference are counted.
MOST_PLACES = 4


@dataclasses.dataclass(frozen=True)
class AttributeDifference:
    """One thing that is not the same on both sides.

    Attributes:
        where: the layer, parameter or optimizer, in the first side's words.
        what: the attribute. a, b: its values, as text. sides: the labels.
        stage: where it will show; None where no stage shows it.
        why: what follows, in a few words.
    """

    where: str
    what: str
    a: str
    b: str
    sides: tuple[str, str]
    stage: Stage | None
    why: str = ""


def folded(rows: Iterable[AttributeDifference]) -> list[AttributeDifference]:
    """Return differences, those that are one and the same in several places as one.

    Args:
        rows: as `differences` returns them.
    """
    places: dict[AttributeDifference, list[str]] = {}
    for row in rows:
        places.setdefault(dataclasses.replace(row, where=""), []).append(row.where)
    return [
        dataclasses.replace(row, where=_together(list(dict.fromkeys(where))))
        for row, where in places.items()
    ]


def _together(places: list[str]) -> str:
    if len(places) <= MOST_PLACES:
        return ", ".join(places)
    return f"{', '.join(places[:2])} and {len(places) - 2} more"


def same(x: Any, y: Any) -> bool:
    """Return whether two values of an attribute are the same, numbers to float32; a list of one is
    what it holds, for some frameworks write an axis as `[-1]`.

    Args:
        x, y: numbers, words, lists, as an adapter has read them.
    """
    if isinstance(x, (list, tuple)) and isinstance(y, (list, tuple)):
        return len(x) == len(y) and all(same(i, j) for i, j in zip(x, y, strict=True))
    if isinstance(x, (list, tuple)) or isinstance(y, (list, tuple)):
        # One axis, or a list of one: each framework has its way.
        listed, single = (x, y) if isinstance(x, (list, tuple)) else (y, x)
        return len(listed) == 1 and same(listed[0], single)
    if isinstance(x, bool) or isinstance(y, bool):
        return bool(x == y)
    if isinstance(x, (int, float)) and isinstance(y, (int, float)):
        return math.isclose(x, y, rel_tol=SAME, abs_tol=1e-30)
    return bool(x == y)


def worded(value: Any) -> str:
    """Return a value of an attribute as a table has it."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.7g}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(worded(item) for item in value) + "]"
    return str(value)
