"""The table of docs/pairs-evaluation.md about code that nobody here wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.evaluation import pages
from tests.evaluation.wild.trying import Said, word
from tests.evaluation.zoo.tables import table

PAGE = Path(__file__).parents[3] / "docs/pairs-evaluation.md"
SECTION = "WILD"


def plain(said: Said) -> str:
    """Return a line for the terminal."""
    right = "as it has to be" if said.right else f"EXPECTED {said.entry.verdict}"
    where = f" at {said.stage}, {said.place}" if said.stage else ""
    return f"{said.entry.name}: {said.verdict}{where}; {said.lasted_s:.0f} s; {right}"


def rows(every: Sequence[Said]) -> str:
    """Return the table.

    Args:
        every: what was said of all pairs.
    """
    return table(
        ("pair", "what it is", "lines", "precision", "seconds", "verdict", "the difference"),
        [
            (
                f"`{said.entry.name}`",
                said.entry.title,
                said.entry.lines,
                said.entry.precision,
                f"{said.lasted_s:.0f}",
                f"**{said.verdict}** {word(said.stage)} `{said.place}`"
                if said.stage
                else said.verdict,
                said.entry.reason,
            )
            for said in every
        ],
    )


def write(every: Sequence[Said]) -> None:
    """Write the table into the page.

    Args:
        every: what was said of all pairs.
    """
    pages.write(PAGE, {SECTION: rows(every)})
