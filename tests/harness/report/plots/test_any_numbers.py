"""Whatever numbers a record holds, every kind of figure is drawn, and at places that are
numbers."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.report.plots import curves, errors, history, memory, ratios, samples, step_times
from harness.results.series import Compared, Turns
from tests.harness.report import sample
from tests.harness.report.plots.drawings import drawn, odd

ANY = st.one_of(st.none(), st.floats())
FEW = st.lists(ANY, min_size=3, max_size=3).map(tuple)


@pytest.mark.parametrize(
    "text", ["<path d='M1 nanL2 3'/>", "<circle cx='inf' cy='1'/>", "<text x='1' y='-inf'>"]
)
def test_a_planted_place_is_found(text):
    """In a path, a point and words; not in a label."""
    assert 1 == len(odd(text))
    assert [] == odd(
        "<svg aria-label='nan,"
        f" inf'>{text.replace('nan', '1').replace('-inf', '1').replace('inf', '1')}"
    )


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["PASS", "FAIL", "INCONCLUSIVE"]), ANY, ANY, ANY), max_size=40
    )
)
def test_errors(columns):
    """NaN, infinities, nothing at all."""
    names = tuple(str(number) for number in range(len(columns)))
    verdicts, *numbers = zip(*columns, strict=True) if columns else ((), (), (), ())
    figure = errors.figure(
        dataclasses.replace(
            sample.STAGES[0], compared=Compared(names, verdicts, *map(tuple, numbers))
        ),
        "fp64",
    )
    assert figure is None or (
        [] == odd(drawn(figure)) and len(figure.rows) <= max(12, verdicts.count("FAIL"))
    )


@settings(deadline=None)
@given(FEW, FEW, FEW, st.booleans())
def test_curves(low, middle, high, banded):
    """A diverged training is one."""
    steps = (1, 2, 40)
    changed = tuple(
        dataclasses.replace(
            curve,
            steps=steps,
            low=low if banded else (),
            middle=middle,
            high=high if banded else (),
        )
        for curve in sample.CURVES
    )
    for figure in curves.figures(
        dataclasses.replace(sample.REPORT, curves=changed), "cnn", "tf1-compat", "torch"
    ):
        assert [] == odd(drawn(figure))


@settings(deadline=None)
@given(FEW, FEW, FEW)
@example((None,) * 3, (None,) * 3, (None, None, 1.7975e308))
def test_samples(real, a, b):
    """On both axes: also real rows are what a file held."""
    changed = tuple(
        dataclasses.replace(spread, channels=("one",), quantiles=(column,))
        for spread, column in zip(sample.SPREADS, (real, a, b), strict=True)
    )
    (figure,) = samples.figures(
        dataclasses.replace(sample.REPORT, spreads=changed), "cnn", "tf1-compat", "torch"
    )
    assert [] == odd(drawn(figure))


@settings(deadline=None)
@given(
    FEW,
    FEW,
    FEW,
    st.lists(
        st.sampled_from(
            ["2026-11-20T03:00:00Z", "2026-11-21", "no date", "0001-01-01", "9999-12-31T23:59:59Z"]
        ),
        min_size=3,
        max_size=3,
    ),
)
@example((None,) * 3, (None, None, 1.7975e308), (None,) * 3, ["2026-11-20"] * 3)
def test_history(low, middle, high, when):
    """And whatever dates."""
    item = dataclasses.replace(
        sample.HISTORY[0], low=low, middle=middle, high=high, when=tuple(when)
    )
    figure = history.figure(item, 200)
    assert figure is None or [] == odd(drawn(figure))


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 2**60)), min_size=2, max_size=2))
def test_memory(peaks):
    """Nothing, and more than there is."""
    figure = memory.figure(
        [dataclasses.replace(sample.SPEED[0], a_peak_bytes=peaks[0], b_peak_bytes=peaks[1])],
        ["fp32"],
    )
    assert figure is None or [] == odd(drawn(figure))


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(), st.floats(), st.booleans()), max_size=12))
def test_step_times(values):
    """In rounds of any length."""
    sides = []
    for side in (0, 1):
        rounds = [[]]
        for value in values:
            rounds[-1].append(value[side])
            rounds += [[]] if value[2] else []
        sides.append(tuple(map(tuple, rounds)))
    figure = step_times.figure(dataclasses.replace(sample.SPEED[0], turns=Turns(*sides)), "fp32")
    assert figure is None or [] == odd(drawn(figure))


@given(ANY, ANY, ANY)
def test_ratios(low, middle, high):
    """An interval without an end is none."""
    figure = ratios.figure(
        [dataclasses.replace(sample.SPEED[0], low=low, ratio=middle, high=high)], ["fp32"]
    )
    assert figure is None or [] == odd(drawn(figure))


def test_a_real_row_that_is_no_number_breaks_the_line():
    """Nothing is drawn across it, and nothing at it."""
    whole, broken = (0.0, 1.0, 2.0, 3.0, 4.0), (0.0, 1.0, math.nan, 3.0, 4.0)
    changed = tuple(
        dataclasses.replace(spread, channels=("one",), quantiles=(column,))
        for spread, column in zip(sample.SPREADS, (broken, whole, whole), strict=True)
    )
    (figure,) = samples.figures(
        dataclasses.replace(sample.REPORT, spreads=changed), "cnn", "tf1-compat", "torch"
    )
    assert [] == odd(drawn(figure)) and all(
        part.count("L") == 2 for part in drawn(figure).split("<path class='line s")[1:]
    )
