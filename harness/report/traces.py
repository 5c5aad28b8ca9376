"""What plots are drawn from: compact columns of numbers beside the judged rows.

Owns shapes, nothing else. A column has one value a point; None where there is none. Numbers have four digits, lists have a
greatest length (see `harness.fidelity.traces` and `harness.speed.traces`, which fill them), so that a report stays small.
"""

from __future__ import annotations

import dataclasses

Column = tuple[float | None, ...]
#: In place of a build: the real rows that were held out.
REAL = "real rows"


@dataclasses.dataclass(frozen=True)
class Compared:
    """Error against floor of the tensors of one stage, in the order in which they were computed.

    Attributes:
        names, verdicts: of each tensor. errors, floors, thresholds: by the error measure; error is NaN where a value is not finite.
        left_out: how many were judged and are not listed: those furthest below their thresholds.
    """

    names: tuple[str, ...]
    verdicts: tuple[str, ...]
    errors: Column
    floors: Column
    thresholds: Column
    left_out: int = 0


@dataclasses.dataclass(frozen=True)
class Turns:
    """Step times of both sides of a speed row: for each round one value a palindrome, seconds, in running order."""

    a: tuple[tuple[float, ...], ...]
    b: tuple[tuple[float, ...], ...]


@dataclasses.dataclass(frozen=True)
class Curve:
    """One loss term of one build over training.

    Attributes:
        mode: `lockstep` (on the tape) or `native` (from seeds of its own).
        steps: counted from 1. low, middle, high: the 10 %, 50 % and 90 % quantiles over seeds; of one seed only the middle.
        each: of several seeds, one column a seed; the first ones if there are many. numbers: the seed of each, or of the only one.
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
        build: a side, or `REAL`. channels: names. quantiles: a row a channel, at equally spaced shares from 0 to 1; of several
            models the median of theirs.
    """

    workload: str
    build: str
    precision: str
    preset: str
    models: int
    channels: tuple[str, ...]
    quantiles: tuple[Column, ...]


@dataclasses.dataclass(frozen=True)
class Change:
    """One step in a history: when it was first seen, the level before and after, and what is suspected."""

    when: str
    before: float
    after: float
    suspect: str = ""


@dataclasses.dataclass(frozen=True)
class History:
    """One figure of one pair over many runs, aggregated to few points.

    Attributes:
        a, b: the pair; b is empty where the figure is of one build. figure: what it is, in words. unit: `s`, `bytes`, or empty.
        runs: how many values there were. when: ISO 8601. low, middle, high: of the values in a point; `band`
            says what low and high are.
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
    changes: tuple[Change, ...] = ()
    band: str = "from the least to the largest"
