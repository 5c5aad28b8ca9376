"""Steps over a history: where each ratio changed its level for good, since when, and what moved between the nights on both sides.

Nights are keyed by the hash of what was measured: at a changed port a new series begins, and no step is looked for across it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

from harness.changes import detector, provenance, welch
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
        told = detector.steps([point.mean for point in points], [point.error for point in points], alpha)
        found += [Found(series, step, points[step.place - 1], points[step.place]) for step in told]
    return tuple(found)


def spreads(histories: Sequence[Series]) -> dict[Measurand, welch.Spread]:
    """Return how much each ratio moves from night to night beside its rounds, where its newest stretch is long enough to tell."""
    found = {}
    for one in histories:
        points = (stretches(one.points) or [()])[-1]
        told = detector.night_noise([point.mean for point in points], [point.error for point in points])
        if told is not None:
            found[one.measurand] = welch.Spread(*told)
    return found


def changes(histories: Sequence[Series], alpha: float = ALPHA) -> Iterator[Change]:
    """Yield the steps that the newest night has brought to light: found with it, and not without it.

    All series of a night share the error rate `alpha` (Bonferroni). A step stays in a series for ever; without this rule a nightly job
    would fail for as long as the history lasts.
    """
    for one in histories:
        share = alpha / len(histories)
        now = steps(one, share)
        if not now:
            continue
        places = {point.run: place for place, point in enumerate(one.points)}
        earlier = steps(dataclasses.replace(one, points=one.points[:-1]), share)
        for found in now:
            if not any(_same(found, other, places) for other in earlier):
                yield _change(found)


def _same(one: Found, other: Found, places: dict[str, int]) -> bool:
    near = abs(places[one.first.run] - places[other.first.run]) <= NEAR
    grown = one.step.material and not other.step.material
    return near and not grown and (one.step.change > 0.0) == (other.step.change > 0.0)


def _change(found: Found) -> Change:
    what, step = found.series.measurand, found.step
    moved = provenance.moved_versions(found.last.versions, found.first.versions)
    suspects: tuple[Suspect, ...] = tuple(one for part in moved.values() for one in part)
    build = next(iter(moved)) if len(moved) == 1 and next(iter(moved)) in (what.a, what.b) else ""
    slower = (step.change > 0.0) == (build != what.a)
    subject = Subject(what.workload, build, *(("", "") if build else (what.a, what.b)), what.precision, what.preset, what.action, what.seed)
    severity = NOTE if not step.material else REGRESSION if slower else IMPROVEMENT
    ratio, low, high = (math.exp(value) for value in (step.change, step.low, step.high))
    how = "drifted" if step.drift else "stepped"
    certain = "" if step.material else " It is not certain yet that this is beyond the margin."
    text = (
        f"{what.workload} {what.action} {what.precision}: the time of {what.b} over that of {what.a} {how} by "
        f"{100.0 * (ratio - 1.0):+.1f} % [{100.0 * (low - 1.0):+.1f}, {100.0 * (high - 1.0):+.1f}] between {found.last.run} and "
        f"{found.first.run} ({found.first.time})."
        f"{certain}{provenance.told(suspects)}"
    )
    statistics = Statistics(ratio, low, high, 1.0 - ALPHA, step.p, METHOD, found.last.rounds, found.first.rounds)
    return Change(STEP, severity, subject, math.exp(step.before), math.exp(step.after), text, suspects, statistics)
