"""A digest is small, and still notices a change of any one element."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fidelity.digest import PROJECTIONS, SAMPLES, SEED, digest
from harness.fidelity.judge import judge_stage

SIZE = 20_000


def sampled(size):
    return set(np.random.RandomState(SEED).permutation(size)[:SAMPLES].tolist())


@given(st.integers(0, SIZE - 1), st.sampled_from([1.0, -1.0]))
def test_a_change_of_any_one_element_moves_every_projection(place, sign):
    """By its size over the root of the number of elements; a sampled element shows it in full
    besides."""
    base = np.linspace(-1.0, 1.0, SIZE)
    changed = base.copy()
    changed[place] += sign * 0.01
    moved = np.abs(digest(changed) - digest(base))
    assert np.allclose(0.01 / np.sqrt(SIZE), moved[-PROJECTIONS:])
    assert (place in sampled(SIZE)) == bool(np.any(moved[:-PROJECTIONS]))


def test_a_small_tensor_is_its_own_digest():
    """Nothing is left out up to 200 elements."""
    values = np.arange(SAMPLES + PROJECTIONS).reshape(8, -1)
    assert np.array_equal(values.ravel(), digest(values))


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_whole_numbers_are_not_rounded_away(dtype):
    """One class number or mask bit that differs is seen, although its projection is less than 1."""
    base = np.zeros(SIZE, dtype)
    place = next(index for index in range(SIZE) if index not in sampled(SIZE))
    changed = base.copy()
    changed[place] = 1
    assert np.all(digest(base) != digest(changed)) or np.all(
        digest(base)[-PROJECTIONS:] != digest(changed)[-PROJECTIONS:]
    )


def test_nan_anywhere_shows():
    """A NaN between the samples reaches the projections."""
    base = np.ones(SIZE)
    base[next(index for index in range(SIZE) if index not in sampled(SIZE))] = np.nan
    assert np.all(np.isnan(digest(base)[-PROJECTIONS:]))


@pytest.mark.parametrize("digested_first", [True, False])
def test_the_judge_sees_one_unsampled_element_through_a_digest(memory, digested_first):
    """A recorded reference against a full tensor: the honest pair passes, one changed element in
    20,000 fails."""
    base = np.linspace(-1.0, 1.0, SIZE)
    changed = base.copy()
    changed[next(index for index in range(SIZE) if index not in sampled(SIZE))] += 1e-6
    for values, verdict in ((base, "PASS"), (changed, "FAIL")):
        reference, full = Shortened(base), memory({"x": values})
        sides = (reference, full) if digested_first else (full, reference)
        assert verdict == judge_stage(*sides, "forward", "fp64").verdict


class Shortened:
    """A side that holds digests, and entries of the whole tensor."""

    digested = True

    def __init__(self, values):
        self.values = values

    def entries(self, stage):
        from harness.fidelity.evidence import TensorEntry

        return [TensorEntry(stage, "x", self.values.shape, "float64", 0.0, 1.0)]

    def read(self, stage, name):
        return digest(self.values)

    def noise(self, stage, name):
        return {}
