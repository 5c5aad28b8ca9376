"""The tables of the replay in Markdown, and their place in docs/speed.md."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.speed.replay import Rates
from harness.speed.schedule import looks
from tests.evaluation import pages
from tests.evaluation.replay.choices import ROUNDS, Ended, Looking, Spread
from tests.evaluation.replay.peers import Replayed
from tests.evaluation.zoo.mutant import ROOT
from tests.evaluation.zoo.tables import table

PAGE = ROOT / "docs/speed.md"
ROUNDS_AT_MOST = (5, 8, 12, 25, 40, 60)
SLOWDOWNS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.10)
#: Of comparisons with nothing to find, the share that may show a difference.
FALSE_ALARMS = 0.01
#: (rounds at most, slow-down) -> share of comparisons that have to find it.
TARGETS = {(8, 0.05): 0.95, (25, 0.02): 0.95, (60, 0.01): 0.80}
#: Runs of at most so many rounds by which the spending was chosen, with a slow-down.
POINTS = ((60, 0.0), (8, 0.05), (25, 0.02), (60, 0.01), (80, 0.03), (80, 0.05))

Power = Mapping[tuple[int, float], Rates]
Fixed = Mapping[tuple[int, float], Mapping[str, float]]


@dataclasses.dataclass(frozen=True)
class Findings:
    """Everything that was replayed.

    Attributes:
        power: the rule as shipped, on held-out rounds, by rounds and slow-down.
        peers: the rules of other tools.
        spreads: locations; `fixed`: ways over rounds, by rounds and slow-down; `lookings`: spacings
            and spendings, at `POINTS`.
    """

    power: Power
    peers: Sequence[Replayed]
    spreads: Sequence[Spread]
    fixed: Fixed
    lookings: Sequence[tuple[Looking, Sequence[Ended]]]


def faults(power: Power) -> list[str]:
    """Return what the rule as shipped does not hold."""
    wrong = [
        f"identical builds, at most {most} rounds: {percent(rates.detected)} detected,"
        f" {percent(rates.material)} material"
        for (most, slowdown), rates in power.items()
        if not slowdown and (rates.detected > FALSE_ALARMS or rates.material > 0.0)
    ]
    for point, wanted in TARGETS.items():
        found = percent(power[point].slower)
        if power[point].slower < wanted:
            wrong.append(
                f"{percent(point[1], 0)} slower, at most {point[0]} rounds: {found} SLOWER,"
                f" {percent(wanted, 0)} wanted"
            )
    return wrong


def percent(share: float, digits: int = 1) -> str:
    """Spell a share."""
    return f"{100.0 * share:.{digits}f} %"


def rule(found: Findings) -> str:
    """Return how often the rule as shipped finds what."""
    rows = []
    for most in ROUNDS_AT_MOST:
        aside = found.power[most, 0.0]
        slower = []
        for slowdown in SLOWDOWNS[1:]:
            one = found.power[most, slowdown]
            share = percent(one.slower)
            slower.append(f"**{share}**" if (most, slowdown) in TARGETS else share)
        rows.append(
            (
                most,
                len(looks(most)),
                percent(aside.detected, 2),
                percent(aside.material, 2),
                *slower,
            )
        )
    slower = [f"{percent(slowdown, 0)} slower" for slowdown in SLOWDOWNS[1:]]
    return table(
        ("rounds at most", "looks", "nothing: detected", "nothing: material", *slower), rows
    )


def material(found: Findings) -> str:
    """Return how often what is found is material, and how many rounds it took."""
    rows = []
    for slowdown in SLOWDOWNS[2:]:
        ends = [found.power[most, slowdown] for most in ROUNDS_AT_MOST]
        rows.append(
            (
                percent(slowdown, 0),
                *(f"{percent(one.material, 0)}, {one.rounds:.0f}" for one in ends),
            )
        )
    return table(("slower by", *(f"at most {most}" for most in ROUNDS_AT_MOST)), rows)


def peers(found: Findings) -> str:
    """Return how often other tools' rules call identical work different, and see 5 %; below them
    this harness's."""
    rows = [
        (
            item.peer.name,
            item.peer.rule,
            item.peer.processes,
            item.comparisons,
            percent(item.false),
            percent(item.power),
        )
        for item in found.peers
    ]
    for most in (8, 25):
        one = found.power[most, 0.0]
        name = "**harness**, held-out rounds"
        rows.append(
            (
                name,
                "this page's",
                f"at most {most}",
                one.tries,
                percent(one.detected),
                percent(found.power[most, 0.05].slower),
            )
        )
    head = (
        "tool",
        "rule",
        "processes a side",
        "comparisons",
        "nothing changed: called different",
        "5 % slower: called slower",
    )
    return table(head, rows)


def chosen(found: Findings) -> str:
    """Return what was looked at when the method was chosen."""
    spread = table(
        ("steps of a palindrome become their", *(f"round: {how} of palindromes" for how in ROUNDS)),
        [_scattering(spread) for spread in found.spreads],
    )
    over = table(
        ("over rounds", *(_point(*point) for point in found.fixed)),
        [_fixed(how, found) for how in next(iter(found.fixed.values()))],
    )
    looking = table(
        ("looks", "a look spends of what is left", *(_point(*point) for point in POINTS)),
        [_looked(looking, ends) for looking, ends in found.lookings],
    )
    return "\n\n".join(
        (
            "Standard deviation of a round's log ratio between identical processes:",
            spread,
            "A single test at 1 % after so many rounds, share detected:",
            over,
            (
                "Runs of at most so many rounds, share detected and rounds until the first look"
                " that detects:"
            ),
            looking,
        )
    )


def _scattering(spread: Spread) -> Sequence[object]:
    return spread.location, *(percent(spread.by[how], 2) for how in ROUNDS)


def _fixed(how: str, found: Findings) -> Sequence[object]:
    return how, *(percent(shares[how]) for shares in found.fixed.values())


def _looked(looking: Looking, ends: Sequence[Ended]) -> Sequence[object]:
    cells = [f"{percent(ended.detected)}, {ended.first:.1f}" for ended in ends]
    return looking.name, percent(looking.spent, 0), *cells


def _point(most: int, slowdown: float) -> str:
    return f"{most} rounds, {percent(slowdown, 0) + ' slower' if slowdown else 'nothing'}"


def write(sections: Mapping[str, str], page: Path = PAGE) -> None:
    """Write sections of the page."""
    pages.write(page, sections)
