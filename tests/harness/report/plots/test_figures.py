"""What each kind of figure shows of a report, in its drawing, its words and its numbers; and where there is none."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report.plots import curves, errors, history, memory, ratios, samples, step_times
from harness.report.plots.figure import Room
from harness.report.traces import Compared, Turns
from tests.harness.report import sample

ANY = st.one_of(st.none(), st.floats())


def drawn(figure):
    return "".join(map(str, figure.svg))


def test_errors_show_every_tensor_and_name_the_worst():
    """Those that depart by another shape; what is left out is said."""
    figure = errors.figure(sample.STAGES[2], "fp64")
    text = drawn(figure)
    assert text.count("cross") == 2 and text.count("<circle") == 1 and "train/l2: error 3.1e-04" in text
    assert ("train/total", "FAIL", "NaN", "-", "-") == figure.rows[2] and "4 tensors further below" in figure.note
    many = errors.figure(next(row for row in sample.STAGES if row.compared is sample.LONG), "fp64")
    assert drawn(many).count("<circle") == 320 and 12 == len(many.rows)
    assert errors.figure(sample.STAGES[3], "fp64") is None


def test_an_error_of_zero_lies_at_the_left_end():
    """A logarithm has no other place for it."""
    text = drawn(errors.figure(sample.STAGES[0], "fp64"))
    assert f"cx='{errors.LEFT}'" in text


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["PASS", "FAIL", "INCONCLUSIVE"]), ANY, ANY, ANY), max_size=40))
def test_any_errors_can_be_drawn(columns):
    """NaN, infinities, nothing at all."""
    names = tuple(str(number) for number in range(len(columns)))
    verdicts, *numbers = zip(*columns, strict=True) if columns else ((), (), (), ())
    figure = errors.figure(dataclasses.replace(sample.STAGES[0], compared=Compared(names, verdicts, *map(tuple, numbers))), "fp64")
    assert figure is None or ("nan" not in drawn(figure).split("aria-label")[0] and len(figure.rows) <= 12)


def test_curves_stand_side_by_side_with_their_bands():
    """One figure a precision, mode and term that both sides have; a band only where there are seeds."""
    found = curves.figures(sample.REPORT, "cnn", "tf1-compat", "torch")
    assert 4 == len(found) and ["One seed.", "Median of 8 and 8 seeds, band from the 10 % to the 90 % quantile."] == [
        found[0].note, found[2].note
    ]
    assert [0, 2] == [drawn(found[at]).count("band") for at in (0, 2)]
    assert ("1", "2.1", "2.1") == found[0].rows[0] and "60" == found[0].rows[-1][0]
    assert [] == curves.figures(sample.REPORT, "cnn", "tf1-compat", "tf2")


def test_a_curve_that_diverges_says_so():
    """And what is finite is drawn."""
    broken = tuple(
        dataclasses.replace(curve, middle=(*curve.middle[:30], *[math.nan] * 30)) if curve.build == "torch" else curve
        for curve in sample.CURVES
    )
    figure = curves.figures(dataclasses.replace(sample.REPORT, curves=broken), "cnn", "tf1-compat", "torch")[0]
    assert figure.note.endswith("torch has values that are not finite.") and figure.rows[-1][2] == "nan"


def test_a_long_curve_is_thinned_for_a_report_of_many_pairs():
    """To the points that there is room for."""
    short, long = (drawn(curves.figures(sample.REPORT, "cnn", "tf1-compat", "torch", Room(points))[0]) for points in (24, 200))
    assert short.count("L") < long.count("L")


def test_samples_are_held_against_real_rows():
    """The channel that is furthest apart first; without real rows, b against a."""
    (figure,) = samples.figures(sample.REPORT, "cnn", "tf1-compat", "torch")
    assert 4 == len(figure.svg) and "heart rate" in str(figure.svg[0])
    assert ("heart rate", "real rows", "61", "65", "70", "75", "79") == figure.rows[0]
    assert ("as real rows", "a tf1-compat", "b torch") == tuple(key.words for key in figure.legend)
    without = dataclasses.replace(sample.REPORT, spreads=sample.SPREADS[1:])
    (figure,) = samples.figures(without, "cnn", "tf1-compat", "torch")
    assert "those of a tf1-compat" in figure.note and ("as a tf1-compat", "b torch") == tuple(key.words for key in figure.legend)
    assert [] == samples.figures(without, "linear", "tf1-compat", "torch")


def test_step_times_show_when_the_machine_was_slow():
    """Both sides at once; a slow build alone is no slow machine."""
    figure = step_times.figure(sample.SPEED[0], "fp32")
    text = drawn(figure)
    assert text.count("class='slow'") == 2 and text.count("line sa") == 6 and "Shaded (33.3 % of the turns)" in figure.note
    assert 6 == len(figure.rows) and ("1", "2.05 ms", "2.53 ms", "1.231") == figure.rows[0]
    alone = dataclasses.replace(sample.SPEED[0], turns=Turns(sample.turns().a, sample.turns(slow=1.0).b))
    assert "In no turn was the machine slow" in step_times.figure(alone, "fp32").note
    assert step_times.figure(sample.SPEED[1], "fp32") is None
    small = step_times.figure(sample.SPEED[0], "fp32", Room(turns=48, rows=3))
    assert drawn(small).count("L") == 2 * 6 * 3 and ["1", "3", "6"] == [row[0] for row in small.rows] and "33.3 %" in small.note


@pytest.mark.parametrize(("a", "b", "expected"), [
    ([1, 1, 2, 2, 1, 1, 2], [1, 1, 2, 2, 1, 1, 2], [(2, 3), (6, 6)]), ([1, 1, 1, 2, 2], [1, 1, 1, 1, 2], [(4, 4)]), ([], [], []),
    ([math.nan] * 3, [math.nan] * 3, []),
])
def test_slow_stretches(a, b, expected):
    """Of neighbouring turns."""
    assert expected == step_times.slow_stretches(a, b)


def test_ratios_of_a_pair_stand_on_one_axis():
    """Those without an interval are left out."""
    figure = ratios.figure(sample.SPEED, [row.precision for row in sample.SPEED])
    assert 4 == len(figure.rows) and ("train fp32", "1.234", "[1.20, 1.27]", "SLOWER", "10") == figure.rows[0]
    assert "bar bad" in drawn(figure) and "bar open" in drawn(figure)
    assert ratios.figure(sample.SPEED[4:], ["fp32"]) is None is ratios.figure([], [])


def test_memory_has_a_bar_a_side():
    """With what was there before the first step, where it is known."""
    figure = memory.figure(sample.SPEED[:2], ["fp32", "fp32"])
    assert 4 == drawn(figure).count("class='box") and 2 == drawn(figure).count("class='limit'")
    assert ("train fp32", "a tf1-compat", "612 MiB", "180 MiB", "-") == figure.rows[0]
    assert memory.figure([dataclasses.replace(sample.SPEED[0], a_peak_bytes=None, b_peak_bytes=0)], ["fp32"]) is None


def test_a_history_names_its_change_points():
    """From what to what, and what is suspected; a moment that is no date does not stop the page."""
    figure = history.figure(sample.HISTORY[0], 200)
    assert figure.rows[0][:3] == ("change 1", "2026-10-21T03:00:00Z", "1.2 → 1.32") and "torch 2.12.0 → 2.13.0" in figure.rows[0][3]
    assert "class='change'" in drawn(figure)
    assert ("level", "2026-10-01T03:00:00Z", "95.4 MiB", "-") == history.figure(sample.HISTORY[1], 200).rows[0]
    nothing = dataclasses.replace(sample.HISTORY[0], low=(None,), middle=(math.nan,), high=(), when=("x",))
    assert history.figure(nothing, 200) is None
