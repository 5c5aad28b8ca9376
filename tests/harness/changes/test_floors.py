"""Agreement that got worse inside its threshold: beyond what honest variation explains, and not
below."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest

from harness.changes import creep, floors
from harness.changes.model import NOTE, REGRESSION, JudgedNight
from harness.changes.provenance import Suspects
from harness.fidelity import honest_spread


def found(before, after, earlier=()):
    old, new = JudgedNight(before), JudgedNight(after)
    past = creep.past(new, (old, *(JudgedNight(one) for one in earlier))) if earlier else ()
    return list(floors.changes(old, new, Suspects(old, new), past))


def nightly(nights):
    """Return what each night tells, with all nights before it; the nights are given oldest
    first."""
    return [
        found(nights[place - 1], nights[place], nights[: place - 1][::-1])
        for place in range(1, len(nights))
    ]


def of_torch(row):
    return row.b == "torch" and row.stage == "forward" and row.precision == "fp64"


def test_a_growth_beyond_honest_variation_is_found(sample):
    """Planted: torch's forward pass in float64 goes from 2 to 9 floors; the verdict is still
    PASS."""
    before = sample.report()
    (change,) = found(before, sample.staged(before, of_torch, error=9e-15))
    assert (REGRESSION, "torch", "forward") == (
        change.severity,
        change.subject.build,
        change.subject.what,
    )
    assert (2.0, 9.0) == pytest.approx((change.before, change.after)) and 3 == len(change.also)
    assert (
        "still passes" in change.text and "error / floor of conv1 grew from 2 to 9" in change.text
    )


@pytest.mark.parametrize("stage", ["forward", "loss", "gradients", "update", "trajectory"])
@pytest.mark.parametrize("precision", ["fp64", "fp32"])
def test_the_largest_honest_error_is_no_growth(sample, stage, precision):
    """From nothing at all to the most that any honest comparison has ever shown: that is what
    the order of a sum does."""
    before = sample.staged(sample.report(), lambda row: True, error=0.0, floor=1e-15)
    largest = honest_spread.LARGEST[precision][stage]

    def chosen(row):
        return row.b == "torch" and row.stage == stage and row.precision == precision

    assert [] == found(before, sample.staged(before, chosen, error=largest * 1e-15))
    assert found(before, sample.staged(before, chosen, error=1.01 * max(1.0, largest) * 1e-15))


def test_a_lower_precision_only_informs(sample):
    """Float64 separates meaning from rounding; elsewhere a growth is a note."""
    before = sample.report()
    (change,) = found(
        before,
        sample.staged(
            before, lambda row: row.b == "torch" and row.precision == "fp32", error=9e-15
        ),
    )
    assert NOTE == change.severity


def test_another_tensor_that_took_over_grew_at_least_as_much(sample):
    """The tensor nearest to its threshold has another name: it was further below it the night
    before."""
    before = sample.report(("tf2", "torch"))
    (change,) = found(before, sample.staged(before, of_torch, error=9e-15, worst="dense2"))
    assert "of dense2 (before, conv1 was nearest to its threshold) grew" in change.text


def test_floors_of_honest_builds_differ_by_less_than_the_factor():
    """In the committed example, a run of ten pairs of five builds: the same tensor's floors."""
    folder = Path(__file__).parents[3] / "reports/example"
    floors_of: dict[tuple[str, ...], list[float]] = {}
    for row in json.loads((folder / "report.json").read_text())["stages"]:
        if row["stage"] in floors.STAGES and row["floor"]:
            floors_of.setdefault(
                (row["workload"], row["precision"], row["stage"], row["worst"]), []
            ).append(row["floor"])
    ratios = [max(found) / min(found) for found in floors_of.values() if len(found) > 1]
    assert len(ratios) > 10 and 1.0 < max(ratios) < floors.FLOOR_FACTOR


def test_a_floor_that_widens_is_found(sample):
    """Planted: the floor excuses a hundred times as much, and the error with it, so that their
    ratio shows nothing."""
    before = sample.report()
    (change,) = found(
        before, sample.staged(before, of_torch, error=2e-13, floor=1e-13, threshold=1.6e-12)
    )
    assert (
        REGRESSION == change.severity
        and "the floor of conv1 grew from 1e-15 to 1e-13" in change.text
    )
    assert [] == found(before, sample.staged(before, of_torch, error=4e-15, floor=2e-15))
    assert [] == found(
        before, sample.staged(before, of_torch, error=2e-13, floor=1e-13, worst="another")
    )


def test_what_fails_or_is_of_other_data_is_left_to_others(sample):
    """A FAIL is a flip; on another tape an error is of other numbers."""
    before = sample.report()
    grown = sample.staged(before, of_torch, error=9e-15)
    assert [] == found(before, sample.staged(grown, of_torch, verdict="FAIL"))
    assert [] == found(before, dataclasses.replace(grown, tapes={"cnn/tiny/0": "cd" * 32}))


@pytest.mark.parametrize(
    "more",
    [{"error": None}, {"floor": None}, {"floor": 0.0}, {"error": math.nan}, {"floor": math.inf}],
)
def test_numbers_that_are_none_are_not_compared(sample, more):
    """No error, no floor: nothing to hold against anything."""
    before = sample.report()
    assert [] == found(before, sample.staged(before, of_torch, **{"error": 9e-15, **more}))


def test_a_floor_that_widens_a_little_every_night_is_told_once(sample):
    """Planted: 3.9-fold every night, and the error with it; a factor of four is never reached
    against the night before."""
    base = sample.report()
    nights = [
        sample.staged(base, of_torch, error=2e-15 * 3.9**place, floor=1e-15 * 3.9**place)
        for place in range(10)
    ]
    told = [(place, changes) for place, changes in enumerate(nightly(nights), 1) if changes]
    assert [3] == [place for place, _ in told]
    (change,) = told[0][1]
    assert (REGRESSION, "torch", 3) == (change.severity, change.subject.build, len(change.also))
    assert (
        "the floor of conv1 grew from 3.9e-15 to 5.9e-14 against the median of the last 3 nights;"
        " honest builds differ by" in change.text
    )


def test_an_error_that_grows_a_little_every_night_is_told_once(sample):
    """Planted: by half of what is honest every night, in one precision that is judged strictly
    and one that is not."""
    base, step = sample.report(), 0.55 * floors.honest("fp64", "forward")
    nights = [
        sample.staged(base, of_torch, error=(1.0 + step * place) * 1e-15) for place in range(10)
    ]
    (change,) = [change for changes in nightly(nights) for change in changes]
    assert (
        REGRESSION == change.severity
        and "error / floor of conv1 grew" in change.text
        and "median of the last 3 nights" in change.text
    )
    lower = [
        sample.staged(
            base,
            lambda row: row.b == "torch" and row.stage == "forward" and row.precision == "fp32",
            error=(1.0 + 0.55 * floors.honest("fp32", "forward") * place) * 1e-15,
        )
        for place in range(10)
    ]
    assert [NOTE] == [change.severity for changes in nightly(lower) for change in changes]


def test_a_floor_that_stepped_is_not_told_again(sample):
    """By the night before, and by no later median; nor is what trembles within honest variation."""
    base = sample.report()
    wide = sample.staged(base, of_torch, error=2e-13, floor=1e-13, threshold=1.6e-12)
    for place in range(1, 6):
        (change,) = [
            change for changes in nightly([base] * place + [wide] * 6) for change in changes
        ]
        assert "median" not in change.text
    assert not any(nightly([base, sample.staged(base, of_torch, error=4e-15, floor=2e-15)] * 6))


@pytest.mark.parametrize("other", ["port", "tape", "verdict", "tensor"])
def test_nights_of_another_thing_make_no_median(sample, other):
    """Of another port, on another tape, that did not pass, or of whose tensors another was
    nearest to its threshold."""
    base = sample.report()
    old = {
        "port": lambda: sample.rebuilt(
            base, "torch", port={"cnn": "backends/ports/torch/cnn.py, sha256 ffffffffffff"}
        ),
        "tape": lambda: dataclasses.replace(base, tapes={"cnn/tiny/0": "cd" * 32}),
        "verdict": lambda: sample.staged(base, of_torch, verdict="INCONCLUSIVE"),
        "tensor": lambda: sample.staged(base, of_torch, worst="dense2"),
    }[other]()
    last, now = (
        sample.staged(base, of_torch, error=2.0 * floor, floor=floor)
        for floor in (3.9e-15, 1.5e-14)
    )
    assert found(last, now, [base] * 5) and [] == found(last, now, [old] * 5)
