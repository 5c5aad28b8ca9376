"""Agreement that got worse inside its threshold: beyond what honest variation explains, and not below."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest

from harness.changes import floors
from harness.changes.model import NOTE, REGRESSION, Night
from harness.changes.provenance import Suspects
from harness.fidelity import measured


def found(before, after):
    old, new = Night(before), Night(after)
    return list(floors.changes(old, new, Suspects(old, new)))


def of_torch(row):
    return row.b == "torch" and row.stage == "forward" and row.precision == "fp64"


def test_a_growth_beyond_honest_variation_is_found(sample):
    """Planted: torch's forward pass in float64 goes from 2 to 9 floors; the verdict is still PASS."""
    before = sample.report()
    (change,) = found(before, sample.staged(before, of_torch, error=9e-15))
    assert (REGRESSION, "torch", "forward") == (change.severity, change.subject.build, change.subject.what)
    assert (2.0, 9.0) == pytest.approx((change.before, change.after)) and 3 == len(change.also)
    assert "still passes" in change.text and "error / floor of conv1 grew from 2 to 9" in change.text


@pytest.mark.parametrize("stage", ["forward", "loss", "gradients", "update", "trajectory"])
@pytest.mark.parametrize("precision", ["fp64", "fp32"])
def test_the_largest_honest_error_is_no_growth(sample, stage, precision):
    """From nothing at all to the most that any honest comparison has ever shown: that is what the order of a sum does."""
    before = sample.staged(sample.report(), lambda row: True, error=0.0, floor=1e-15)
    largest = measured.LARGEST[precision][stage]
    chosen = lambda row: row.b == "torch" and row.stage == stage and row.precision == precision  # noqa: E731
    assert [] == found(before, sample.staged(before, chosen, error=largest * 1e-15))
    assert found(before, sample.staged(before, chosen, error=1.01 * max(1.0, largest) * 1e-15))


def test_a_lower_precision_only_informs(sample):
    """Float64 separates meaning from rounding; elsewhere a growth is a note."""
    before = sample.report()
    (change,) = found(before, sample.staged(before, lambda row: row.b == "torch" and row.precision == "fp32", error=9e-15))
    assert NOTE == change.severity


def test_another_tensor_that_took_over_grew_at_least_as_much(sample):
    """The tensor nearest to its threshold has another name: it was further below it the night before."""
    before = sample.report(("tf2", "torch"))
    (change,) = found(before, sample.staged(before, of_torch, error=9e-15, worst="dense2"))
    assert "of dense2 (before, conv1 was nearest to its threshold) grew" in change.text


def test_floors_of_honest_builds_differ_by_less_than_the_factor():
    """In the committed example, a run of ten pairs of five builds: the same tensor's floors."""
    folder = Path(__file__).parents[3] / "reports/example"
    floors_of: dict[tuple[str, ...], list[float]] = {}
    for row in json.loads((folder / "report.json").read_text())["stages"]:
        if row["stage"] in floors.STAGES and row["floor"]:
            floors_of.setdefault((row["workload"], row["precision"], row["stage"], row["worst"]), []).append(row["floor"])
    ratios = [max(found) / min(found) for found in floors_of.values() if len(found) > 1]
    assert len(ratios) > 10 and 1.0 < max(ratios) < floors.FLOOR_FACTOR


def test_a_floor_that_widens_is_found(sample):
    """Planted: the floor excuses a hundred times as much, and the error with it, so that their ratio shows nothing."""
    before = sample.report()
    (change,) = found(before, sample.staged(before, of_torch, error=2e-13, floor=1e-13, threshold=1.6e-12))
    assert REGRESSION == change.severity and "the floor of conv1 grew from 1e-15 to 1e-13" in change.text
    assert [] == found(before, sample.staged(before, of_torch, error=4e-15, floor=2e-15))
    assert [] == found(before, sample.staged(before, of_torch, error=2e-13, floor=1e-13, worst="another"))


def test_what_fails_or_is_of_other_data_is_left_to_others(sample):
    """A FAIL is a flip; on another tape an error is of other numbers."""
    before = sample.report()
    grown = sample.staged(before, of_torch, error=9e-15)
    assert [] == found(before, sample.staged(grown, of_torch, verdict="FAIL"))
    assert [] == found(before, dataclasses.replace(grown, tapes={"cnn/tiny/0": "cd" * 32}))


@pytest.mark.parametrize("more", [{"error": None}, {"floor": None}, {"floor": 0.0}, {"error": math.nan}, {"floor": math.inf}])
def test_numbers_that_are_none_are_not_compared(sample, more):
    """No error, no floor: nothing to hold against anything."""
    before = sample.report()
    assert [] == found(before, sample.staged(before, of_torch, **{"error": 9e-15, **more}))
