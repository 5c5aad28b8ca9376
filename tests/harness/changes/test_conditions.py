"""Under what two nights measured: what differs is said, and what only one of them tells is not."""

from __future__ import annotations

import dataclasses

import pytest

from harness.changes.conditions import between, moved
from harness.changes.model import Measurand, Moments, Ratios

RATIOS = Ratios(Measurand("cnn", "tf2", "torch", "fp32", "small", "train"), Moments(0.0, 0.01, 10))


def under(**told: str) -> Ratios:
    return dataclasses.replace(RATIOS, conditions=told)


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ({}, {"machine": "b"}, ""),
        ({"machine": "a"}, {"machine": "a"}, ""),
        (
            {"machine": "a", "threads": "2"},
            {"machine": "b", "threads": "4"},
            "measured under other conditions: machine a -> b, threads 2 -> 4",
        ),
        (
            {"data": "/data/of/the/first"},
            {"data": "/data/of/the/second"},
            "measured under other conditions: data /data/of/the/first -> /data/of/the/second",
        ),
        (
            {"specification": "ab" * 8, "threads": "2"},
            {"specification": "cd" * 8, "threads": "4"},
            (
                "the workload's specification or data changed (abababababab -> cdcdcdcdcdcd):"
                " another thing was measured; measured under other conditions: threads 2 -> 4"
            ),
        ),
    ],
)
def test_what_differs_is_worded(was, now, expected):
    """Another specification is another thing; the rest are other conditions."""
    assert expected == moved(under(**was), under(**now))


def test_each_measurand_has_its_reason(sample):
    """And those of which there is none are not listed."""
    before = sample.night(sample.report(("tf2", "torch")))
    first, *others = before.ratios
    after = dataclasses.replace(
        before, ratios=(dataclasses.replace(first, conditions={"threads": "4"}), *others)
    )
    assert {first.measurand: "measured under other conditions: threads 2 -> 4"} == between(
        before, after
    )
