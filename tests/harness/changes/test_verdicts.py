"""Verdicts that flipped: one fault is one change, named after the build and the first stage."""

from __future__ import annotations

import dataclasses

import pytest

from harness.changes import verdicts
from harness.changes.model import IMPROVEMENT, NOTE, REGRESSION, JudgedNight
from harness.changes.provenance import Suspects

LADDER = ("loss", "gradients", "update", "trajectory")


def found(before, after):
    old, new = JudgedNight(before), JudgedNight(after)
    return list(verdicts.changes(old, new, Suspects(old, new)))


def test_nothing_flips_where_nothing_changed(sample):
    """The same night twice."""
    assert [] == found(sample.report(), sample.report())


def test_one_fault_of_one_build_is_one_change(sample):
    """Planted: torch's loss is wrong, so all later stages fail against all other builds in both
    precisions. It is told once, by the loss in float64, with the release that came with it as the
    suspect."""
    before = sample.report()
    wrong = sample.staged(
        before,
        lambda row: row.b == "torch" and row.stage in LADDER,
        verdict="FAIL",
        error=3e-4,
        worst="loss/l2",
    )
    after = sample.rebuilt(wrong, "torch", versions={"framework": "2.14.0", "numpy": "2.4.6"})
    (change,) = found(before, after)
    assert (REGRESSION, "PASS", "FAIL") == (change.severity, change.before, change.after)
    assert ("torch", "loss", "fp64") == (
        change.subject.build,
        change.subject.what,
        change.subject.precision,
    )
    assert ["torch: framework 2.13.0 -> 2.14.0"] == [str(one) for one in change.suspects]
    assert 4 * 4 * 2 - 1 == len(change.also) and "fp32 trajectory tf2 : torch" in change.also
    assert (
        "loss/l2" in change.text
        and "2.0e-15 -> 3.0e-04" in change.text
        and "against tf1, tf1-compat, tf2.10, tf2," in change.text
    )


def test_of_two_builds_the_pair_is_named(sample):
    """Which of them is wrong cannot be told."""
    before = sample.report(("tf2", "torch"))
    (change,) = found(
        before, sample.staged(before, lambda row: row.stage in LADDER, verdict="FAIL")
    )
    assert ("", "tf2", "torch") == (change.subject.build, change.subject.a, change.subject.b)
    assert "Nothing that the reports record has moved." in change.text


@pytest.mark.parametrize(
    ("was", "now", "severity"),
    [
        ("PASS", "FAIL", REGRESSION),
        ("PASS", "INCONCLUSIVE", REGRESSION),
        ("INCONCLUSIVE", "FAIL", REGRESSION),
        ("FAIL", "INCONCLUSIVE", NOTE),
        ("FAIL", "PASS", IMPROVEMENT),
        ("INCONCLUSIVE", "PASS", IMPROVEMENT),
    ],
)
def test_for_the_worse_and_for_the_better(sample, was, now, severity):
    """A PASS that is lost is a regression; FAIL that became INCONCLUSIVE is neither."""
    base = sample.report(("tf2", "torch"), ("fp64",))
    (one,) = [row for row in base.stages if row.stage == "loss"]
    before, after = (
        dataclasses.replace(base, stages=(dataclasses.replace(one, verdict=word),))
        for word in (was, now)
    )
    (change,) = found(before, after)
    assert severity == change.severity


def test_rows_that_only_inform_never_flip(sample):
    """INFO is no verdict."""
    before = sample.report(("tf2", "torch"))
    assert [] == found(
        before, sample.staged(before, lambda row: row.stage == "loss", verdict="INFO")
    )


def test_two_seeds_are_two_rows(sample):
    """A fault that only one seed shows flips that seed's row."""
    base = sample.report(("tf2", "torch"), ("fp64",))
    both = dataclasses.replace(
        base, stages=(*base.stages, *(dataclasses.replace(row, seed=1) for row in base.stages))
    )
    (change,) = found(
        both,
        sample.staged(
            both, lambda row: row.seed == 1 and row.stage == "trajectory", verdict="FAIL"
        ),
    )
    assert 1 == change.subject.seed and "seed 1" in change.text and () == change.also


def test_a_lower_precision_is_its_builds_own(sample):
    """The row of its bounds holds a build against its own float64 run."""
    base = sample.report(("tf2", "torch"), ("fp64",))
    bound = sample.stage("torch", "torch fp64", "precision", "bf16")
    before = dataclasses.replace(base, stages=(*base.stages, bound))
    (change,) = found(
        before, sample.staged(before, lambda row: row.stage == "precision", verdict="FAIL")
    )
    assert ("torch", "precision") == (change.subject.build, change.subject.what)
