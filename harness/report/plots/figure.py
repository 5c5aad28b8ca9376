"""What the page shows as one figure: a drawing, how to read it, and its numbers as a table."""

from __future__ import annotations

import dataclasses

from markupsafe import Markup

from harness.fidelity.plot_series import MOST_TENSORS


@dataclasses.dataclass(frozen=True)
class LegendKey:
    """One entry of a legend: the class of a line or point, its shape, and the words beside it."""

    kind: str
    words: str
    shape: str = "line"


@dataclasses.dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        title, note: what it shows, and how to read it.
        svg: one drawing, or several small ones.
        columns, rows: the same in numbers.
        legend: in the order of reading.
        size: `plain`, `wide` (scrolls in itself on a phone) or `small` (many beside each other).
        excerpt: which of all numbers are in the table, where not all are.
    """

    title: str
    svg: tuple[Markup, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    legend: tuple[LegendKey, ...] = ()
    size: str = "plain"
    excerpt: str = ""


@dataclasses.dataclass(frozen=True)
class Room:
    """How much of everything fits into a page of many pairs: an open page of a few has all.

    Attributes:
        points: of a drawn curve.
        curves: figures of one mode of training.
        turns: points of a series of step times, both sides.
        rows: of a table of numbers.
        departing: rows of a table of tensors, if so many depart.
        failing, others: tensors that are drawn of a stage that fails, and of another.
    """

    points: int = 200
    curves: int = 6
    turns: int = 4800
    rows: int = 12
    departing: int = 100
    failing: int = MOST_TENSORS
    others: int = MOST_TENSORS


#: For a page of a few pairs.
ROOM = Room()


def spaced(count: int, most: int) -> list[int]:
    """Return at most so many indices of a list, equally spaced, its first and last among them."""
    if count <= most:
        return list(range(count))
    return sorted({round(number * (count - 1) / (most - 1)) for number in range(most)})


def sides(a: str, b: str) -> tuple[LegendKey, ...]:
    """Return the legend of two builds."""
    return (LegendKey("sa", f"a {a}"), LegendKey("sb", f"b {b}"))
