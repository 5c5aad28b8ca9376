"""The zoo's tables in Markdown, and their place in docs/zoo.md."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from backends.contract import STAGE_LETTERS
from harness.fidelity import honest_spread, noise
from tests.evaluation import pages
from tests.evaluation.zoo.catalogue import BUGS, left_out
from tests.evaluation.zoo.census import Finding
from tests.evaluation.zoo.honest import Comparison
from tests.evaluation.zoo.measuring import Measured
from tests.evaluation.zoo.peers import OURS, SEES

PAGE = Path(__file__).parents[3] / "docs/zoo.md"
LETTERS = {**{stage: letter for letter, stage in STAGE_LETTERS.items()}, "precision": "P"}


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["-"] * len(head), *rows]
    return "\n".join(map(_line, lines))


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def bugs(findings: Sequence[Finding]) -> str:
    """Return one row for each mutant."""
    return table(
        ("#", "bug", "mutant", "expected", "found", "place", "error / threshold"),
        [
            (
                item.mutant.bug,
                BUGS[item.mutant.bug][0],
                f"`{item.mutant.workload}` {item.mutant.name}",
                LETTERS[item.mutant.stage]
                + (f" ({item.mutant.precision})" if item.mutant.precision != "fp64" else ""),
                _found(item),
                f"`{item.place}`" if item.place else "",
                "" if item.verdict == "PASS" else _power(item.margin),
            )
            for item in findings
        ],
    )


def _found(item: Finding) -> str:
    if not item.killed:
        return f"**missed** ({item.verdict})"
    letter = LETTERS[item.stage] + ("?" if item.verdict == "INCONCLUSIVE" else "")
    return letter if item.at_stage else f"**{letter}**"


def _power(margin: float) -> str:
    return (
        "no number"
        if math.isinf(margin)
        else f"{margin:.0e}".replace("e+0", "e").replace("e+", "e")
    )


def summary(findings: Sequence[Finding], comparisons: Sequence[Comparison]) -> str:
    """Return what all of it comes to, in one paragraph."""
    count, planted = len(findings), len({item.mutant.bug for item in findings})
    killed = sum(item.killed for item in findings)
    staged = sum(item.at_stage for item in findings)
    placed = sum(item.in_place for item in findings)
    text = (
        f"{planted} of the {len(BUGS)} bugs are planted, by {count} mutants. Caught: {killed} of"
        f" {count} ({_share(killed, count)}), {_undecided(findings)}; at the stage where the bug"
        f" first shows: {staged} ({_share(staged, count)}); the place named: {placed}"
        f" ({_share(placed, count)})."
    )
    if comparisons:
        alarms = [one for one in comparisons if one.alarms]
        undecided = sum(bool(one.open) for one in comparisons)
        text += (
            f" Honest comparisons: {len(comparisons)}, false alarms: {len(alarms)}, not decided:"
            f" {undecided}."
        )
    return text


def _undecided(findings: Sequence[Finding]) -> str:
    """Say how many were caught by which verdict: where a port draws noise of its own, that
    nothing can be said is the right answer."""
    counts = Counter(item.verdict for item in findings if item.killed)
    return f"{counts['FAIL']} by FAIL and {counts['INCONCLUSIVE']} by INCONCLUSIVE"


def _share(part: int, whole: int) -> str:
    return f"{100.0 * part / whole:.1f} %" if whole else "none"


def survivors(findings: Sequence[Finding]) -> str:
    """Return what was not found as expected, with what the judge said instead."""
    odd = [item for item in findings if not item.in_place]
    if not odd:
        return "None: every mutant was caught at its stage and in its place."
    return table(
        ("mutant", "expected", "said"),
        [
            (item.mutant.name, f"{LETTERS[item.mutant.stage]} `{item.mutant.place}`", _said(item))
            for item in odd
        ],
    )


def _said(item: Finding) -> str:
    return f"{item.verdict} {LETTERS.get(item.stage, '')} {item.reason}"


def absent() -> str:
    """Return the bugs that are not planted, and why."""
    return table(
        ("#", "bug", "why not"), [(bug, BUGS[bug][0], reason) for bug, reason in left_out().items()]
    )


def honest(comparisons: Sequence[Comparison]) -> str:
    """Return how many honest comparisons of each kind there were, and what they said."""
    counts = _kinds(comparisons)
    alarms = _kinds(one for one in comparisons if one.alarms)
    undecided = _kinds(one for one in comparisons if one.open)
    rows = []
    for (kind, workload, preset), group in itertools.groupby(counts, key=lambda key: key[:3]):
        keys = list(group)
        rows.append(
            (
                kind,
                f"`{workload}` {preset}",
                ", ".join(f"{key[3]} {counts[key]}" for key in keys),
                sum(alarms[key] for key in keys),
                sum(undecided[key] for key in keys),
            )
        )
    return table(("what differs", "workload", "comparisons", "false alarms", "not decided"), rows)


def _kinds(comparisons: Iterable[Comparison]) -> Counter[tuple[str, str, str, str]]:
    return Counter((one.kind, one.workload, one.preset, one.precision) for one in comparisons)


def _measured(stage: str) -> float:
    return max(row.get(stage, 0.0) for row in honest_spread.LARGEST.values())


def _cells(row: Mapping[str, float], stages: Sequence[str]) -> list[str]:
    return [f"{row[stage]:.2f}" if stage in row else "" for stage in stages]


def floors(found: Measured) -> str:
    """Return the largest error of honest comparisons in units of the floor, on unseen tapes and
    where factors were measured."""
    stages = sorted(
        {stage for row in found.largest.values() for stage in row}, key=[*LETTERS].index
    )
    rows = [(precision, *_cells(row, stages)) for precision, row in found.largest.items()]
    rows.append(("where measured", *(f"{_measured(stage):.2f}" for stage in stages)))
    rows.append(("**factor**", *(f"**{noise.coverage(stage):.1f}**" for stage in stages)))
    return table(("precision", *stages), rows)


def peers(
    said: Mapping[str, Mapping[str, bool]], findings: Sequence[Finding], honest_names: Sequence[str]
) -> str:
    """Return how many mutants each rule calls different, and how many honest ports."""
    mutants = [item.mutant.name for item in findings]
    rows: list[tuple[object, ...]] = []
    for rule, sees in SEES.items():
        caught = sum(said[name][rule] for name in mutants if name in said)
        alarms = sum(said[name][rule] for name in honest_names if name in said)
        rows.append(
            (
                rule,
                sees,
                f"{caught} of {len(mutants)} ({_share(caught, len(mutants))})",
                f"{alarms} of {len(honest_names)}",
                "no",
            )
        )
    caught = sum(item.killed for item in findings)
    staged = sum(item.at_stage for item in findings)
    rows.append(
        (
            "**this harness**",
            "every stage",
            f"**{caught} of {len(mutants)} ({_share(caught, len(mutants))})**",
            f"{sum(said[name][OURS] for name in honest_names)} of {len(honest_names)}",
            f"{staged} of {len(mutants)}",
        )
    )
    return table(("rule", "looks at", "caught", "false alarms", "stage named"), rows)


def write(sections: Mapping[str, str]) -> None:
    """Write sections of the page."""
    pages.write(PAGE, sections)
