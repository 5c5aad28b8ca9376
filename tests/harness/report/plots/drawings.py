"""What any drawing may not hold."""

from __future__ import annotations

import re

from harness.report.plots.figure import Figure

#: Places of a drawing, as `canvas` writes them.
PLACES = re.compile(r" (?:d|cx|cy|x|y)='([^']*)'")


def drawn(figure: Figure) -> str:
    """Return all drawings of a figure."""
    return "".join(map(str, figure.svg))


def odd(text: str) -> list[str]:
    """Return the places that are no numbers; there has to be one at all."""
    places = PLACES.findall(text)
    assert places
    return [place for place in places if re.search("nan|inf", place)]
