"""Steps over a history: told on the night that brings them to light, and not for ever after."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest

from harness.changes import series
from harness.changes.model import IMPROVEMENT, NOTE, REGRESSION, STEP, Series


def upto(history: Series, nights: int) -> Series:
    return dataclasses.replace(history, points=history.points[:nights])


def three(sample, shares: dict[str, float], nights: int = 30) -> list[Series]:
    """Return the ratios of three builds, some of which take longer by a share from the 20th
    night on; no version moves."""
    draw = np.random.RandomState(3)
    level = {
        build: (
            0.006 * draw.standard_normal(nights)
            + math.log1p(shares.get(build, 0.0)) * (np.arange(nights) >= 20)
        )
        for build in ("tf1", "tf2", "torch")
    }
    found = []
    for a, b in itertools.combinations(level, 2):
        points = tuple(
            dataclasses.replace(point, mean=float(level[b][place] - level[a][place]), versions={})
            for place, point in enumerate(sample.series(nights).points)
        )
        found.append(Series(dataclasses.replace(sample.series(1).measurand, a=a, b=b), points))
    return found


def tonight(histories: list[Series]):
    """Return every change that any night of the histories brought to light and that is material."""
    nights = [
        list(series.changes([upto(one, night) for one in histories]))
        for night in range(20, len(histories[0].points) + 1)
    ]
    return [change for night in nights for change in night if change.severity != NOTE]


def test_a_step_is_told_within_a_few_nights_and_once(sample):
    """Planted: torch is 8 % slower from the 20th night on. Night by night, as a nightly job
    looks."""
    history = sample.series(32, 0.08, at=20, seed=3)
    nights = {night: list(series.changes([upto(history, night)])) for night in range(1, 33)}
    told = {night: changes for night, changes in nights.items() if changes}
    assert (
        1 <= len(told) <= 2 and 22 <= min(told) <= 25 and REGRESSION == told[max(told)][0].severity
    )
    change = told[max(told)][0]
    assert (STEP, REGRESSION, "torch") == (change.kind, change.severity, change.subject.build)
    assert ["torch: torch 2.12.0 -> 2.13.0"] == [str(one) for one in change.suspects]
    assert (
        "stepped by" in change.text
        and "between the runs of 2026-01-20 and 2026-01-21" in change.text
    )
    assert (
        change.statistics is not None
        and change.statistics.low < 1.08 < change.statistics.high
        and change.statistics.p <= 0.01
    )


def test_a_step_of_an_unchanged_build_names_no_suspect_and_no_build(sample):
    """Nothing that was recorded moved: torch is faster or tf2 is slower. One of them is a
    slow-down, so it is no improvement."""
    history = sample.series(30, -0.08, at=20, seed=3)
    plain = dataclasses.replace(
        history, points=tuple(dataclasses.replace(point, versions={}) for point in history.points)
    )
    (found,) = series.steps(plain)
    change = series._change(found)
    assert ("", "tf2", "torch", REGRESSION) == (
        change.subject.build,
        change.subject.a,
        change.subject.b,
        change.severity,
    )
    assert "either tf2 became slower or torch faster: a ratio alone cannot tell" in change.text
    assert "Nothing that the reports record has moved." in change.text


def test_the_leading_build_that_slows_down_is_a_regression_too(sample):
    """Time of torch over tf2 falls; only tf2 had a release that night."""
    history = sample.series(30, -0.08, at=20, seed=3)
    versions = [
        {"tf2": {"tensorflow": "2.22.0" if place >= 20 else "2.21.0"}} for place in range(30)
    ]
    moved = dataclasses.replace(
        history,
        points=tuple(
            dataclasses.replace(point, versions=told)
            for point, told in zip(history.points, versions, strict=True)
        ),
    )
    (found,) = series.steps(moved)
    assert (REGRESSION, "tf2") == ((change := series._change(found)).severity, change.subject.build)
    assert "tf2 became slower: only the versions of tf2 have moved" in change.text


def test_a_build_that_became_faster_with_its_release_is_an_improvement(sample):
    """The only versions that moved are those of torch; a release of a build that is not of the
    pair is nothing to it."""
    history = sample.series(30, -0.08, at=20, seed=3)
    told = dataclasses.replace(
        history,
        points=tuple(
            dataclasses.replace(
                point,
                versions={**point.versions, "tf1": {"numpy": "1.18" if place < 20 else "1.19"}},
            )
            for place, point in enumerate(history.points)
        ),
    )
    (found,) = series.steps(told)
    change = series._change(found)
    assert (IMPROVEMENT, "torch") == (change.severity, change.subject.build)
    assert ["torch: torch 2.12.0 -> 2.13.0"] == [str(one) for one in change.suspects]


@pytest.mark.parametrize("share", [0.08, -0.08])
@pytest.mark.parametrize("build", ["tf1", "tf2", "torch"])
def test_of_three_builds_the_one_whose_pairs_all_stepped_is_named(sample, build, share):
    """Wherever it stands in its pairs, and with no release of anything: slower is a regression,
    faster an improvement."""
    told = tonight(three(sample, {build: share}))
    assert told and {build} == {change.subject.build for change in told}
    assert {REGRESSION if share > 0 else IMPROVEMENT} == {change.severity for change in told}
    assert all(f"the ratios of {build} to all other builds moved" in change.text for change in told)


def test_of_three_builds_the_pairs_speak_before_the_versions(sample):
    """Torch had a release on the night on which tf2 became slower: its ratio to tf1 stayed, so
    that it is tf2."""
    given = three(sample, {"tf2": 0.08})
    given = [
        dataclasses.replace(
            one,
            points=tuple(
                dataclasses.replace(
                    point,
                    versions={
                        "torch": {"torch": "2.13.0" if place >= 20 else "2.12.0"},
                        "tf2": {},
                        "tf1": {},
                    },
                )
                for place, point in enumerate(one.points)
            ),
        )
        for one in given
    ]
    told = tonight(given)
    assert {("tf2", REGRESSION)} == {(change.subject.build, change.severity) for change in told}


def test_two_builds_of_three_that_step_apart_are_nobodys(sample):
    """tf1 became slower and torch faster: all three ratios moved. No build is named, and nothing
    is an improvement."""
    told = tonight(three(sample, {"tf1": 0.08, "torch": -0.08}))
    assert {("", REGRESSION)} == {(change.subject.build, change.severity) for change in told}


def test_a_gain_of_one_build_has_no_other_build(sample):
    """Two precisions of torch, whose only release is on both sides of the ratio: which of them
    moved is not told by it."""
    history = sample.series(30, -0.08, at=20, seed=3)
    (found,) = series.steps(
        dataclasses.replace(
            history,
            measurand=dataclasses.replace(
                history.measurand, a="torch", b="torch", precision="fp32:bf16"
            ),
        )
    )
    change = series._change(found)
    assert (REGRESSION, "") == (change.severity, change.subject.build)
    assert "either torch fp32 became slower or torch bf16 faster" in change.text


def test_a_changed_port_begins_a_new_series(sample):
    """The same step, with another source from that night on: no step, and none across the border
    later."""
    history = sample.series(40, 0.2, at=20, seed=3)
    ported = dataclasses.replace(
        history,
        points=tuple(
            dataclasses.replace(point, source="ffff" if place >= 20 else "0a1b")
            for place, point in enumerate(history.points)
        ),
    )
    assert 1 == len(series.steps(history)) and () == series.steps(ported)
    assert [20, 20] == [len(one) for one in series.stretches(ported.points)]


def test_nights_without_a_number_are_left_out(sample):
    """One night that failed does not keep the others from being searched."""
    history = sample.series(40, 0.08, at=20, seed=3)
    holed = dataclasses.replace(
        history,
        points=tuple(
            dataclasses.replace(point, mean=math.nan) if place % 7 == 0 else point
            for place, point in enumerate(history.points)
        ),
    )
    (found,) = series.steps(holed)
    assert found.first.run in {"run020", "run022"}


def test_many_series_share_the_error_rate(sample):
    """What is found alone on little evidence is not among a hundred series; clear evidence is."""
    weak = upto(sample.series(40, 0.08, at=10, seed=3), 13)
    named = [dataclasses.replace(weak.measurand, seed=seed) for seed in range(99)]
    others = [
        dataclasses.replace(sample.series(13, seed=what.seed), measurand=what) for what in named
    ]
    assert list(series.changes([weak])) and [] == list(series.changes([weak, *others]))


def test_a_step_that_is_not_certainly_material_is_a_note(sample):
    """About 4 % on a machine that is not quiet: found, and not held against anybody yet."""
    found = [
        series._change(one)
        for seed in range(8)
        for one in series.steps(sample.series(34, 0.04, at=30, deviation=0.01, seed=seed))
    ]
    notes = [change for change in found if change.severity == NOTE]
    assert notes and all("not certain yet" in change.text for change in notes)


def test_the_noise_of_the_nights_comes_from_the_history(sample):
    """Of nights that differ by 3 % beside their rounds; a step in it does not inflate it."""
    spread = series.spreads([sample.series(60, 0.3, at=30, deviation=0.03, seed=5)])
    (one,) = spread.values()
    assert 0.02 < one.deviation < 0.045 and 1.0 < one.degrees_of_freedom < 60
    assert (
        {}
        == series.spreads([sample.series(3)])
        == series.spreads([Series(sample.series(3).measurand, ())])
    )
