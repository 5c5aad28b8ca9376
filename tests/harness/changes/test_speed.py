"""Speed against the previous night: what was planted is found, on the build on which it was
planted, and nothing else is."""

from __future__ import annotations

import dataclasses

import pytest

from harness.changes import speed
from harness.changes.model import (
    FASTER,
    IMPROVEMENT,
    NOTE,
    RATIO,
    REGRESSION,
    SLOWER,
    UNJUDGED,
    measurand,
)
from harness.changes.provenance import Suspects
from harness.changes.welch import NightSpread


def found(before, after, spreads=None):
    return list(speed.changes(before, after, Suspects(before, after), spreads or {}))


def test_two_nights_of_the_same_builds_show_nothing(sample):
    """Twenty ratios of two nights each, ten times, with the scatter of real processes."""
    base = sample.report()
    for seed in range(10):
        assert [] == found(sample.night(base, seed=2 * seed), sample.night(base, seed=2 * seed + 1))


@pytest.mark.parametrize(
    ("build", "share", "kind", "severity"),
    [
        ("torch", 0.12, SLOWER, REGRESSION),
        ("tf1", 0.12, SLOWER, REGRESSION),
        ("tf2.10", -0.12, FASTER, IMPROVEMENT),
    ],
)
def test_a_planted_slow_down_is_told_once_and_of_its_build(sample, build, share, kind, severity):
    """Whether the build stands first, last or in between in its pairs; `generate`, which was
    left alone, is not named."""
    base = sample.report()
    (change,) = found(sample.night(base), sample.night(base, {build: share}, seed=1))
    assert (kind, severity, build, "train") == (
        change.kind,
        change.severity,
        change.subject.build,
        change.subject.what,
    )
    assert (
        change.statistics is not None
        and change.statistics.low < 1.0 + share < change.statistics.high
    )
    assert 0.0 <= change.statistics.p < 0.01 < 1.0 - change.statistics.confidence + 0.01
    assert change.after / change.before == pytest.approx(change.statistics.ratio)
    assert (
        f"became {kind} on {build}" in change.text
        and "theirs to each other did not" in change.text
        and len(change.also) <= 3
    )


def test_the_release_that_came_with_it_is_the_suspect(sample):
    """The version is named; another build's is not."""
    base = sample.report()
    moved = sample.rebuilt(
        sample.rebuilt(base, "torch", versions={"framework": "2.14.0"}),
        "tf2",
        versions={"framework": "2.22.0"},
    )
    (change,) = found(sample.night(base), sample.night(moved, {"torch": 0.12}, seed=1))
    assert ["torch: framework 2.13.0 -> 2.14.0"] == [str(one) for one in change.suspects]
    assert "Suspects: torch: framework 2.13.0 -> 2.14.0." in change.text


def test_a_change_inside_the_margin_is_none(sample):
    """Two per cent, with so many rounds that it is certain on nights that are alike: detected,
    and not material."""
    base = sample.report(("tf2", "torch"))
    before, after = (
        sample.night(base, rounds=400),
        sample.night(base, {"torch": 0.02}, rounds=400, seed=1),
    )
    alike = {one.measurand: NightSpread(0.0) for one in before.ratios}
    rows, _ = speed.compare(before, after, Suspects(before, after), alike)
    assert 1 == rows[0].judged.leaning and [] == found(before, after, alike)


@pytest.mark.parametrize(
    ("released", "slow", "kind"),
    [("torch", "torch", SLOWER), ("tf2", "tf2", SLOWER), ("tf2", "torch", FASTER)],
)
def test_of_two_builds_the_one_that_moved_is_suspected(sample, released, slow, kind):
    """Time of torch over tf2 grows when torch gets slower and when tf2 gets faster. The only one
    that was changed is taken."""
    base = sample.report(("tf2", "torch"))
    after = sample.rebuilt(base, released, versions={"framework": "9.9"})
    (change,) = found(sample.night(base), sample.night(after, {slow: 0.15}, seed=1))
    assert (kind, released) == (
        change.kind,
        change.subject.build,
    ) and f"only {released} has moved" in change.text


def test_of_two_builds_that_both_moved_the_step_times_speak(sample):
    """Weaker evidence, and told as such. Where both moved about as far, no build is named."""
    base = sample.report(("tf2", "torch"))
    times = lambda a, b: dataclasses.replace(  # noqa: E731
        base,
        speed=tuple(
            dataclasses.replace(row, a_step_s=a * 1e-3, b_step_s=b * 1e-3) for row in base.speed
        ),
    )
    before = sample.night(times(2.0, 3.0))
    (change,) = found(before, sample.night(times(2.4, 3.0), {"tf2": 0.2}, seed=1))
    assert (SLOWER, "tf2") == (
        change.kind,
        change.subject.build,
    ) and "not paired across nights, it is tf2" in change.text
    (change,) = found(before, sample.night(times(2.2, 2.7), {"tf2": 0.2}, seed=1))
    # Not an improvement of torch: that tf2 became slower is the other explanation, and here the
    # true one.
    assert (RATIO, "", "tf2", "torch") == (
        change.kind,
        change.subject.build,
        change.subject.a,
        change.subject.b,
    )
    assert "cannot tell which of two builds moved" in change.text


@pytest.mark.parametrize(
    ("a_s", "b_s", "why"),
    [
        (2.4, 3.3, "a ratio alone cannot tell which of two builds moved"),
        (2.0, 2.7, "it is torch, unless the whole machine was faster"),
    ],
)
def test_a_slow_down_of_the_leading_build_is_never_an_improvement(sample, a_s, b_s, why):
    """Planted: tf2 takes 10 % longer, on a night on which everything takes 10 % longer, or 10 %
    less. The ratio falls, and the step times point to nobody, or to torch."""
    base = sample.report(("tf2", "torch"))
    timed = [
        dataclasses.replace(
            base,
            speed=tuple(
                dataclasses.replace(row, a_step_s=a * 1e-3, b_step_s=b * 1e-3) for row in base.speed
            ),
        )
        for a, b in ((2.0, 3.0), (a_s, b_s))
    ]
    (change,) = found(
        sample.night(timed[0], rounds=20), sample.night(timed[1], {"tf2": 0.10}, rounds=20, seed=1)
    )
    assert (RATIO, REGRESSION, "") == (change.kind, change.severity, change.subject.build)
    assert "the time of torch over that of tf2 moved by -" in change.text and why in change.text
    assert (
        "either tf2 became slower or torch faster" in change.text
        and "became faster on" not in change.text
    )
    assert change.statistics is not None and change.after / change.before == pytest.approx(
        change.statistics.ratio
    )


def test_a_gain_that_fell_is_worded_by_its_precisions(sample):
    """bf16 against fp32 of one build: no other build moved."""
    base = sample.report(("tf2", "torch"))
    gain = [
        dataclasses.replace(row, precision="fp32:bf16", a="torch", b="torch") for row in base.speed
    ]
    nights = []
    for night in (sample.night(base), sample.night(base, {"torch": 0.15}, seed=1)):
        ratios = (
            dataclasses.replace(one, measurand=measurand(row))
            for one, row in zip(night.ratios, gain, strict=True)
        )
        nights.append(
            dataclasses.replace(
                night, report=dataclasses.replace(base, speed=tuple(gain)), ratios=tuple(ratios)
            )
        )
    (change,) = found(*nights)
    assert (RATIO, REGRESSION) == (change.kind, change.severity)
    assert "either torch bf16 became slower or torch fp32 faster" in change.text


def test_a_port_that_changed_is_another_measurement(sample):
    """Twice as slow, with another source: a note that it was not judged, never a regression. The
    other builds are judged all the same."""
    base = sample.report()
    ported = sample.rebuilt(
        base, "torch", port={"cnn": "backends/ports/torch/cnn.py, sha256 ffffffffffff"}
    )
    (change,) = found(sample.night(base), sample.night(ported, {"torch": 1.0}, seed=1))
    assert (
        (UNJUDGED, NOTE) == (change.kind, change.severity)
        and "the port on torch changed" in change.text
        and 8 == len(change.also)
    )
    kinds = {
        (one.kind, one.subject.build)
        for one in found(
            sample.night(base), sample.night(ported, {"torch": 1.0, "tf1": 0.2}, seed=1)
        )
    }
    assert {(UNJUDGED, ""), (SLOWER, "tf1")} == kinds


@pytest.mark.parametrize(
    ("rounds", "threads", "reason"),
    [(10, "4", "threads 2 -> 4"), (3, "2", "3 of the 5 rounds that an interval")],
)
def test_what_cannot_be_compared_is_said(sample, rounds, threads, reason):
    """Other threads, or too few rounds: a note, and no verdict."""
    base = sample.report(("tf2", "torch"))
    after = sample.night(base, {"torch": 1.0}, rounds, seed=1)
    after = dataclasses.replace(
        after,
        ratios=tuple(
            dataclasses.replace(one, conditions={"threads": threads}) for one in after.ratios
        ),
    )
    (change,) = found(sample.night(base), after)
    assert (
        UNJUDGED == change.kind
        and reason in change.text
        and "2 speed rows were not judged" in change.text
    )


def test_rows_without_rounds_are_said_to_be_unjudged(sample):
    """A report whose records have gone says nothing about a slow-down; silence would read as
    none."""
    base = sample.report(("tf2", "torch"))
    after = dataclasses.replace(sample.night(base), ratios=())
    (change,) = found(sample.night(base), after)
    assert UNJUDGED == change.kind and "the rounds are not there" in change.text


def test_a_refused_comparison_is_not_judged(sample):
    """Settings differ between the sides: its ratio is of the setting."""
    base = sample.report(("tf2", "torch"))
    refused = dataclasses.replace(
        base, speed=tuple(dataclasses.replace(row, verdict="REFUSED") for row in base.speed)
    )
    (change,) = found(sample.night(base), sample.night(refused, {"torch": 1.0}, seed=1))
    assert UNJUDGED == change.kind and "REFUSED" in change.text


def test_a_noisy_machine_takes_more_to_convince(sample):
    """The same change that is found on a quiet machine is not, where nights are known to differ
    by 5 %."""
    base = sample.report(("tf2", "torch"))
    before, after = sample.night(base), sample.night(base, {"torch": 0.1}, seed=1)
    assert found(before, after)
    assert [] == found(
        before, after, {one.measurand: NightSpread(0.05, 10.0) for one in before.ratios}
    )
