"""Series of nights drawn from noise of several kinds, and searched for steps as
`harness.changes.detector` does."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.changes.detector import LevelStep, steps

Array = NDArray[np.float64]

NIGHTS, ROUNDS, SEED = 60, 8, 23
#: Nights before a step, and after it.
BEFORE, AFTER = 30, (3, 4, 5, 7, 10)
SHARES = (0.05, 0.1)


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of noise.

    Attributes:
        night: how nights differ beside their rounds; luck: how rounds differ; standard deviations.
        tails: degrees of freedom of Student's t, for the nights. alike: correlation of a night with
            the next one.
        spikes: share of nights that are slower by 10 to 30 %. drift: a night.
    """

    name: str
    night: float
    luck: float
    tails: float = math.inf
    alike: float = 0.0
    spikes: float = 0.0
    drift: float = 0.0

    @property
    def promised(self) -> bool:
        """Whether more than 1 % of false alarms is a defect: nights have to be exchangeable."""
        return self.alike == 0.0 and self.drift == 0.0


STEADY = (Kind("quiet", 0.005, 0.01), Kind("usual", 0.01, 0.02), Kind("noisy", 0.015, 0.04))
KINDS = (
    *STEADY,
    Kind("nights differ by more than the margin", 0.04, 0.04),
    Kind("heavy tails (t, 3 degrees)", 0.01, 0.02, tails=3.0),
    Kind("one night in twenty 10 to 30 % slower", 0.01, 0.02, spikes=0.05),
    Kind("each night like the one before (0.5)", 0.01, 0.02, alike=0.5),
    Kind("the same, and noisy", 0.03, 0.04, alike=0.5),
    Kind("drift of 0.1 % a night", 0.01, 0.02, drift=0.001),
)


@dataclasses.dataclass(frozen=True)
class Quiet:
    """Shares of series of `NIGHTS` nights without a change in which a step was found, and a
    material one."""

    kind: Kind
    tries: int
    found: float
    material: float


@dataclasses.dataclass(frozen=True)
class Power:
    """Shares of steps found, and found to be material, by nights after them."""

    kind: Kind
    share: float
    tries: int
    found: tuple[float, ...]
    material: tuple[float, ...]


def drawn(kind: Kind, nights: int, draw: np.random.RandomState) -> tuple[Array, Array]:
    """Return values and standard errors of a series without a step."""
    noise = draw.standard_normal(nights)
    if kind.tails < math.inf:
        noise = draw.standard_t(kind.tails, nights) / math.sqrt(kind.tails / (kind.tails - 2.0))
    for place in range(1, nights):
        noise[place] = kind.alike * noise[place - 1] + math.sqrt(1.0 - kind.alike**2) * noise[place]
    level = kind.night * noise + kind.drift * np.arange(nights)
    level += (draw.random_sample(nights) < kind.spikes) * draw.uniform(
        math.log(1.1), math.log(1.3), nights
    )
    logs = level[:, None] + kind.luck * draw.standard_normal((nights, ROUNDS))
    return logs.mean(1), logs.std(1, ddof=1) / math.sqrt(ROUNDS)


def _material(found: Iterable[LevelStep]) -> bool:
    return any(step.material for step in found)


def simulate(kind: Kind, tries: int) -> Quiet:
    """Return how often a step is found where there is none, in one look."""
    draw = np.random.RandomState(SEED)
    found = [steps(*drawn(kind, NIGHTS, draw)) for _ in range(tries)]
    return Quiet(
        kind,
        tries,
        sum(map(bool, found)) / tries,
        sum(map(_material, found)) / tries,
    )


def follow(kind: Kind, tries: int) -> Quiet:
    """Return how often one is found in any look of a job that looks every night."""
    draw = np.random.RandomState(SEED + 1)
    found, material = 0, 0
    for _ in range(tries):
        values, errors = drawn(kind, NIGHTS, draw)
        told = [
            one for night in range(6, NIGHTS + 1) for one in steps(values[:night], errors[:night])
        ]
        found += bool(told)
        material += any(one.material for one in told)
    return Quiet(kind, tries, found / tries, material / tries)


def power(kind: Kind, share: float, tries: int) -> Power:
    """Return how often a step is found at its place, give or take a night, and nothing else is."""
    draw = np.random.RandomState(SEED + 2)
    found: list[list[tuple[LevelStep, ...]]] = [[] for _ in AFTER]
    for _ in range(tries):
        values, errors = drawn(kind, BEFORE + AFTER[-1], draw)
        values[BEFORE:] += math.log1p(share)
        for place, after in enumerate(AFTER):
            told = steps(values[: BEFORE + after], errors[: BEFORE + after])
            found[place].append(told if len(told) == 1 and abs(told[0].place - BEFORE) <= 1 else ())
    return Power(
        kind,
        share,
        tries,
        tuple(sum(map(bool, told)) / tries for told in found),
        tuple(sum(map(_material, told)) / tries for told in found),
    )


def null_table(quiet: Sequence[Quiet], followed: Sequence[Quiet]) -> str:
    """Return the Markdown table of false alarms."""
    lines = [
        (
            f"| noise | nights differ by | rounds by | false step, one look at {NIGHTS} nights |"
            f" material | any look of {NIGHTS} | material |"
        ),
        "|" + "---|" * 7,
    ]
    for one, all_looks in zip(quiet, followed, strict=True):
        rates = [
            f"{100 * part:.1f} %"
            for part in (one.found, one.material, all_looks.found, all_looks.material)
        ]
        lines.append(
            f"| {one.kind.name} | {100 * one.kind.night:g} % | {100 * one.kind.luck:g} % |"
            f" {' | '.join(rates)} |"
        )
    return "\n".join(
        [
            *lines,
            "",
            f"{quiet[0].tries} series each for one look, {followed[0].tries} for all looks.",
        ]
    )


def power_table(found: Sequence[Power]) -> str:
    """Return the Markdown table of steps that were found."""
    lines = [
        "| noise | step | " + " | ".join(f"{after} nights after" for after in AFTER) + " |",
        "|" + "---|" * (2 + len(AFTER)),
    ]
    for one in found:
        cells = [
            f"{100 * part:.0f} % ({100 * sure:.0f} %)"
            for part, sure in zip(one.found, one.material, strict=True)
        ]
        lines.append(f"| {one.kind.name} | +{100 * one.share:g} % | {' | '.join(cells)} |")
    return "\n".join(
        [
            *lines,
            "",
            (
                f"{found[0].tries} series each, {BEFORE} nights before the step; in brackets,"
                " certainly material."
            ),
        ]
    )
