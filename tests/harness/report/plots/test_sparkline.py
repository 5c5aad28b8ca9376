"""What values are held against in figures: of a history, large and small; of two curves, each
other."""

from __future__ import annotations

import dataclasses
import math

import pytest

from harness.report.plots import curves, history, sparkline
from harness.speed.verdict import MARGIN
from tests.harness.report import sample, sample_history
from tests.harness.report.plots.drawings import drawn


def test_a_history_shows_what_its_values_are_held_against():
    """Of ratios 1 and the margin, of errors floor and threshold; of a step time nothing. As a
    figure and as a sparkline."""
    ratio = sample_history.HISTORIES[0]
    error = next(one for one in sample_history.HISTORIES if one.threshold)
    step = next(one for one in sample_history.HISTORIES if one.unit == "s")
    for draw in (lambda item: drawn(history.figure(item, 200)), sparkline.draw):
        assert "class='margin'" in draw(ratio) and "class='one'" in draw(ratio)
        assert "class='line floor'" in draw(error) and "class='line limit'" in draw(error)
        found = draw(step)
        assert not [kind for kind in ("margin", "one'", "floor", "limit") if kind in found]
    low, high, logarithmic = history.reach(error)
    assert logarithmic and low < 1e-15 and 8e-15 < high
    assert history.reach(ratio)[0] < 1 / (1 + MARGIN) and 1.3 < history.reach(ratio)[1]


@pytest.mark.parametrize("values", [(), (None,), (math.nan, math.inf)])
def test_a_sparkline_of_nothing_is_none(values):
    """And one of a single point is that point."""
    when = tuple("2026-11-20T03:00:00Z" for _ in values)
    item = dataclasses.replace(
        sample.HISTORY[1], when=when, low=values, middle=values, high=values, changes=()
    )
    assert "" == sparkline.draw(item)
    one = dataclasses.replace(item, when=("x",), low=(1.0,), middle=(1.0,), high=(1.0,))
    assert "<circle" in sparkline.draw(one)


def test_a_pair_that_fails_shows_the_difference_of_its_curves():
    """Logarithmic, in a drawing of its own; at a precision that passes there is none, nor where
    both are the same."""
    figure = curves.figures(sample.REPORT, "cnn", "tf1-compat", "torch")[0]
    assert 2 == len(figure.svg) and "difference of loss" in figure.svg[1]
    assert "line gap" in figure.svg[1] and figure.title.endswith("the difference of both")
    rows = {row[0]: row for row in figure.rows}
    gap = abs(float(rows["60"][1]) - float(rows["60"][2]))
    assert float(rows["60"][3]) == pytest.approx(gap, rel=1e-3)
    passing = tuple(row for row in sample.REPORT.stages if row.verdict == "PASS")
    alone = dataclasses.replace(sample.REPORT, stages=passing)
    assert 1 == len(curves.figures(alone, "cnn", "tf1-compat", "torch")[0].svg)
    same = [dataclasses.replace(curve, middle=(1.0,) * 60) for curve in sample.REPORT.curves]
    equal = dataclasses.replace(sample.REPORT, curves=tuple(same))
    assert 1 == len(curves.figures(equal, "cnn", "tf1-compat", "torch")[0].svg)
