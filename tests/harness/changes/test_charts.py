"""What a night's histories look like in its report: levels with their uncertainty, and the steps
that were found."""

from __future__ import annotations

import dataclasses
import math

from harness.changes.charts import histories
from harness.report.plots import history


def test_a_planted_step_is_a_change_point_with_its_suspect(sample):
    """Torch is 8 % slower from the 20th night on."""
    (found,) = histories([sample.series(30, 0.08, at=20, seed=3)])
    (change,) = found.changes
    assert ("2026-01-21", "torch: torch 2.12.0 -> 2.13.0") == (
        change.when,
        change.suspect,
    ) and 1.06 < change.after / change.before < 1.10
    assert 30 == found.runs == len(found.when) and all(
        low < middle < high
        for low, middle, high in zip(
            found.low,
            found.middle,
            found.high,
            strict=True,
        )
    )
    figure = history.figure(found, 200)
    assert (
        figure is not None
        and "± 2 standard errors" in figure.note
        and "change 1" == figure.rows[0][0]
    )


def test_a_quiet_series_has_no_change_point(sample):
    """And one of a single night is no history."""
    quiet = sample.series(30, 0.0, at=20, seed=5)
    (found,) = histories([quiet])
    assert () == found.changes
    assert () == histories([dataclasses.replace(quiet, points=quiet.points[:1])])


def test_a_night_without_a_number_is_left_out_and_one_without_an_error_has_no_band(sample):
    """Nothing is made up."""
    points = list(sample.series(5, 0.0, at=3, seed=5).points)
    points[1] = dataclasses.replace(points[1], mean=math.nan)
    points[2] = dataclasses.replace(points[2], error=math.inf)
    (found,) = histories(
        [dataclasses.replace(sample.series(5, 0.0, at=3, seed=5), points=tuple(points))]
    )
    assert (
        4 == found.runs
        and (None, None) == (found.low[1], found.high[1])
        and found.middle[1] is not None
    )
