"""The page of all nights: the newest at once, older ones to be opened."""

from __future__ import annotations

from pathlib import Path

from harness.nightly import index
from tests.harness.nightly.test_pages import Page, made


def test_old_nights_are_folded(tmp_path: Path) -> None:
    """The newest two weeks are shown at once; tags nest however many there are."""
    for count, folded in ((14, ""), (20, "6 older nights")):
        nights = [(tmp_path / f"night-{number}", made()) for number in range(count)]
        text = index.render(nights)
        assert Page(text) and folded in text and bool(folded) == ("<summary>" in text)
