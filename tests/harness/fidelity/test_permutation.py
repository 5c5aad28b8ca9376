"""Tests on generated rows: seeds are the unit, a test without an effect rejects as often as it
says, and effects are seen."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.fidelity import permutation
from harness.fidelity.permutation import distances, labellings, row_features, two_sample

SEEDS, ROWS, HOURS = 4, 24, 5
NAMES = ("u", "v")


def model(generator, scale=1.0, swap=False):
    """Return the rows of one trained model: its centre differs from seed to seed, so its rows
    are not independent."""
    centre = np.array([0.0, 2.0]) + 0.5 * generator.normal(size=2)
    rows = centre + scale * np.cumsum(generator.normal(size=(ROWS, HOURS, 2)), axis=1)
    return rows[:, :, ::-1] if swap else rows


def outcomes(seed, **changed):
    generator = np.random.RandomState(seed)
    a, b = ([model(generator, **kind) for _ in range(SEEDS)] for kind in ({}, changed))
    return {test.name: test for test in two_sample(a, b, NAMES, 2.8)}


def test_all_labellings_are_looked_at_the_true_one_first():
    """Of 3 and 3 seeds there are 20, each half b; of many, a fixed random choice."""
    found = labellings(3, 3)
    assert (math.comb(6, 3), 6) == found.shape == np.unique(found, axis=0).shape
    assert [0, 0, 0, 1, 1, 1] == found[0].tolist() and {3.0} == set(found.sum(axis=1))
    many = labellings(12, 12)
    assert (
        len(many) == permutation.MOST_LABELLINGS
        and np.array_equal(many, labellings(12, 12))
        and many[0, :12].sum() == 0
    )


def test_permuted_labels_are_exact_for_models_that_switch_channels_off():
    """As short trainings do with interventions: in units of one side alone equal builds would
    differ 12 times in 100."""
    generator, counts = np.random.RandomState(1), dict.fromkeys(("energy distance", "MMD"), 0)
    for _ in range(300):
        often = np.where(generator.uniform(size=(10, 1, 1, 8)) < 0.3, 0.4, 0.004)
        models = (generator.uniform(size=(10, 16, 4, 8)) < often).astype(float)
        for test in two_sample(models[:5], models[5:], "abcdefgh", 2.8):
            if test.name in counts:
                counts[test.name] += test.p <= 0.05
    assert max(counts.values()) <= 27  # which Binomial(300, 0.05) exceeds once in 1,000 times


def test_without_a_difference_each_test_rejects_as_often_as_its_level_says():
    """Although rows of one seed resemble each other: a test that took rows for independent would
    nearly always reject."""
    found = [outcomes(seed) for seed in range(120)]
    for name in found[0]:
        rate = np.mean([one[name].p <= 0.1 for one in found])
        assert rate <= 0.1 + 3 * np.sqrt(0.09 / len(found)), name
        if name in ("energy distance", "MMD"):
            assert not any(one[name].effect > one[name].margin for one in found)


@pytest.mark.parametrize("change", [{"scale": 0.3}, {"swap": True}])
def test_a_difference_is_found_by_every_kind_of_test(change):
    """p is as small as 70 labellings allow: the true one and its mirror image."""
    found = outcomes(1, **change)
    least = 2 / math.comb(2 * SEEDS, SEEDS)
    for name in ("energy distance", "MMD", "classifier"):
        assert found[name].p <= 1.5 * least, name
    assert found["classifier"].effect > permutation.CLASSIFIER_MARGIN


def test_distances_are_squared_distances_of_distributions():
    """Nought between equal rows, symmetric, and the energy distance of two points is twice their
    distance."""
    rows = [np.zeros((3, 1)), np.zeros((3, 1)), np.full((2, 1), 1.5)]
    energy, mmd = distances(rows)
    assert (
        np.allclose(energy, energy.T)
        and np.allclose(mmd, mmd.T)
        and energy[0, 1] == mmd[0, 1] == 0.0
    )
    assert energy[0, 2] == pytest.approx(3.0)
    assert mmd[0, 2] == pytest.approx(
        2 * (5 - sum(math.exp(-(1.5**2) / (2 * width**2)) for width in (1, 2, 4, 8, 16)))
    )


def test_rows_without_steps_have_features_too():
    """Tables are series of one step."""
    assert row_features(np.ones((4, 1, 3))).shape == (4, 4 * 3 + 3)
