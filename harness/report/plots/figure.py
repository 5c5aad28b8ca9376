"""What the page shows as one figure: a drawing, what it means, how to read it, and its numbers as a table."""

from __future__ import annotations

import dataclasses

from markupsafe import Markup


@dataclasses.dataclass(frozen=True)
class Key:
    """One entry of a legend: the class of a line or of a point (with its shape), and the words beside it."""

    kind: str
    words: str
    shape: str = "line"


@dataclasses.dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        title, note: what it shows, and how to read it. svg: one drawing, or several small ones. legend: in the order of reading.
        columns, rows: the same in numbers. size: `plain`, `wide` (scrolls in itself on a phone) or `small` (many beside each other).
    """

    title: str
    svg: tuple[Markup, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    legend: tuple[Key, ...] = ()
    size: str = "plain"


def sides(a: str, b: str) -> tuple[Key, ...]:
    """Return the legend of two builds."""
    return (Key("sa", f"a {a}"), Key("sb", f"b {b}"))
