"""The error measure: on the tensor's own scale, the same at every scale, and blind to nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.fidelity.measure import difference


def test_the_worst_element_decides_and_is_named():
    """One wrong element among many is found, with its place and both values."""
    b = np.ones((3, 4))
    a = b.copy()
    a[1, 2] = 1.5
    found = difference(a, b, 1.0)
    assert (0.5, (1, 2), 1.5, 1.0) == (found.error, found.index, found.value_a, found.value_b)
    assert math.isclose(0.5 / math.sqrt(12), found.norm_error)


@pytest.mark.parametrize("scale", [1e-300, 1e-8, 1.0, 1e4, 1e300])
def test_the_measure_does_not_depend_on_the_unit(scale):
    """Squares neither overflow nor vanish, and a sign flip is 2 at every scale."""
    b = np.array([1.0, -0.5]) * scale
    found = difference(-b, b, scale)
    assert (
        math.isclose(2.0, found.error)
        and math.isclose(2.0, found.norm_error)
        and math.isclose(-1.0, found.cosine)
    )


def test_a_difference_from_nothing_is_infinite():
    """With no scale at all, equal is 0 and anything else is infinity, never a NaN that passes a
    comparison."""
    zero = np.zeros(3)
    assert 0.0 == difference(zero, zero, 0.0).error
    assert math.inf == difference(np.array([0.0, 1e-300, 0.0]), zero, 0.0).error
    assert 0.0 == difference(np.ones(3), zero, 1.0).cosine


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_said_to_be_so(odd):
    """One-sided and two-sided are told apart; the error is NaN, the place is the first."""
    b = np.array([1.0, 2.0, 3.0])
    a = b.copy()
    a[1] = odd
    one_sided, two_sided = difference(a, b, 3.0), difference(a, a, 3.0)
    assert (
        not one_sided.finite
        and not one_sided.same_mask
        and (1,) == one_sided.index
        and math.isnan(one_sided.error)
    )
    assert not two_sided.finite and two_sided.same_mask


def test_infinities_of_opposite_sign_are_not_the_same_mask():
    """+inf against -inf is a fault."""
    assert not difference(np.array([math.inf]), np.array([-math.inf]), 1.0).same_mask


def test_scalars_and_low_precisions_are_compared_in_float64():
    """A loss has no axes, and float32 values keep what they have."""
    assert () == difference(np.float32(1.0), np.float32(1.5), 1.5).index
    a = np.array([1.0], np.float32)
    assert 2.0**-23 == difference(np.nextafter(a, np.float32(2.0)), a, 1.0).error


def test_complex_values_are_compared_whole():
    """The imaginary part counts as the real one does; the last index of the place says which it
    is."""
    a, b = np.array([1.0 + 1.0j, 2.0]), np.array([1.0 + 1.5j, 2.0])
    found = difference(a, b, 2.0)
    assert (0.25, (0, 1), 1.0, 1.5) == (found.error, found.index, found.value_a, found.value_b)
    assert (
        0.0 == difference(a, a, 2.0).error
        and not difference(np.array([np.nan * 1j]), np.array([1j]), 1.0).finite
    )


@pytest.mark.parametrize(
    ("a", "b", "apart"),
    [
        (np.int64(2**53), np.int64(2**53 + 1), 1.0),
        (np.int64(-(2**63)), np.int64(2**63 - 1), 2.0**64),
        (np.uint64(2**64 - 1), np.int64(-1), 2.0**64),
        (np.int32(-3), np.int64(4), 7.0),
        (np.uint8(250), np.uint8(5), 245.0),
    ],
)
def test_whole_numbers_are_compared_exactly(a, b, apart):
    """Beyond 2^53 float64 has no odd numbers, and a difference does not wrap."""
    for one, two in ((a, b), (b, a)):
        assert apart == difference(np.array([one]), np.array([two]), 1.0).apart
