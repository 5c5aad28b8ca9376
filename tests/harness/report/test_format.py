"""One spelling of numbers and of foreign text for all renderers."""

from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report import format as spell

SIZES = st.one_of(st.none(), st.just(math.nan), st.floats(min_value=0.0))
NUMBERS = st.one_of(st.none(), st.floats())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.0, "0 s"),
        (2.05e-3, "2.05 ms"),
        (3.4e-4, "340 µs"),
        (9.9996e-4, "1.00 ms"),
        (5e-8, "50.0 ns"),
        (1.5, "1.50 s"),
        (90.0, "90.0 s"),
        (300.0, "5.00 min"),
        (7200.0, "2.00 h"),
        (math.nan, "NaN s"),
        (math.inf, "inf s"),
    ],
)
def test_seconds(value, text):
    """Three digits and a unit."""
    assert text == spell.seconds(value)


def test_errors_and_values():
    """Errors with two digits; values with as many as tell two floats apart."""
    assert [spell.error(value) for value in (1.2e-15, 0.0, math.nan, math.inf, None)] == [
        "1.2e-15",
        "0",
        "NaN",
        "inf",
        "-",
    ]
    assert [spell.value(value) for value in (0.1, 0.1 + 2e-17, math.nan, -math.inf)] == [
        "0.1",
        "0.10000000000000002",
        "NaN",
        "-inf",
    ]


@pytest.mark.parametrize(
    ("error", "threshold", "text"),
    [
        (0.0, 0.0, "0"),
        (1e-20, 0.0, "inf×"),
        (math.nan, 1e-9, "NaN"),
        (3.2e-16, 8.8e-15, "3 %"),
        (2e-3, 6e-3, "33 %"),
        (1e-3, 1.0, "<1 %"),
        (0.9999, 1.0, "99 %"),
        (1.0, 1.0, "1.0×"),
        (1.0001, 1.0, "1.0×"),
        (5.14, 1.0, "5.1×"),
        (9.96, 1.0, "10×"),
        (999.6, 1.0, "1e3×"),
        (12.0, 1.0, "12×"),
        (3.1e-4, 8.8e-15, "4e10×"),
        (2e8, 1.0, "2e8×"),
        (None, 1.0, ""),
        (1.0, None, ""),
        (math.nan, 0.0, "NaN"),
    ],
)
def test_margin(error, threshold, text):
    """Error / threshold."""
    assert text == spell.margin(error, threshold)


@given(SIZES, SIZES)
def test_a_margin_fits_its_column(error, threshold):
    """Six characters at most, whatever is divided by whatever."""
    assert len(spell.margin(error, threshold)) <= 6


def test_ratios():
    """An end of the interval never looks like 1 when it is not 1."""
    assert spell.ratio(1.234, 1.2, 1.27) == "1.234 [1.20, 1.27]"
    assert spell.ratio(1.001, None, None) == "1.001"
    assert spell.ratio(None, None, None) == "-"
    assert spell.interval(0.997, 1.2) == "[0.997, 1.200]"
    assert spell.interval(1.0, 1.2) == "[1.00, 1.20]"
    assert spell.ratio(1.0054, 1.0004, 1.0104) == "1.005 [1.0004, 1.010]"
    assert spell.interval(0.99, 1 - 3e-6) == "[0.990, 0.999997]"


@given(st.floats(0.05, 20.0), st.floats(0.05, 20.0))
def test_no_end_reads_1_that_is_not(low, high):
    """However near to it."""
    shown = spell.interval(low, high).strip("[]").split(", ")
    assert [low == 1.0, high == 1.0] == [float(end) == 1.0 for end in shown]


def test_operations_shares_and_energy():
    """Three digits and a unit; what is missing is a dash, what is not finite is named."""
    assert [spell.operations(value) for value in (320.0, 2.5e9, 1.234e16, None, math.inf)] == [
        "320 FLOP",
        "2.50 GFLOP",
        "12.3 PFLOP",
        "-",
        "inf FLOP",
    ]
    assert "93.9 GFLOP/s" == spell.operations(9.393e10, "/s")
    assert [spell.share(value) for value in (0.125, 8.32e-6, None)] == ["12.5 %", "8.32e-04 %", "-"]
    assert [spell.joules(value) for value in (1.2, 0.34, 0.0, None, math.nan)] == [
        "1.20 J",
        "340 mJ",
        "0 mJ",
        "-",
        "NaN J",
    ]


def test_rates_and_memory():
    """Samples per second, MiB."""
    assert [spell.rate(value) for value in (812.0, 12345.0, 4.56e6, None)] == [
        "812/s",
        "12.3k/s",
        "4.56M/s",
        "-",
    ]
    assert [spell.memory(value) for value in (212 * 2**20, None)] == ["212 MiB", "-"]


@given(NUMBERS)
def test_no_number_is_refused(number):
    """A renderer never fails on a value."""
    for function in (spell.seconds, spell.error, spell.value, spell.ratio_alone, spell.rate):
        assert function(number)
    assert isinstance(spell.interval(number, number), str)


@given(st.text())
def test_one_line_has_no_character_that_moves_a_cursor(text):
    """Neither line breaks, escapes, bidirectional overrides nor lone surrogates."""
    shown = spell.one_line(text)
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}
