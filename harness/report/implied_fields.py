"""Fields of rows that a report leaves to its words: what older reports told in no other way is read
from them here, and nowhere else.

A report holds such a field only where its words would be read as something else. So the older ones
keep their bytes, and what a row says does not depend on how a sentence or a label is put.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from backends.contract import PRECISIONS
from harness.results import outcome
from harness.results.verdicts import Fidelity

#: A row as the JSON of a report has it.
Plain = dict[str, Any]
#: What rows of bounds and of chains add to a side's label; a label may hold a folder's name, and
#: that a space.
ADDED = re.compile(rf" ({'|'.join(PRECISIONS)})( powers)?$")
#: How the reason of a row begins where a port lacks what the stage needs.
NOT_LOOKED_AT = "not looked at"


def _side(label: Any) -> str:
    """Return the side that a label is of, where the row adds words to it."""
    side = ADDED.sub("", str(label))
    return "" if side == label else side


def _not_looked_at(row: Plain) -> bool:
    reason = str(row.get("reason"))
    return row.get("verdict") == Fidelity.INFO and reason.startswith(NOT_LOOKED_AT)


def _sides(row: Plain) -> list[str]:
    """Return the sides of a timed round, where they are several."""
    sides = str(row.get("build")).split(" ") if row.get("kind") == outcome.SPEED else []
    return sides if len(sides) > 1 else []


def _no_machine(_: Plain) -> str:
    """Return the machine of a row that names none: only merged reports do."""
    return ""


#: How a field is read from the other fields of its row, by list of rows and name.
READ: Mapping[str, Mapping[str, Callable[[Plain], Any]]] = {
    "stages": {
        "a_side": lambda row: _side(row.get("a")),
        "b_side": lambda row: _side(row.get("b")),
        "not_looked_at": _not_looked_at,
    },
    "jobs": {"sides": _sides},
    "speed": {"machine": _no_machine},
}
#: Their names.
FIELDS = frozenset(name for readers in READ.values() for name in readers)


def whole(rows: str, row: Any) -> Any:
    """Return a row with every field that its words tell and it does not hold.

    Args:
        rows: the list that it is of. row: as read; what is no row is returned as it is.
    """
    if not isinstance(row, dict):
        return row
    return {**{name: read(row) for name, read in READ.get(rows, {}).items()}, **row}


def written(rows: str, row: Plain) -> Plain:
    """Return a row without the fields that its words tell.

    Args:
        rows: the list that it is of. row: with all its fields, as plain JSON.
    """
    readers = READ.get(rows, {})
    return {
        name: value
        for name, value in row.items()
        if name not in readers or readers[name](row) != value
    }
