"""Steps over a history: where each ratio changed its level for good, since when, and what moved
between the nights on both sides.

Nights are keyed by the hash of what was measured: at a changed port a new series begins, and no
step is looked for across it.

Which build moved is told by the pairs of at least three (`harness.changes.culprit`): steps of one
workload and action that lie near each other. Else it is the only side of the pair whose versions
moved that night. If that does not tell, a material step is a regression whichever way it goes, and
no build is called better or worse: one of the two explanations is a slow-down.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import scipy

from harness.changes import detector, provenance, welch
from harness.changes.culprit import Pair, movers
from harness.changes.model import (
    IMPROVEMENT,
    NOTE,
    REGRESSION,
    STEP,
    Change,
    Measurand,
    Series,
    SeriesPoint,
    Statistics,
    Suspect,
    ratio_subject,
)
from harness.speed.estimate import ALPHA

METHOD = "largest weighted difference of means over all places, by permutation of the nights"
#: Yesterday's look may have put the same step so many nights away.
NEAR = 2


@dataclasses.dataclass(frozen=True)
class DatedStep:
    """One step of one series, with the last night before it and the first after it."""

    series: Series
    step: detector.LevelStep
    last: SeriesPoint
    first: SeriesPoint


def stretches(points: Sequence[SeriesPoint]) -> list[tuple[SeriesPoint, ...]]:
    """Return the points in runs of one source, without nights that have no number."""
    usable = [point for point in points if math.isfinite(point.mean) and math.isfinite(point.error)]
    runs: list[list[SeriesPoint]] = []
    for point in usable:
        if not runs or runs[-1][-1].source != point.source:
            runs.append([])
        runs[-1].append(point)
    return [tuple(points) for points in runs]


def steps(series: Series, alpha: float = ALPHA) -> tuple[DatedStep, ...]:
    """Return all steps of one series, oldest first."""
    dated: list[DatedStep] = []
    for points in stretches(series.points):
        of_stretch = detector.steps(*_columns(points), alpha)
        dated += [
            DatedStep(series, step, points[step.place - 1], points[step.place])
            for step in of_stretch
        ]
    return tuple(dated)


def _columns(points: Sequence[SeriesPoint]) -> tuple[list[float], list[float]]:
    """Return the nights' means and their standard errors."""
    return [point.mean for point in points], [point.error for point in points]


def spreads(histories: Sequence[Series]) -> dict[Measurand, welch.NightSpread]:
    """Return how much each ratio moves from night to night beside its rounds, where its newest
    stretch is long enough to tell."""
    noises = {}
    for history in histories:
        newest = (stretches(history.points) or [()])[-1]
        noise = detector.night_noise(*_columns(newest))
        if noise is not None:
            noises[history.measurand] = welch.NightSpread(*noise)
    return noises


def changes(histories: Sequence[Series], alpha: float = ALPHA) -> Iterator[Change]:
    """Yield the steps that the newest night brought to light: found with it, and not without it.

    All series of a night share the error rate `alpha` (Bonferroni). A step stays in a series for
    ever; without this rule a nightly job would fail for as long as the history lasts.
    """
    share = alpha / max(1, len(histories))
    with_steps = [(history, steps(history, share)) for history in histories]
    for history, now in with_steps:
        if not now:
            continue
        numbers = {point.run: number for number, point in enumerate(history.points)}
        earlier = steps(dataclasses.replace(history, points=history.points[:-1]), share)
        for dated in now:
            if not any(_same(dated, other, numbers) for other in earlier):
                yield _change(dated, _movers(dated, with_steps))


def _movers(
    dated: DatedStep, with_steps: Sequence[tuple[Series, Sequence[DatedStep]]]
) -> dict[str, int]:
    """Return the builds that moved when a step came, and in which direction, by all pairs of its
    workload and action."""
    what = dated.series.measurand
    alike = [
        (history, steps_of)
        for history, steps_of in with_steps
        if dataclasses.replace(history.measurand, a=what.a, b=what.b) == what and not what.gain
    ]
    times = sorted({point.time for history, _ in alike for point in history.points})
    days = {time: day for day, time in enumerate(times)}
    moved: dict[Pair, int] = {}
    leaning: dict[Pair, int] = {}
    for history, steps_of in alike:
        near = {
            _sign(other.step.change)
            for other in steps_of
            if abs(days[other.first.time] - days[dated.first.time]) <= NEAR
        }
        pair = (history.measurand.a, history.measurand.b)
        moved[pair] = near.pop() if len(near) == 1 else 0
        leaning[pair] = _leaning(history, dated)
    return movers(moved, leaning)


def _leaning(history: Series, dated: DatedStep) -> int:
    """Return which way a series went at the step of another one, by Welch's t of the nights on its
    two sides; 0 where 99 % hold neither.

    A pair in which the detector has not found the step yet leans already; one that did not move
    does not.
    """
    since = dated.first.time
    around = (
        points for points in stretches(history.points) if points[0].time < since <= points[-1].time
    )
    points = next(around, ())
    before = np.asarray([point.mean for point in points if point.time < since])
    after = np.asarray([point.mean for point in points if point.time >= since])
    sides = [before, after]
    counts = [len(side) for side in sides]
    if min(counts) < detector.MIN_NIGHTS:
        return 0
    parts = [float(side.var(ddof=1)) / len(side) for side in sides]
    change, variance = float(after.mean() - before.mean()), math.fsum(parts)
    if not variance:
        return 0
    degrees_of_freedom = variance**2 / math.fsum(
        part**2 / (count - 1) for part, count in zip(parts, counts, strict=True)
    )
    quantile = float(scipy.special.stdtrit(degrees_of_freedom, 1.0 - ALPHA / 2.0))
    return _sign(change) if abs(change) > quantile * math.sqrt(variance) else 0


def _sign(change: float) -> int:
    return 1 if change > 0.0 else -1


def _same(now: DatedStep, earlier: DatedStep, numbers: Mapping[str, int]) -> bool:
    """Whether yesterday's look found tonight's step already. `numbers`: of the nights, by run."""
    near = abs(numbers[now.first.run] - numbers[earlier.first.run]) <= NEAR
    grown = now.step.material and not earlier.step.material
    return near and not grown and (now.step.change > 0.0) == (earlier.step.change > 0.0)


def _mover(
    dated: DatedStep, moving: Mapping[str, int], versioned: Mapping[str, object]
) -> tuple[str, int, str]:
    """Return which build moved, whether up or down, and by what that is told, in words; of none,
    which two it may be."""
    what, sign = dated.series.measurand, _sign(dated.step.change)
    named = [side for side in (what.a, what.b) if side in moving]
    towards = {what.a: -sign, what.b: sign}
    if len(named) == 1 and moving[named[0]] == towards[named[0]]:
        how = (
            f"the ratios of {named[0]} to all other builds moved, and theirs to each other did not"
        )
        return named[0], towards[named[0]], how
    moved = [side for side in (what.a, what.b) if side in versioned]
    if len(moved) == 1 and not what.gain:
        return moved[0], towards[moved[0]], f"only the versions of {moved[0]} have moved"
    a, b = what.sides
    slow, fast = (b, a) if sign > 0 else (a, b)
    return "", 0, f"either {slow} became slower or {fast} faster: a ratio alone cannot tell"


def _change(dated: DatedStep, moving: Mapping[str, int] | None = None) -> Change:
    """Return a step as a change. `moving`: the builds that moved with it, by all pairs."""
    what, step = dated.series.measurand, dated.step
    versioned = provenance.moved_versions(dated.last.versions, dated.first.versions)
    build, direction, why = _mover(dated, moving or {}, versioned)
    sides = (build,) if build else dict.fromkeys((what.a, what.b))
    suspects: tuple[Suspect, ...] = tuple(
        suspect for side in sides for suspect in versioned.get(side, ())
    )
    severity = NOTE if not step.material else IMPROVEMENT if direction < 0 else REGRESSION
    ratio, low, high = (math.exp(value) for value in (step.change, step.low, step.high))
    size = (
        f"by {100.0 * (ratio - 1.0):+.1f} % [{100.0 * (low - 1.0):+.1f},"
        f" {100.0 * (high - 1.0):+.1f}]"
    )
    how = f"{'drifted' if step.drift else 'stepped'} {size}"
    blamed = f"{build} became {'slower' if direction > 0 else 'faster'}: {why}" if build else why
    certain = "" if step.material else " It is not certain yet that this is beyond the margin."
    a, b = what.sides
    text = (
        f"{what.workload} {what.action} {what.precision}: the time of {b} over that of {a} {how}"
        f" between the runs of {dated.last.time} and {dated.first.time};"
        f" {blamed}.{certain}{provenance.suspects_text(suspects)}"
    )
    statistics = Statistics(
        ratio=ratio,
        low=low,
        high=high,
        confidence=1.0 - ALPHA,
        p=step.p,
        method=METHOD,
        rounds_before=dated.last.rounds,
        rounds_after=dated.first.rounds,
    )
    return Change(
        kind=STEP,
        severity=severity,
        subject=ratio_subject(what, build),
        before=math.exp(step.before),
        after=math.exp(step.after),
        text=text,
        suspects=suspects,
        statistics=statistics,
    )
