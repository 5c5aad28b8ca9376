"""The metamorphic zoo's table and counts, and their place in docs/metamorphic.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.evaluation import pages
from tests.evaluation.metamorphic.census import ERROR, LETTERS, Count, Finding
from tests.evaluation.zoo.tables import table

PAGE = Path(__file__).parents[3] / "docs/metamorphic.md"


def found(finding: Finding) -> str:
    """Return the verdict with the stage it was said at; bold where it is not what has to be
    said."""
    letter = LETTERS.get(finding.stage, "P") if finding.stage else ""
    text = " ".join(part for part in (finding.verdict, letter) if part)
    return text if finding.right else f"**{text}**"


def stages(finding: Finding) -> str:
    """Return the verdicts by stage in short: P, F, I and -, float64 first."""
    short = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?", "INFO": "i"}
    return " ".join(
        f"{name.split()[0]}{short[verdict]}"
        for name, verdict in finding.stages
        if name.endswith("fp64")
    )


def entries(findings: Sequence[Finding]) -> str:
    """Return one row for each entry, in Markdown."""
    return table(
        ("kind", "entry", "what it is", "expected", "found", "place"),
        [
            (
                one.entry.kind,
                f"`{one.entry.workload}` {one.entry.name}",
                one.entry.what,
                LETTERS[one.entry.stage] if one.entry.stage else "PASS",
                found(one),
                f"`{one.place}`" if one.place else "",
            )
            for one in findings
        ],
    )


def plain(finding: Finding) -> str:
    """Return one entry's line on the terminal."""
    expected = LETTERS[finding.entry.stage] if finding.entry.stage else "PASS"
    mark = "ok    " if finding.right else "WRONG "
    if not finding.sound and finding.verdict != ERROR:
        mark = f"FLAWED (parts at {finding.apart or 'no stage'}) "
    return (
        f"{mark}{finding.entry.kind:10s} {finding.entry.name:40s} {expected:4s}"
        f" {stages(finding):30s} {finding.verdict} {finding.said}"
    )


def summary(counted: Count) -> str:
    """Return the counts in one paragraph."""
    text = (
        f"Mutants: {counted.mutants}; PASS: {counted.passed}; FAIL at the stage where the fault"
        f" first shows: {counted.at_stage}, at another: {counted.elsewhere}; INCONCLUSIVE:"
        f" {counted.undecided}. Honest comparisons, in float64 and float32: {counted.twins}; FAIL:"
        f" {counted.alarms}; INCONCLUSIVE: {counted.open}."
    )
    return text + (f" Did not run: {counted.other}." if counted.other else "")


def write(findings: Sequence[Finding], counted: Count) -> None:
    """Write the sections of the page."""
    pages.write(
        PAGE,
        {
            "SUMMARY": summary(counted),
            "MUTANTS": entries([one for one in findings if not one.entry.honest]),
            "TWINS": entries([one for one in findings if one.entry.honest]),
        },
    )
