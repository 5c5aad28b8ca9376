"""A bar beneath a number, from 0: how long a step takes beside the longest."""

from __future__ import annotations

from markupsafe import Markup

WIDTH, HEIGHT = 200, 4
#: Of what takes next to nothing something is still seen.
LEAST = 1.0


def bar(share: float, tone: str) -> Markup:
    """Return a bar; the number stands beside it as text, so that nobody needs to hear it.

    Args:
        share: of the whole width, from 0 to 1. tone: its class.
    """
    length = round(max(LEAST, WIDTH * min(1.0, max(0.0, share))), 1)
    return Markup(
        "<svg class='length' viewBox='0 0 {} {}' preserveAspectRatio='none' aria-hidden='true'>"
        "<path class='{}' d='M0 0H{}V{}H0Z'/></svg>"
    ).format(WIDTH, HEIGHT, tone, length, HEIGHT)
