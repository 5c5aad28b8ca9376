"""A plot of a few lines as SVG, drawn by hand: shares between 0 and 1 over a size in per cent."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 50, 170, 50, 45
#: Told apart by people who see colours differently (Okabe and Ito 2008); dashed from the seventh
#: on.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")


@dataclasses.dataclass(frozen=True)
class CurveLine:
    """One line: its name, and points of (per cent, share) from left to right."""

    name: str
    points: tuple[tuple[float, float], ...]


def svg(title: str, what: str, lines: Sequence[CurveLine]) -> str:
    """Return the plot as an SVG document.

    Args:
        title: the first line above it. what: the share, in words.
        lines: in the order of their legend.
    """
    most = max((x for line in lines for x, _ in line.points), default=1.0) or 1.0
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def position(x: float, y: float) -> tuple[float, float]:
        return LEFT + (right - LEFT) * x / most, bottom - (bottom - TOP) * y

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(LEFT, 20, title, "font-weight='bold'"),
        _text(LEFT, 38, what, "fill='#555'"),
        _text((LEFT + right) / 2, HEIGHT - 8, "slower by", "text-anchor='middle' fill='#555'"),
    ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        _, y = position(0.0, share)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(_text(LEFT - 6, y + 4, f"{100 * share:.0f} %", "text-anchor='end'"))
    for x in sorted({x for line in lines for x, _ in line.points}):
        across, _ = position(x, 0.0)
        parts.append(f'<path d="M{across:.1f} {bottom}v4" stroke="#555"/>')
        parts.append(_text(across, bottom + 17, f"{x:g} %", "text-anchor='middle'"))
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        dash = " stroke-dasharray='5 3'" if number >= len(COLOURS) else ""
        spots = " ".join("{:.1f},{:.1f}".format(*position(x, y)) for x, y in line.points)
        parts.append(
            f'<polyline points="{spots}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
        )
        beside = TOP + 16 * number
        parts.append(
            f'<path d="M{right + 12} {beside}h18" stroke="{colour}" stroke-width="2"{dash}/>'
        )
        parts.append(_text(right + 36, beside + 4, line.name))
    return "\n".join((*parts, "</svg>", ""))


def _text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(words)}</text>'
