"""The recordings: rounds of two identical processes, and single processes of identical work one
after another.

Every other round is for choosing, the others are for reporting; nothing that was chosen has seen
those.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from functools import cache

from harness.speed.estimate import Palindrome, RoundTimes, log_ratio
from tests.evaluation.zoo.mutant import ROOT

DATA = ROOT / "tests/data"
SIDES = ("a", "b")


@dataclasses.dataclass(frozen=True)
class Halves:
    """Recorded rounds: those to choose by and those held out."""

    chosen_by: tuple[RoundTimes, ...]
    held_out: tuple[RoundTimes, ...]


@cache
def rounds() -> Halves:
    """Return the recorded rounds, in running order."""
    rows = json.loads((DATA / "timing_rounds.json").read_text(encoding="utf-8"))
    found = [RoundTimes(tuple(map(_palindrome, row["blocks"]))) for row in rows]
    return Halves(tuple(found[::2]), tuple(found[1::2]))


def _palindrome(block: Mapping[str, Sequence[float]]) -> Palindrome:
    return Palindrome({side: block[side] for side in SIDES})


@cache
def processes() -> tuple[tuple[float, ...], ...]:
    """Return the 120 step times of each process, seconds, in running order."""
    return tuple(
        tuple(one["step_s"])
        for one in json.loads((DATA / "timing_noise.json").read_text(encoding="utf-8"))
    )


def slower(steps_s: Sequence[float], slowdown: float) -> list[float]:
    """Return step times, each longer by a share."""
    return [step_s * (1.0 + slowdown) for step_s in steps_s]


def slowed(one: RoundTimes, side: str, slowdown: float) -> RoundTimes:
    """Return a round in which every sample of one side took longer by a share."""
    palindromes = []
    for palindrome in one.palindromes:
        steps_s = {**palindrome.steps_s, side: slower(palindrome.steps_s[side], slowdown)}
        palindromes.append(Palindrome(steps_s))
    return RoundTimes(tuple(palindromes))


def log_ratios(found: Sequence[RoundTimes], slowdown: float = 0.0) -> list[float]:
    """Return the log ratios of rounds in which one side is slower by a share: each round twice,
    once for each side, for which of the two identical processes is called a was drawn at random."""
    return [
        log_ratio(slowed(one, slow, slowdown), fast, slow)
        for one in found
        for fast, slow in (SIDES, SIDES[::-1])
    ]
