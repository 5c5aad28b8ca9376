"""A terminal at every width: what it shows is kept, and no word is broken or cut."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.harness.report import golden

REPORTS = golden.reports()
EVERY = range(80, 201, 4)


@pytest.mark.parametrize("width", golden.WIDTHS)
@pytest.mark.parametrize("name", REPORTS)
def test_what_a_terminal_shows_is_kept(name: str, width: int) -> None:
    """A change is read before it is kept: `python -m tests.harness.report.golden`."""
    kept = (golden.FOLDER / f"{name}-{width}.txt").read_text(encoding="utf-8")
    assert kept == golden.drawn(REPORTS[name], width)


def broken(text: str, wide: str) -> set[str]:
    """Return the words of a narrow terminal that a wide one does not have: parts of words."""
    return set(text.replace("─", " ").split()) - set(wide.replace("─", " ").split())


@pytest.mark.parametrize("name", REPORTS)
def test_no_word_is_broken_or_cut_at_any_width(name: str) -> None:
    """Columns are left out instead, the least important first."""
    wide = golden.drawn(REPORTS[name], 400)
    for width in EVERY:
        text = golden.drawn(REPORTS[name], width)
        assert max(map(cell_len, text.splitlines())) <= width
        assert set() == broken(text, wide), width


def test_a_broken_word_is_seen() -> None:
    """The check finds both: a fold inside a word, and an ellipsis."""
    assert {"tf1-com", "pat"} == broken("tf1-com\npat  fast", "tf1-compat fast")
    assert {"tf1-c…"} == broken("tf1-c… fast", "tf1-compat fast")
