"""Memory that grew by more than measuring explains, told once for each build."""

from __future__ import annotations

import dataclasses

import pytest

from harness.changes import memory
from harness.changes.model import IMPROVEMENT, NOTE, REGRESSION, Night
from harness.changes.provenance import Suspects
from harness.report.model import Cost


def with_peak(base, build, size, **more):
    """Return a report in which a build's peak is another one, in all of its rows of `train`."""
    rows = tuple(
        dataclasses.replace(row, **{f"{side}_peak_bytes": size for side, name in (("a", row.a), ("b", row.b)) if name == build}, **more)
        if row.action == "train" else row for row in base.speed
    )
    return dataclasses.replace(base, speed=rows)


def found(before, after):
    old, new = Night(before), Night(after)
    return list(memory.changes(old, new, Suspects(old, new)))


@pytest.mark.parametrize(("was", "now", "severity"), [
    (400_000_000, 409_000_000, REGRESSION), (400_000_000, 407_900_000, None), (100_000_000, 104_900_000, None),
    (100_000_000, 105_100_000, REGRESSION), (400_000_000, 300_000_000, IMPROVEMENT), (400_000_000, 392_100_000, None),
])
def test_two_per_cent_and_five_megabytes(sample, was, now, severity):
    """Both have to be exceeded; one change for the build, whatever number of pairs it is in."""
    base = sample.report()
    changes = found(with_peak(base, "torch", was), with_peak(base, "torch", now))
    assert [severity] * bool(severity) == [one.severity for one in changes]
    if changes:
        assert ("torch", "train", was, now) == (changes[0].subject.build, changes[0].subject.what, changes[0].before, changes[0].after)


def test_a_changed_port_is_a_note(sample):
    """Its memory is of other code."""
    base = sample.report()
    after = sample.rebuilt(with_peak(base, "torch", 900_000_000), "torch", port={"cnn": "backends/torch/cnn.py, sha256 ffffffffffff"})
    (change,) = found(base, after)
    assert NOTE == change.severity and "port of cnn" in change.text


def test_the_gpu_has_a_peak_of_its_own(sample):
    """Resident memory may stay as it is while the card's grows."""
    base = sample.report(("tf2", "torch"))
    before, after = (with_peak(base, "torch", 400_000_000, b_cost=Cost({}, device_peak_bytes=size)) for size in (10**9, 2 * 10**9))
    (change,) = found(before, after)
    assert REGRESSION == change.severity and "peak memory on the GPU grew from 1000.0 to 2000.0 MB (+100.0 %)" in change.text


def test_what_one_night_did_not_measure_is_not_compared(sample):
    """No number, no change."""
    base = sample.report(("tf2", "torch"))
    assert [] == found(with_peak(base, "torch", None), base)
