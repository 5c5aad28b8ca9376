"""Trials of the distribution stage: two sides drawn again and again, each judged as `harness
compare` judges, p-values kept.

Repetition i of a trial draws from a generator seeded with i: any of them can be looked at again,
and no result depends on how many processes share the work.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import multiprocessing
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from harness import plan
from harness.fidelity.distribution import judge_distribution
from harness.fidelity.equivalence import ALPHA, adjusted
from harness.fidelity.summaries import Draw

SEEDS = plan.MODELS
TERMS, STEPS, ROWS, HOURS = 8, 20, 30, 6

Sides = tuple[list[Draw], list[Draw]]


class Trial(Protocol):
    """What is judged."""

    channels: tuple[str, ...]

    def sides(self, generator: np.random.RandomState) -> Sides:
        """Return the draws of both sides of one repetition."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One judged repetition: the verdict, the quantity or test that decided it, and the p-value
    of each difference test by name."""

    verdict: str
    worst: str
    p: Mapping[str, float]

    @property
    def discovered(self) -> tuple[str, ...]:
        """Return the tests that show a difference with the false discovery rate controlled."""
        return tuple(
            name
            for name, value in zip(self.p, adjusted([*self.p.values()]), strict=True)
            if value <= ALPHA
        )


@dataclasses.dataclass(frozen=True)
class Splits:
    """Random choices from pools of trained models: two sides that share none from one pool, or a
    side from each of two."""

    a: Sequence[Draw]
    b: Sequence[Draw] | None
    channels: tuple[str, ...]
    seeds: int = SEEDS

    def sides(self, generator: np.random.RandomState) -> Sides:
        """Return `seeds` models a side, none twice.

        Raises:
            ValueError: a pool has too few.
        """
        if self.b is None:
            chosen = generator.choice(len(self.a), 2 * self.seeds, replace=False)
            return [self.a[index] for index in chosen[: self.seeds]], [
                self.a[index] for index in chosen[self.seeds :]
            ]
        return self._drawn(self.a, generator), self._drawn(self.b, generator)

    def _drawn(self, pool: Sequence[Draw], generator: np.random.RandomState) -> list[Draw]:
        chosen = generator.choice(len(pool), self.seeds, replace=False)
        return [pool[index] for index in chosen]


@dataclasses.dataclass(frozen=True)
class StandIn:
    """Models that cost nothing: loss curves with levels of their own, walking channels with centres
    of their own, a binary channel.

    Each repetition draws all of them anew, so repetitions are independent, which splits of one pool
    are not.

    Attributes:
        terms: loss terms. walks: continuous channels; one binary channel more.
        shifted: on side b the levels of so many terms and the centres of `moved` channels are other
            ones, by `shift` spreads between seeds.
    """

    terms: int = TERMS
    walks: int = 3
    shifted: int = 0
    moved: int = 0
    shift: float = 2.0
    seeds: int = SEEDS

    @property
    def channels(self) -> tuple[str, ...]:
        """Return the channels' names."""
        return tuple("abcdefgh"[: self.walks + 1])

    @property
    def different(self) -> frozenset[str]:
        """Return the tests whose null hypothesis does not hold."""
        if not self.shifted + self.moved:
            return frozenset()
        losses = {
            f"joint/{index}, {place}"
            for index in range(self.shifted)
            for place in ("first fifth", "last fifth")
        }
        channels = {
            f"{channel}, {what}"
            for channel in self.channels[: self.moved]
            for what in ("mean", "KS")
        }
        return frozenset(
            {*losses, *channels, *({"energy distance", "MMD", "classifier"} if self.moved else ())}
        )

    def sides(self, generator: np.random.RandomState) -> Sides:
        """Return independent draws."""
        return self._side(generator, 0.0), self._side(generator, self.shift)

    def _side(self, generator: np.random.RandomState, shift: float) -> list[Draw]:
        return [self._draw(generator, shift) for _ in range(self.seeds)]

    def _draw(self, generator: np.random.RandomState, shift: float) -> Draw:
        levels = 1.0 + 0.05 * (
            generator.normal(size=self.terms) + shift * (np.arange(self.terms) < self.shifted)
        )
        losses = {
            f"joint/{index}": level + 0.02 * generator.normal(size=STEPS)
            for index, level in enumerate(levels)
        }
        places = np.arange(self.walks)
        # 0.18 is the spread of a channel's mean between seeds: 0.1 of the centre, and 0.15 from as
        # few rows as there are.
        centre = (
            places + 0.1 * generator.normal(size=self.walks) + 0.18 * shift * (places < self.moved)
        )
        walk = centre + 0.5 * np.cumsum(generator.normal(size=(ROWS, HOURS, self.walks)), axis=1)
        binary = generator.uniform(size=(ROWS, HOURS, 1)) < 0.4 + 0.05 * generator.normal()
        return Draw(losses, np.concatenate([walk, binary], axis=2))


def judged(trial: Trial, number: int) -> Outcome:
    """Judge one repetition."""
    a, b = trial.sides(np.random.RandomState(number))
    found = judge_distribution(a, b, len(a), trial.channels)
    worst = found.verdict.worst
    return Outcome(
        found.verdict.verdict,
        worst.name if worst else "",
        {test.item.name: test.p for test in found.tests},
    )


def repeat(trial: Trial, count: int, jobs: int = 1) -> list[Outcome]:
    """Judge so many repetitions, in order."""
    if jobs == 1:
        return [judged(trial, number) for number in range(count)]
    # Spawned: a fork would inherit the threads of the arithmetic libraries in whatever state they
    # are.
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        jobs, context, initializer=_keep, initargs=(trial,)
    ) as pool:
        return list(pool.map(_kept, range(count), chunksize=10))


#: The trial of a process that shares the work: pools of models are sent once, not once a
#: repetition.
_HELD: list[Trial] = []


def _keep(trial: Trial) -> None:
    _HELD[:] = [trial]


def _kept(number: int) -> Outcome:
    return judged(_HELD[0], number)
