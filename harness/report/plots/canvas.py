"""One drawing: an SVG with two axes, and lines, bands and points on it.

Colours are the page's own, by class, so that a drawing follows light and dark. All text is escaped
here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup

from harness.report.format import one_line
from harness.report.plots.scale import Scale, mark

#: As wide as a phone: text keeps its size there, and wider pages put several beside each other.
WIDTH, HEIGHT = 360, 200
Point = tuple[float | None, float | None]


@dataclasses.dataclass(frozen=True)
class Frame:
    """Size of a drawing, and the room around what its axes enclose."""

    width: int = WIDTH
    height: int = HEIGHT
    left: int = 48
    right: int = 10
    top: int = 8
    bottom: int = 34


class Canvas:
    """A drawing in the making.

    Args:
        label: what it shows, for who cannot see it.
        x, y: ends of the axes as (low, high).
        frame: its size and margins.
        logarithmic: which axes are, of "xy".
    """

    def __init__(
        self,
        label: str,
        x: tuple[float, float],
        y: tuple[float, float],
        frame: Frame = Frame(),
        logarithmic: str = "",
    ) -> None:
        self.label = label
        self.width, self.height = frame.width, frame.height
        self.left, self.top = frame.left, frame.top
        self.right, self.bottom = frame.width - frame.right, frame.height - frame.bottom
        self.x = Scale(*x, self.left, self.right, "x" in logarithmic)
        self.y = Scale(*y, self.bottom, self.top, "y" in logarithmic)
        self.parts: list[Markup] = []

    def axes(
        self,
        x: str = "",
        y: str = "",
        *,
        x_mark: Callable[[float], str] | None = mark,
        y_mark: Callable[[float], str] | None = mark,
        most: tuple[int, int] = (5, 5),
    ) -> None:
        """Draw grid lines with their marks, and what the axes are.

        Args:
            x, y: what the axes are, in words.
            x_mark, y_mark: spell a value; None leaves an axis without lines.
            most: how many lines each axis may have.
        """
        for value in self.y.ticks(most[1]) if y_mark else ():
            at = self.y(value)
            self._add("<path class=grid d='M{} {}H{}'/>", _n(self.left), _n(at), _n(self.right))
            self.text(self.left - 5, at + 3.5, y_mark(value) if y_mark else "", "end")
        if x_mark:
            self.marks({value: x_mark(value) for value in self.x.ticks(most[0])})
        if x:
            self.text((self.left + self.right) / 2, self.height - 5, x, "middle", "what")
        if y:
            self.text(0, self.top + 2, y, "start", "what")

    def marks(self, words: Mapping[float, str]) -> None:
        """Draw grid lines at values of the horizontal axis, each with its words."""
        for value, text in words.items():
            at = self.x(value)
            self._add("<path class=grid d='M{} {}V{}'/>", _n(at), _n(self.top), _n(self.bottom))
            self.text(at, self.bottom + 13, text, "middle")

    def line(self, points: Sequence[Point], kind: str) -> None:
        """Draw a line through points, broken where a value is missing or not finite.

        One that stands alone between such is drawn as a point.
        """
        pieces: list[list[tuple[float, float]]] = [[]]
        for x, y in points:
            if x is None or y is None or not (math.isfinite(x) and math.isfinite(y)):
                pieces.append([])
            else:
                pieces[-1].append((self.x(x), self.y(y)))
        drawn = "".join(_moves(piece) for piece in pieces if len(piece) > 1)
        if drawn:
            self._add("<path class='line {}' d='{}'/>", kind, drawn)
        for piece in pieces:
            if len(piece) == 1:
                self.point(*piece[0], kind)

    def band(
        self,
        xs: Sequence[float],
        low: Sequence[float | None],
        high: Sequence[float | None],
        kind: str,
    ) -> None:
        """Fill what lies between two lines; points without both are passed over."""
        ends = [
            (x, a, b)
            for x, a, b in zip(xs, low, high, strict=True)
            if a is not None and b is not None and all(map(math.isfinite, (x, a, b)))
        ]
        if len(ends) >= 2:
            there = [f"{_n(self.x(x))} {_n(self.y(b))}" for x, _, b in ends]
            back = [f"{_n(self.x(x))} {_n(self.y(a))}" for x, a, _ in reversed(ends)]
            self._add("<path class='band {}' d='M{}Z'/>", kind, "L".join(there + back))

    def path(self, drawn: str, kind: str) -> None:
        """Draw a path that was made of numbers by this package's own modules."""
        self._add("<path class='{}' d='{}'/>", kind, drawn)

    def point(self, x: float, y: float, kind: str, title: str = "", shape: str = "dot") -> None:
        """Draw one point.

        Args:
            x, y: its position in the drawing (not values).
            kind: its class.
            title: its numbers, shown by a pointer that rests on it.
            shape: `dot`, `square`, `cross`, `up` or `diamond`.
        """
        tooltip = Markup("<title>{}</title>").format(one_line(title)) if title else Markup("")
        if shape == "dot":
            self._add(
                "<circle class='{}' cx='{}' cy='{}' r='3'>{}</circle>", kind, _n(x), _n(y), tooltip
            )
            return
        moves = {
            "square": "m-3-3h6v6h-6z",
            "cross": "m-4-4l8 8m-8 0l8-8",
            "up": "m0-5l4.5 8h-9z",
            "diamond": "m0-4l4 4l-4 4l-4-4z",
        }
        self._add(
            "<path class='{}' d='M{} {}{}'>{}</path>",
            f"{kind} {shape}",
            _n(x),
            _n(y),
            moves[shape],
            tooltip,
        )

    def text(self, x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> None:
        """Write words at a position."""
        self._add(
            "<text class='{}' x='{}' y='{}' text-anchor='{}'>{}</text>",
            kind,
            _n(x),
            _n(y),
            anchor,
            one_line(words),
        )

    def _add(self, form: str, *values: object) -> None:
        # The form is a constant of this module; `format` of a Markup escapes every value.
        self.parts.append(Markup(form).format(*values))  # noqa: S704

    def svg(self, kind: str = "plot") -> Markup:
        """Return the drawing. `kind`: its class."""
        head = Markup(
            "<svg class={} viewBox='0 0 {} {}' width='{}' height='{}' role=img aria-label='{}'>"
        ).format(kind, self.width, self.height, self.width, self.height, one_line(self.label))
        return head + Markup("").join(self.parts) + Markup("</svg>")


def _moves(piece: Sequence[tuple[float, float]]) -> str:
    """Return an unbroken line as a path."""
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in piece)


def _n(value: float) -> str:
    """Return a position to a tenth of a unit, as short as it gets."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def shortened(words: str, most: int) -> str:
    """Return at most so many letters: of longer words the beginning and the end.

    The end is the longer part, as it tells layers apart.
    """
    flat = one_line(words)
    if len(flat) <= most:
        return flat
    tail = (most - 1) * 2 // 3
    return f"{flat[: most - 1 - tail]}…{flat[-tail:]}"
