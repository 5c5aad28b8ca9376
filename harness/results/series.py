"""What plots are drawn from: compact columns of numbers beside the judged rows.

Owns shapes, and which tensors are listed where there is no room for all. A column has one value a
point; None where there is none. Numbers have four digits, lists have a greatest length (see
`harness.fidelity.plot_series` and `harness.speed.plot_series`, which fill them), so that a report
stays small.
"""

from __future__ import annotations

import dataclasses
import math

from harness.results.verdicts import Fidelity

Column = tuple[float | None, ...]
#: What the figure of a history of ratios begins with.
RATIO = "time of b / time of a"
#: In place of a build: the real rows that were held out.
REAL = "real rows"


@dataclasses.dataclass(frozen=True)
class Compared:
    """Error against floor of the tensors of one stage, in the order in which they were computed.

    Attributes:
        names, verdicts: of each tensor. errors, floors, thresholds: by the error measure; error is
            NaN where a value is not finite.
        left_out: how many were judged and are not listed: those furthest below their thresholds;
            where more depart than there is room for, departing ones too.
    """

    names: tuple[str, ...]
    verdicts: tuple[Fidelity, ...]
    errors: Column
    floors: Column
    thresholds: Column
    left_out: int = 0

    @property
    def departing(self) -> tuple[int, ...]:
        """The places of those that depart, in their order."""
        return tuple(at for at, verdict in enumerate(self.verdicts) if verdict == Fidelity.FAIL)

    def worst(self) -> list[int]:
        """Return all places, the one that a reader asks for first at first: what departs, by error
        / threshold, then all else by it."""
        order = {Fidelity.FAIL: 0, Fidelity.INCONCLUSIVE: 1}
        ranks = [order.get(verdict, 2) for verdict in self.verdicts]
        margins = [
            _margin(error, threshold)
            for error, threshold in zip(self.errors, self.thresholds, strict=True)
        ]
        return sorted(range(len(ranks)), key=lambda at: (ranks[at], -margins[at]))

    def chosen(self, most: int) -> list[int]:
        """Return at most so many places, in their order: the first that depart, in half of the
        room, and the worst."""
        if len(self.names) <= most:
            return list(range(len(self.names)))
        first = self.departing[: most // 2]
        return sorted(
            [*first, *[at for at in self.worst() if at not in first][: most - len(first)]]
        )

    def cut(self, most: int) -> Compared:
        """Return at most so many of the tensors, in their order; the others are counted."""
        kept = self.chosen(most)
        if len(kept) == len(self.names):
            return self
        names = tuple(self.names[at] for at in kept)
        verdicts = tuple(self.verdicts[at] for at in kept)
        return Compared(
            names,
            verdicts,
            tuple(self.errors[at] for at in kept),
            tuple(self.floors[at] for at in kept),
            tuple(self.thresholds[at] for at in kept),
            self.left_out + len(self.names) - len(kept),
        )


def _margin(error: float | None, threshold: float | None) -> float:
    """Return error / threshold; infinite where that cannot be told, so that it is kept."""
    if error is None or math.isnan(error):
        return math.inf
    if not threshold or math.isnan(threshold):
        return 0.0 if error == 0.0 else math.inf
    return error / threshold


@dataclasses.dataclass(frozen=True)
class Turns:
    """Step times of both sides of a speed row: for each round one value a palindrome, seconds, in
    running order.

    Attributes:
        a, b: a side's rounds. rounds: their numbers, counted from 1, where not every round that was
            run is kept; else empty.
    """

    a: tuple[tuple[float, ...], ...]
    b: tuple[tuple[float, ...], ...]
    rounds: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Curve:
    """One loss term of one build over training.

    Attributes:
        mode: `lockstep` (on the tape) or `native` (from seeds of its own).
        steps: counted from 1. low, middle, high: the 10 %, 50 % and 90 % quantiles over seeds; of
            one seed only the middle.
        each: of several seeds, one column a seed; the first ones if there are many. numbers: the
            seed of each, or of the only one.
    """

    workload: str
    build: str
    precision: str
    preset: str
    mode: str
    term: str
    seeds: int
    steps: tuple[int, ...]
    low: Column
    middle: Column
    high: Column
    each: tuple[Column, ...] = ()
    numbers: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Spread:
    """Quantiles of each channel of what one build's models generate, or of real rows.

    Attributes:
        build: a side, or `REAL`. channels: names. quantiles: a row a channel, at equally spaced
            shares from 0 to 1; of several models the median of theirs.
    """

    workload: str
    build: str
    precision: str
    preset: str
    models: int
    channels: tuple[str, ...]
    quantiles: tuple[Column, ...]


@dataclasses.dataclass(frozen=True)
class LevelChange:
    """One step in a history: when it was first seen, the level before and after, and what is
    suspected."""

    when: str
    before: float
    after: float
    suspect: str = ""


@dataclasses.dataclass(frozen=True)
class FigureHistory:
    """One figure of one pair over many runs, aggregated to few points.

    Attributes:
        a, b: the pair; b is empty where the figure is of one build. figure: what it is, in words.
            unit: `s`, `bytes`, or empty.
        runs: how many values there were. when: ISO 8601. low, middle, high: of the values in a
            point; `band` says what low and high are.
    """

    workload: str
    a: str
    b: str
    precision: str
    figure: str
    unit: str
    runs: int
    when: tuple[str, ...]
    low: Column
    middle: Column
    high: Column
    changes: tuple[LevelChange, ...] = ()
    band: str = "from the least to the largest"

    @property
    def is_ratio(self) -> bool:
        """Whether it is of step times of both sides, where 1 is the same."""
        return self.figure.startswith(RATIO)


@dataclasses.dataclass(frozen=True)
class JudgedHistory(FigureHistory):
    """A history with what its values are held against, for a page of a whole history.

    Attributes:
        floor, threshold: of the same tensors as the values, which are errors; else empty.
        verdict: the worst of the newest point; empty where the values are not judged.
    """

    floor: Column = ()
    threshold: Column = ()
    verdict: str = ""
