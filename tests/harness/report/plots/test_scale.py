"""Axes: values to places, and marks at round values."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.plots.scale import Scale, finite, mark

NUMBERS = st.floats(-1e12, 1e12)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 10.0, [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]),
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (17.0, 63.0, [20.0, 30.0, 40.0, 50.0, 60.0]),
    ],
)
def test_a_linear_axis_is_marked_at_round_values(low, high, expected):
    """Steps of 1, 2 or 5."""
    assert expected == pytest.approx(Scale(low, high, 0, 100).ticks())


def test_a_logarithmic_axis_is_marked_at_powers_of_ten():
    """Not at all of them, where there are many; between two of them at 1, 2 and 5; over less
    than that as a linear one."""
    assert [1e-16, 1e-12, 1e-8, 1e-4] == pytest.approx(Scale(1e-16, 1e-2, 0, 100, True).ticks())
    assert [2.0, 5.0, 10.0] == pytest.approx(Scale(1.5, 12.5, 0, 100, True).ticks())
    assert [1.0, 1.1, 1.2] == pytest.approx(Scale(0.96, 1.25, 0, 100, True).ticks(4))


@given(NUMBERS, NUMBERS, NUMBERS)
def test_every_value_has_a_place_on_the_axis(one, other, value):
    """Also where both ends are the same, and where it lies beyond them; marks lie between the
    ends."""
    scale = Scale(min(one, other), max(one, other), 300, 10)
    assert 10 <= scale(value) <= 300
    room = 1e-6 * (scale.high - scale.low)
    assert all(scale.low - room <= tick <= scale.high + room for tick in scale.ticks())
    assert len(scale.ticks()) <= 12


@given(st.floats(), st.floats(), st.floats(allow_nan=False), st.booleans())
def test_no_end_is_too_large_or_too_near(one, other, value, logarithmic):
    """Infinities, and what is less than floats tell apart."""
    low, high = (min(one, other), max(one, other)) if not math.isnan(one + other) else (0.0, 5e-324)
    scale = (
        Scale(abs(low) or 1e-9, max(abs(low), abs(high)) or 1e-9, 300, 10, True)
        if logarithmic
        else Scale(low, high, 300, 10)
    )
    assert 10 <= scale(value) <= 300 and len(scale.ticks()) <= 12


def test_the_least_number_of_all_has_an_axis():
    """Two thirds of it are the number itself."""
    scale = Scale(5e-324, 5e-324, 300, 10, True)
    assert 10 <= scale(5e-324) <= 300 and len(scale.ticks()) <= 12


@given(st.floats(1e-300, 1e300), st.floats(1e-300, 1e300))
def test_a_logarithmic_axis_takes_any_sizes(one, other):
    """As far as floats go."""
    scale = Scale(min(one, other), max(one, other), 0, 100, True)
    assert 0 <= scale(one) <= 100 and 0 <= scale(other) <= 100 and len(scale.ticks()) <= 12


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0"),
        (0.25, "0.25"),
        (1e-16, "1e-16"),
        (2e7, "2e7"),
        (0.30000000000000004, "0.3"),
        (-3.0, "-3"),
        (math.inf, "inf"),
    ],
)
def test_marks_are_short(value, expected):
    """An exponent where it is shorter."""
    assert expected == mark(value)


def test_what_cannot_be_placed_is_left_out():
    """Nothing, NaN, infinities; on a logarithmic axis what is not above 0."""
    assert [1.0, -2.0, 0.0] == finite([1.0, None, math.nan, math.inf, -2.0, 0.0])
    assert [1.0] == finite([1.0, -2.0, 0.0], positive=True)
