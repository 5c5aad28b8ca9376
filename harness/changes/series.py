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
from scipy import special

from harness.changes import detector, provenance, welch
from harness.changes.culprit import Pair, movers
from harness.changes.model import (
    IMPROVEMENT,
    NOTE,
    REGRESSION,
    STEP,
    Change,
    Measurand,
    Point,
    Series,
    Statistics,
    Subject,
    Suspect,
)
from harness.speed.estimate import ALPHA

METHOD = "largest weighted difference of means over all places, by permutation of the nights"
#: Yesterday's look may have put the same step so many nights away.
NEAR = 2


@dataclasses.dataclass(frozen=True)
class Found:
    """One step of one series: the last night before it and the first after it."""

    series: Series
    step: detector.Step
    last: Point
    first: Point


def stretches(points: Sequence[Point]) -> list[tuple[Point, ...]]:
    """Return the points in runs of one source, without nights that have no number."""
    usable = [point for point in points if math.isfinite(point.mean) and math.isfinite(point.error)]
    found: list[list[Point]] = []
    for point in usable:
        if not found or found[-1][-1].source != point.source:
            found.append([])
        found[-1].append(point)
    return [tuple(one) for one in found]


def steps(series: Series, alpha: float = ALPHA) -> tuple[Found, ...]:
    """Return all steps of one series, oldest first."""
    found: list[Found] = []
    for points in stretches(series.points):
        told = detector.steps(
            [point.mean for point in points], [point.error for point in points], alpha
        )
        found += [Found(series, step, points[step.place - 1], points[step.place]) for step in told]
    return tuple(found)


def spreads(histories: Sequence[Series]) -> dict[Measurand, welch.Spread]:
    """Return how much each ratio moves from night to night beside its rounds, where its newest
    stretch is long enough to tell."""
    found = {}
    for one in histories:
        points = (stretches(one.points) or [()])[-1]
        told = detector.night_noise(
            [point.mean for point in points], [point.error for point in points]
        )
        if told is not None:
            found[one.measurand] = welch.Spread(*told)
    return found


def changes(histories: Sequence[Series], alpha: float = ALPHA) -> Iterator[Change]:
    """Yield the steps that the newest night has brought to light: found with it, and not without
    it.

    All series of a night share the error rate `alpha` (Bonferroni). A step stays in a series for
    ever; without this rule a nightly job would fail for as long as the history lasts.
    """
    share = alpha / max(1, len(histories))
    found = [(one, steps(one, share)) for one in histories]
    for one, now in found:
        if not now:
            continue
        places = {point.run: place for place, point in enumerate(one.points)}
        earlier = steps(dataclasses.replace(one, points=one.points[:-1]), share)
        for step in now:
            if not any(_same(step, other, places) for other in earlier):
                yield _change(step, _movers(step, found))


def _movers(step: Found, found: Sequence[tuple[Series, Sequence[Found]]]) -> dict[str, int]:
    """Return the builds that moved when a step came, and in which direction, by all pairs of its
    workload and action."""
    what = step.series.measurand
    alike = [
        (one, steps_of)
        for one, steps_of in found
        if dataclasses.replace(one.measurand, a=what.a, b=what.b) == what and not what.gain
    ]
    days = {
        day: place
        for place, day in enumerate(
            sorted({point.time for one, _ in alike for point in one.points})
        )
    }
    moved: dict[Pair, int] = {}
    leaning: dict[Pair, int] = {}
    for one, steps_of in alike:
        near = {
            _sign(other.step.change)
            for other in steps_of
            if abs(days[other.first.time] - days[step.first.time]) <= NEAR
        }
        pair = (one.measurand.a, one.measurand.b)
        moved[pair] = near.pop() if len(near) == 1 else 0
        leaning[pair] = _leaning(one, step)
    return movers(moved, leaning)


def _leaning(one: Series, step: Found) -> int:
    """Return which way a series went at the step of another one, by Welch's t of the nights on its
    two sides; 0 where 99 % hold neither.

    A pair in which the detector has not found the step yet leans already; one that did not move
    does not.
    """
    points = next(
        (part for part in stretches(one.points) if part[0].time < step.first.time <= part[-1].time),
        (),
    )
    sides = [
        np.asarray([point.mean for point in points if (point.time >= step.first.time) == later])
        for later in (False, True)
    ]
    counts = [len(side) for side in sides]
    if min(counts) < detector.MIN_NIGHTS:
        return 0
    parts = [float(side.var(ddof=1)) / len(side) for side in sides]
    change, variance = float(sides[1].mean() - sides[0].mean()), math.fsum(parts)
    if not variance:
        return 0
    freedom = variance**2 / math.fsum(
        part**2 / (count - 1) for part, count in zip(parts, counts, strict=True)
    )
    return (
        _sign(change)
        if abs(change) > float(special.stdtrit(freedom, 1.0 - ALPHA / 2.0)) * math.sqrt(variance)
        else 0
    )


def _sign(change: float) -> int:
    return 1 if change > 0.0 else -1


def _same(one: Found, other: Found, places: dict[str, int]) -> bool:
    near = abs(places[one.first.run] - places[other.first.run]) <= NEAR
    grown = one.step.material and not other.step.material
    return near and not grown and (one.step.change > 0.0) == (other.step.change > 0.0)


def _mover(
    found: Found, moving: Mapping[str, int], versioned: Mapping[str, object]
) -> tuple[str, int, str]:
    """Return which build moved, whether up or down, and by what that is told, in words; of none,
    which two it may be."""
    what, sign = found.series.measurand, _sign(found.step.change)
    named = [side for side in (what.a, what.b) if side in moving]
    towards = {what.a: -sign, what.b: sign}
    if len(named) == 1 and moving[named[0]] == towards[named[0]]:
        how = (
            f"the ratios of {named[0]} to all other builds moved, and theirs to each other did not"
        )
        return named[0], towards[named[0]], how
    moved = [side for side in (what.a, what.b) if provenance.build_of(side) in versioned]
    if len(moved) == 1 and not what.gain:
        return moved[0], towards[moved[0]], f"only the versions of {moved[0]} have moved"
    a, b = what.sides
    slow, fast = (b, a) if sign > 0 else (a, b)
    return "", 0, f"either {slow} became slower or {fast} faster: a ratio alone cannot tell"


def _change(found: Found, moving: Mapping[str, int] | None = None) -> Change:
    """Return a step as a change. `moving`: the builds that moved with it, by all pairs."""
    what, step = found.series.measurand, found.step
    versioned = provenance.moved_versions(found.last.versions, found.first.versions)
    build, direction, why = _mover(found, moving or {}, versioned)
    sides = (build,) if build else dict.fromkeys((what.a, what.b))
    suspects: tuple[Suspect, ...] = tuple(
        one for side in sides for one in versioned.get(provenance.build_of(side), ())
    )
    subject = Subject(
        what.workload,
        build,
        *(("", "") if build else (what.a, what.b)),
        what.precision,
        what.preset,
        what.action,
        what.seed,
    )
    severity = NOTE if not step.material else IMPROVEMENT if direction < 0 else REGRESSION
    ratio, low, high = (math.exp(value) for value in (step.change, step.low, step.high))
    size = (
        f"by {100.0 * (ratio - 1.0):+.1f} % [{100.0 * (low - 1.0):+.1f},"
        f" {100.0 * (high - 1.0):+.1f}]"
    )
    how = f"{'drifted' if step.drift else 'stepped'} {size}"
    told = f"{build} became {'slower' if direction > 0 else 'faster'}: {why}" if build else why
    certain = "" if step.material else " It is not certain yet that this is beyond the margin."
    a, b = what.sides
    text = (
        f"{what.workload} {what.action} {what.precision}: the time of {b} over that of {a} {how}"
        f" between the runs of {found.last.time} and {found.first.time};"
        f" {told}.{certain}{provenance.told(suspects)}"
    )
    statistics = Statistics(
        ratio, low, high, 1.0 - ALPHA, step.p, METHOD, found.last.rounds, found.first.rounds
    )
    return Change(
        STEP,
        severity,
        subject,
        math.exp(step.before),
        math.exp(step.after),
        text,
        suspects,
        statistics,
    )
