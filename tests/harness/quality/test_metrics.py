"""Distances of rows: known values, the better model scores better, and what is not defined says
why."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.fidelity import kernel
from harness.quality import metrics

RNG = np.random.RandomState(0)
REAL = RNG.normal(size=(40, 6, 3)).cumsum(axis=1)


def test_mmd_of_two_points_is_the_formula():
    """Biased: the square root of k(x, x) + k(y, y) - 2 k(x, y), with a kernel that is a sum of
    five."""
    x, y = np.zeros((1, 1, 2)), np.array([[[3.0, 4.0]]])
    similar = sum(math.exp(-25.0 / (2.0 * width**2)) for width in (1, 2, 4, 8, 16))
    assert metrics.mmd(x, y).value == pytest.approx(math.sqrt(10.0 - 2.0 * similar))
    assert metrics.mmd(REAL, REAL).value == 0.0
    assert metrics.mmd(REAL, REAL + 1.0).value > metrics.mmd(REAL, REAL + 0.1).value


def test_mmd_does_not_depend_on_its_blocks(monkeypatch: pytest.MonkeyPatch):
    """Memory is bounded, the number is the same."""
    whole = metrics.mmd(REAL, REAL[:7] + 0.5).value
    monkeypatch.setattr(kernel, "BLOCK", 3)
    assert metrics.mmd(REAL, REAL[:7] + 0.5).value == pytest.approx(whole, rel=1e-12)


def test_probabilities_of_each_feature_and_hour():
    """Correlation 1 and error 0 for the same, the error of a shift is the shift."""
    real = (RNG.uniform(size=(500, 4, 2)) < np.linspace(0.1, 0.8, 8).reshape(4, 2)).astype(float)
    assert metrics.probability_correlation(real, real).value == pytest.approx(1.0)
    assert metrics.probability_error(real, real).value == 0.0
    assert metrics.probability_error(np.zeros((5, 4, 2)), np.ones((9, 4, 2))).value == 1.0
    assert (
        "every generated probability is 0"
        in metrics.probability_correlation(real, np.zeros((9, 4, 2))).reason
    )
    assert (
        "no discrete channel"
        in metrics.probability_correlation(real[:, :, :0], real[:, :, :0]).reason
    )
    assert metrics.probability_error(real[:, :, :0], real[:, :, :0]).value is None


def test_correlations_of_channels():
    """Independent channels against equal ones."""
    same = np.repeat(REAL[:, :, :1], 3, axis=2)
    assert metrics.correlation_error(REAL, REAL).value == 0.0
    assert metrics.correlation_agreement(REAL, REAL).value == pytest.approx(1.0)
    assert 0.5 < metrics.correlation_error(REAL, same).value < 1.5
    still = REAL.copy()
    still[:, :, 1] = 2.0
    for metric in (metrics.correlation_error, metrics.correlation_agreement):
        assert metric(REAL, still).value is not None
        assert metric(still, REAL).value == pytest.approx(
            metric(np.delete(REAL, 1, axis=2), np.delete(REAL, 1, axis=2)).value, abs=1e-9
        )
        assert "two channels" in metric(REAL[:, :, :1], REAL[:, :, :1]).reason
    # A channel that the model never moves counts as uncorrelated, not as left out.
    linked = np.repeat(REAL[:, :, :1], 2, axis=2)
    frozen = linked.copy()
    frozen[:, :, 1] = 2.0
    assert metrics.correlation_error(linked, frozen).value == pytest.approx(1.0)
    assert "3 pairs" in metrics.correlation_agreement(REAL[:, :, :2], REAL[:, :, :2]).reason
