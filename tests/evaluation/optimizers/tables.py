"""The tables of docs/optimizers.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.evaluation import pages
from tests.evaluation.optimizers.trying import Finding, Said
from tests.evaluation.zoo.tables import table

PAGE = Path(__file__).parents[3] / "docs/optimizers.md"


def plain(said: Said) -> str:
    """Return a line for the terminal."""
    if said.problem:
        return f"{said.entry.name}: {said.problem}"
    departing = [f"{item.name} at {item.failed}" for item in said.combined if item.failed]
    what = ", ".join(departing) or f"{len(said.combined)} combinations agree"
    names = ", ".join(said.names) or "no difference"
    return f"{said.entry.name}: {what}; {names}; {said.lasted_s:.0f} s"


def plain_finding(finding: Finding) -> str:
    """Return a line for the terminal."""
    right = "as it has to be" if finding.right else f"EXPECTED {finding.plant.stage}"
    return f"{finding.plant.kind}, {finding.plant.what}: {finding.where}; {right}"


def rows(every: Sequence[Said]) -> str:
    """Return the table of honest optimizers.

    Args:
        every: what was said of all entries.
    """
    return table(
        ("optimizer", "a : b", "combinations", "agree", "within 1e-9", "largest", "what differs"),
        [
            (
                f"`{said.entry.kind}`",
                " : ".join(said.entry.sides),
                len(said.combined),
                said.agreeing,
                said.near,
                f"{said.largest:.0e}",
                ", ".join(map("`{}`".format, said.names)),
            )
            for said in every
        ],
    )


def planted(every: Sequence[Finding]) -> str:
    """Return the table of mistakes.

    Args:
        every: all of them.
    """
    return table(
        ("optimizer", "the mistake", "in", "named at"),
        [
            (
                f"`{item.plant.kind}`",
                item.plant.what,
                f"{len(item.failed)} combinations" if len(item.failed) > 1 else item.failed[0][0],
                item.where,
            )
            for item in every
        ],
    )


def write(every: Sequence[Said], mistakes: Sequence[Finding]) -> None:
    """Write both tables into the page.

    Args:
        every: what was said of all entries. mistakes: of all mistakes.
    """
    total = sum(len(said.combined) for said in every)
    agree = sum(said.agreeing for said in every)
    summary = (
        f"{total} combinations, {agree} agree; {len(mistakes)} mistakes,"
        f" {sum(item.right for item in mistakes)} named at their stage and in their combinations."
    )
    sections = {"SUMMARY": summary, "MATRIX": rows(every), "PLANTED": planted(mistakes)}
    pages.write(PAGE, sections)
