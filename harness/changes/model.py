"""What goes into a comparison of nights and what comes out: figures with their uncertainty, and
typed changes.

Owns shapes and how two figures are told to be of the same thing; judges nothing.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence

from backends.contract import Word
from harness.results.model import Report, SpeedRow, StageRow
from harness.results.precisions import Precisions


class Severity(Word):
    """What a change is to a reader."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    NOTE = "note"


REGRESSION, IMPROVEMENT, NOTE = Severity


class ChangeKind(Word):
    """What has changed, in the order in which a reader wants it."""

    VERDICT = "verdict"
    SLOWER = "slower"
    RATIO = "ratio"
    STEP = "step"
    FLOOR = "floor"
    MEMORY = "memory"
    STATUS = "status"
    VANISHED = "vanished"
    FASTER = "faster"
    APPEARED = "appeared"
    VERSION = "version"
    PORT = "port"
    SETTING = "setting"
    DATA = "data"
    UNJUDGED = "not judged"


KINDS = tuple(ChangeKind)
(
    VERDICT,
    SLOWER,
    RATIO,
    STEP,
    FLOOR,
    MEMORY,
    STATUS,
    VANISHED,
    FASTER,
    APPEARED,
    VERSION,
    PORT,
    SETTING,
    DATA,
    UNJUDGED,
) = KINDS
#: A figure before or after: a number, a word, or None where there is none.
Value = float | int | str | None


@dataclasses.dataclass(frozen=True)
class Measurand:
    """What a speed ratio is of. Two nights' figures are of the same thing when these are equal.

    Attributes:
        a, b: labels of the sides; the ratio is time of b over time of a.
        segment: of the schedule, which `train` times.
    """

    workload: str
    a: str
    b: str
    precision: str
    preset: str
    action: str
    segment: str = ""
    seed: int = 0

    @property
    def gain(self) -> bool:
        """Whether two precisions of one build are compared."""
        return self.precisions.gain

    @property
    def precisions(self) -> Precisions:
        """What `precision` names."""
        return Precisions.read(self.precision)

    @property
    def sides(self) -> tuple[str, str]:
        """What is compared, in words: two builds, or two precisions of one."""
        if not self.gain:
            return self.a, self.b
        return f"{self.a} {self.precisions.a}", f"{self.b} {self.precisions.b}"


@dataclasses.dataclass(frozen=True)
class Moments:
    """One night's rounds, as a test needs them: mean log ratio, its standard error, how many."""

    mean: float
    error: float
    rounds: int


@dataclasses.dataclass(frozen=True)
class Ratios:
    """What one night measured of one pair and action.

    Attributes:
        moments: of the rounds' log ratios; `moments(logs)` makes them.
        sources: by side, the hash of the port's source: what was measured.
        versions: by side, of its packages.
        conditions: what else has to be equal for two nights to be comparable, in words: threads,
            device, execution, data, the machine's fingerprint, the hash of the workload's
            specification.
    """

    measurand: Measurand
    moments: Moments
    sources: Mapping[str, str] = dataclasses.field(default_factory=dict)
    versions: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    conditions: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class JudgedNight:
    """One judged run and what its rounds measured."""

    report: Report
    ratios: tuple[Ratios, ...] = ()


@dataclasses.dataclass(frozen=True)
class SeriesPoint:
    """One run of a history.

    Attributes:
        source: hash of what was measured, of both sides together.
        versions: by build, of its packages.
    """

    run: str
    time: str
    mean: float
    error: float
    rounds: int
    source: str = ""
    versions: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Series:
    """One speed ratio over many runs, oldest first."""

    measurand: Measurand
    points: tuple[SeriesPoint, ...]


@dataclasses.dataclass(frozen=True)
class Suspect:
    """What moved and can have made the change: a package, the platform, a port, a setting, data."""

    build: str
    what: str
    before: str
    after: str

    def __str__(self) -> str:
        """E.g. "torch: torch 2.12.0 -> 2.13.0"."""
        moved = f"{self.what} {self.before} -> {self.after}"
        return f"{self.build}: {moved}" if self.build else moved


@dataclasses.dataclass(frozen=True)
class Subject:
    """What a change is of.

    Attributes:
        build: the one that moved, where that can be told; else the pair `a`, `b`.
        what: stage, action, ...
    """

    workload: str = ""
    build: str = ""
    a: str = ""
    b: str = ""
    precision: str = ""
    preset: str = ""
    what: str = ""
    seed: int | None = None

    def __str__(self) -> str:
        """E.g. "cnn train fp32 on torch"."""
        who = f"on {self.build}" if self.build else f"{self.a} : {self.b}" if self.a else ""
        seed = f"seed {self.seed}" if self.seed else ""
        return " ".join(
            part for part in (self.workload, self.what, self.precision, seed, who) if part
        )


@dataclasses.dataclass(frozen=True)
class Statistics:
    """What a change of a figure rests on.

    Attributes:
        ratio, low, high: after / before, with the interval at `confidence`.
        p: of the test that there is no change outside the margin (two nights), or none at all (a
            step).
        method: which test.
    """

    ratio: float
    low: float
    high: float
    confidence: float
    p: float
    method: str
    rounds_before: int = 0
    rounds_after: int = 0


@dataclasses.dataclass(frozen=True)
class Change:
    """One thing that changed.

    Attributes:
        also: other rows that show the same change, in words.
        text: one sentence.
    """

    kind: ChangeKind
    severity: Severity
    subject: Subject
    before: Value
    after: Value
    text: str
    suspects: tuple[Suspect, ...] = ()
    statistics: Statistics | None = None
    also: tuple[str, ...] = ()


def moments(logs: Sequence[float]) -> Moments:
    """Return mean and standard error of the rounds' log ratios; the error is infinite below two
    rounds, and NaN stays NaN."""
    if not logs or not all(math.isfinite(value) for value in logs):
        return Moments(math.nan, math.inf, len(logs))
    error = statistics.stdev(logs) / math.sqrt(len(logs)) if len(logs) > 1 else math.inf
    return Moments(statistics.fmean(logs), error, len(logs))


def measurand(row: SpeedRow) -> Measurand:
    """Return what a row of a report is of."""
    return Measurand(
        workload=row.workload,
        a=row.a,
        b=row.b,
        precision=row.precision,
        preset=row.preset,
        action=row.action,
        segment=row.segment,
        seed=row.seed,
    )


def ratio_subject(what: Measurand, build: str) -> Subject:
    """Return what a change of a ratio is of: the build that moved, or, where that is empty, the
    pair."""
    a, b = ("", "") if build else (what.a, what.b)
    return Subject(
        workload=what.workload,
        build=build,
        a=a,
        b=b,
        precision=what.precision,
        preset=what.preset,
        what=what.action,
        seed=what.seed,
    )


def stage_subject(row: StageRow, build: str) -> Subject:
    """Return what a change of a judged stage is of: the build that moved, or, where that is empty,
    the pair."""
    a, b = ("", "") if build else (row.a, row.b)
    return Subject(
        workload=row.workload,
        build=build,
        a=a,
        b=b,
        precision=row.precision,
        preset=row.preset,
        what=row.stage,
        seed=row.seed,
    )


def order(change: Change) -> tuple[int, int]:
    """Return the rank of a change in a list: regressions first, then by kind."""
    return [*Severity].index(change.severity), KINDS.index(change.kind)
