"""Two consecutive nights as a whole: what was planted, in the order of its weight, and nothing
else."""

from __future__ import annotations

import dataclasses

import pytest

from harness.changes.model import (
    FLOOR,
    KINDS,
    MEMORY,
    NOTE,
    REGRESSION,
    SLOWER,
    STEP,
    VERDICT,
    VERSION,
    Change,
    Subject,
    order,
)
from harness.changes.nights import between


def test_the_same_night_twice_shows_nothing(sample):
    """Not even with other rounds."""
    base = sample.report()
    assert () == between(sample.night(base), sample.night(base, seed=1))


def test_a_planted_slow_down_and_a_planted_fault_are_exactly_what_is_shown(sample):
    """Among five builds, twenty ratios and 120 verdicts; with a release of torch, which is the
    suspect of its own change alone."""
    before = sample.report()
    later = ("gradients", "update", "trajectory")
    wrong = sample.staged(
        before, lambda row: row.a == "tf1" and row.stage in later, verdict="FAIL", error=0.1
    )
    after = sample.rebuilt(wrong, "torch", versions={"framework": "2.14.0", "numpy": "2.4.6"})
    fault, slow, release = between(
        sample.night(before), sample.night(after, {"torch": 0.12}, seed=1)
    )
    assert (VERDICT, REGRESSION, "tf1", "gradients") == (
        fault.kind,
        fault.severity,
        fault.subject.build,
        fault.subject.what,
    )
    assert () == fault.suspects
    assert (SLOWER, REGRESSION, "torch", "train") == (
        slow.kind,
        slow.severity,
        slow.subject.build,
        slow.subject.what,
    )
    assert ["torch: framework 2.13.0 -> 2.14.0"] == [str(one) for one in slow.suspects]
    assert (VERSION, NOTE) == (release.kind, release.severity)


def test_the_history_takes_part(sample):
    """A step that tonight completes is told beside what the previous night shows."""
    history = sample.series(32, 0.08, at=20, seed=3)
    base = sample.report(("tf2", "torch"))
    nights = [
        between(
            sample.night(base),
            sample.night(base, seed=1),
            [dataclasses.replace(history, points=history.points[:night])],
        )
        for night in range(20, 27)
    ]
    assert {STEP} == {one.kind for night in nights for one in night}


def test_earlier_nights_show_what_creeps(sample):
    """Memory and a floor that grow by less than is told against one night; without those nights,
    or with too few, nothing is told."""
    nights = []
    for place in range(4):
        base = sample.staged(
            sample.report(("tf2", "torch")),
            lambda row: row.stage == "update",
            error=1e-15,
            floor=1e-15 * 3.9**place,
        )
        rows = tuple(
            dataclasses.replace(row, b_peak_bytes=round(4e8 * 1.019**place)) for row in base.speed
        )
        nights.append(sample.night(dataclasses.replace(base, speed=rows), seed=place))
    oldest, older, before, after = nights
    assert () == between(before, after) == between(before, after, (), [older])
    told = between(before, after, earlier=[older, oldest])
    assert {FLOOR, MEMORY} == {one.kind for one in told} and all(
        "the median of the last 3 nights" in one.text for one in told
    )
    assert {"update", "train", "generate"} == {one.subject.what for one in told}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_place(kind):
    """Regressions first, whatever their kind."""
    regression, note = (
        Change(kind, severity, Subject(), None, None, "") for severity in (REGRESSION, NOTE)
    )
    assert order(regression) < order(note) and order(regression) <= order(
        Change(KINDS[-1], REGRESSION, Subject(), None, None, "")
    )
