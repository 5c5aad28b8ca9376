"""Percentiles from counts by class, against the ones of the calls themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.speed import latency

BASE = 1.02


def classes(calls_s: np.ndarray) -> dict[int, int]:
    """Return counts by class."""
    places, counts = np.unique(
        np.round(np.log(calls_s) / math.log(BASE)).astype(int), return_counts=True
    )
    return {int(place): int(count) for place, count in zip(places, counts, strict=True)}


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_percentiles_are_those_of_all_calls(share: float) -> None:
    """Over rounds of different lengths, within the width of a class."""
    generator = np.random.RandomState(3)
    rounds = [np.exp(generator.normal(-7.0, 0.5, count)) for count in (700, 1500, 90)]
    found = latency.percentile(latency.merge(map(classes, rounds)), BASE, share)
    assert found == pytest.approx(np.quantile(np.concatenate(rounds), share), rel=0.02)


def test_a_slow_tail_is_seen() -> None:
    """2 % of calls that take ten times as long move the last percentile and not the others."""
    calls = np.full(2000, 1e-3)
    calls[::50] = 1e-2
    counts = latency.merge([classes(calls)])
    p50, p95, p99 = (latency.percentile(counts, BASE, share) for share in (0.5, 0.95, 0.99))
    assert p50 == p95 == pytest.approx(1e-3, rel=0.01) and p99 == pytest.approx(1e-2, rel=0.01)


def test_too_few_calls_have_no_tail() -> None:
    """Ten calls have to lie beyond a percentile; none at all have no median either."""
    assert (
        latency.percentile({-300: 999}, BASE, 0.99) is None
        and latency.percentile({-300: 1000}, BASE, 0.99) is not None
    )
    assert (
        latency.percentile({}, BASE, 0.5) is None
        and latency.percentile({-300: 1000}, 0.0, 0.5) is None
    )
