"""The tables of docs/pairs-evaluation.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from backends.contract import STAGE_LETTERS
from tests.evaluation import pages
from tests.evaluation.pairs.mutant import BASES, PAIR
from tests.evaluation.pairs.trying import Finding, Said
from tests.evaluation.zoo.tables import table

PAGE = Path(__file__).parents[3] / "docs/pairs-evaluation.md"
LETTERS = {stage: letter for letter, stage in STAGE_LETTERS.items()}
#: The share of mistakes that have to be named rightly.
NAMED = 0.95


def lines(base: str) -> int:
    """Return the lines of a pair file that say something: neither empty nor its docstring."""
    text = (BASES / base / PAIR).read_text(encoding="utf-8").splitlines()[1:]
    return sum(bool(line.strip()) for line in text)


def what(base: str) -> str:
    """Return what a pair is, as its docstring says."""
    first = (BASES / base / PAIR).read_text(encoding="utf-8").splitlines()[0]
    return first.strip('"').rstrip(".")


def honest(found: Mapping[tuple[str, str], Said]) -> str:
    """Return a row for each honest pair and precision.

    Args:
        found: what was said, by pair and precision.
    """
    return table(
        ("pair", "what it is", "lines", "precision", "seconds", "verdict"),
        [
            (
                f"`{base}`",
                what(base),
                lines(base),
                precision,
                f"{said.lasted_s:.0f}",
                _verdict(said),
            )
            for (base, precision), said in found.items()
        ],
    )


def _verdict(said: Said) -> str:
    if not said.stage:
        return said.verdict
    return f"**{said.verdict}** {LETTERS.get(said.stage, said.stage)} `{said.place}`"


def mutants(findings: Sequence[Finding]) -> str:
    """Return a row for each mistake.

    Args:
        findings: of all.
    """
    return table(
        ("pair", "mistake", "expected", "found", "tensor", "right", "read back", "seconds"),
        [
            (
                f"`{item.mutant.base}`",
                f"{item.mutant.bug} ({item.mutant.name})",
                LETTERS[item.mutant.stage] + (f" {expected}" if (expected := _where(item)) else ""),
                f"{item.said.verdict} {LETTERS.get(item.said.stage, '')}".strip(),
                _place(item.said),
                _right(item),
                "yes" if item.foretold else "",
                f"{item.said.lasted_s:.0f}",
            )
            for item in findings
        ],
    )


def _right(item: Finding) -> str:
    if item.judged:
        return "yes"
    return "by the pre-flight" if item.named else "**no**"


def _where(item: Finding) -> str:
    if item.mutant.step:
        return f"step {item.mutant.step}"
    return " or ".join(f"`{place}`" for place in item.mutant.places)


def _place(said: Said) -> str:
    if not said.place:
        return ""
    step = f", first bad step {said.step}" if said.stage == "trajectory" else ""
    return f"`{said.place}`{step}"


def summary(findings: Sequence[Finding]) -> str:
    """Return the counts in one paragraph.

    Args:
        findings: of all mistakes.
    """
    count = len(findings)
    named, passed = (sum(item.named for item in findings), sum(item.passed for item in findings))
    foretold = sum(bool(item.foretold) for item in findings)
    judged = sum(item.judged for item in findings)
    share = f" ({100 * named / count:.1f} %)" if count else ""
    return (
        f"Mistakes: {count}; named at their stage and in their place: {named}{share}, {judged} of"
        f" them by the judge and the others by the pre-flight; named otherwise:"
        f" {count - named - passed}; passed: {passed}. Something was read back before anything ran:"
        f" {foretold}."
    )


def good(honest_ones: Sequence[Said], findings: Sequence[Finding]) -> bool:
    """Whether the claims hold: every honest pair passes, no mistake does, and nearly all of them
    are named.

    Args:
        honest_ones: what was said of honest pairs. findings: of mistakes.
    """
    named = sum(item.named for item in findings) >= NAMED * len(findings)
    quiet = all(said.verdict == "PASS" for said in honest_ones)
    return bool(findings) and named and quiet and not any(item.passed for item in findings)


def write(found: Mapping[tuple[str, str], Said], findings: Sequence[Finding]) -> None:
    """Write the sections of the page.

    Args:
        found: what was said of honest pairs. findings: of mistakes.
    """
    sections = {"SUMMARY": summary(findings), "HONEST": honest(found), "MUTANTS": mutants(findings)}
    pages.write(PAGE, sections)
