"""Tables that programs write into the documentation, each between markers of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def write(page: Path, sections: Mapping[str, str]) -> None:
    """Replace the text between `<!-- NAME -->` and `<!-- /NAME -->` of a page, for each section.

    Raises:
        ValueError: the page has no such place.
    """
    text = page.read_text(encoding="utf-8")
    for name, content in sections.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if start not in text or end not in text:
            raise ValueError(f"{page} has no {start} ... {end}")
        text = text[: text.index(start) + len(start)] + f"\n{content}\n" + text[text.index(end) :]
    page.write_text(text, encoding="utf-8")


def section(page: Path, name: str) -> str:
    """Return the text between the markers of one section.

    Raises:
        ValueError: the page has no such place.
    """
    text, start = page.read_text(encoding="utf-8"), f"<!-- {name} -->"
    return text[text.index(start) + len(start) : text.index(f"<!-- /{name} -->")].strip("\n")
