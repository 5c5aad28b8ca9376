"""The groups in which a command's page lists its options, and how defaults are spelled
there."""

from __future__ import annotations

from typing import Any

from cyclopts import Group, Parameter

#: Of an option that takes several values, and of one that takes none.
SEVERAL = Parameter(consume_multiple=True, negative="")
FLAG = Parameter(negative="")


def shown(default: Any) -> str | None:
    """Return a default as it is typed, or None where there is nothing to say: an option that is not
    given, or is a switch that is off.

    Args:
        default: of an option.
    """
    if default is None or default is False or default == ():
        return None
    if isinstance(default, tuple):
        return " ".join(map(str, default))
    return f"{default:g}" if isinstance(default, float) else str(default)


def _group(order: int, title: str) -> Parameter:
    return Parameter(group=Group(title, sort_key=order))


WHAT = _group(1, "What")
JUDGED = _group(2, "How it is judged")
TIMED = _group(3, "How it is timed")
WRITTEN = _group(4, "Where it is written")
ENVIRONMENT = _group(5, "Environment")
