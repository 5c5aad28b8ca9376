"""What each kind of figure shows of a report, in its drawing, its words and its numbers; and
where there is none."""

from __future__ import annotations

import dataclasses
import math
import re

import pytest

from harness.report.plots import curves, errors, history, memory, ratios, samples, step_times
from harness.report.plots.figure import Room
from harness.report.plots.ratios import Intervals
from harness.report.plots.scale import Scale
from harness.results.series import Turns
from harness.speed.plot_series import MOST_ROUNDS
from harness.speed.verdict import MARGIN
from tests.harness.report import sample, sample_series
from tests.harness.report.plots.drawings import drawn


def test_errors_show_every_tensor_and_name_the_worst():
    """Those that depart by another shape; what is left out is said."""
    figure = errors.figure(sample.STAGES[2], "fp64")
    text = drawn(figure)
    assert (
        text.count("cross") == 2
        and text.count("<circle") == 1
        and "train/l2: error 3.1e-04" in text
    )
    assert ("train/total", "FAIL", "NaN", "-", "-") == figure.rows[
        2
    ] and "4 tensors further below" in figure.note
    many = errors.figure(
        next(row for row in sample.STAGES if row.compared is sample_series.LONG), "fp64"
    )
    assert drawn(many).count("<circle") == 320 and 12 == len(many.rows)
    assert errors.figure(sample.STAGES[3], "fp64") is None


def test_an_error_of_zero_lies_at_the_left_end():
    """A logarithm has no other place for it."""
    text = drawn(errors.figure(sample.STAGES[0], "fp64"))
    assert f"cx='{errors.LEFT}'" in text


def test_a_table_of_errors_says_what_it_leaves_out():
    """The worst; of those that depart all, up to a limit, and then the first of them and the
    worst."""
    long = sample_series.LONG

    def shown(departing, left_out=0):
        verdicts = ("FAIL",) * departing + ("PASS",) * (320 - departing)
        compared = dataclasses.replace(long, verdicts=verdicts, left_out=left_out)
        return errors.figure(dataclasses.replace(sample.STAGES[0], compared=compared), "fp64")

    assert ("the 12 worst of 320", 12) == (shown(0).excerpt, len(shown(0).rows))
    assert "the 12 worst of 325" == shown(0, left_out=5).excerpt
    assert ("the 12 worst of 320, all 3 that depart among them", 12) == (
        shown(3).excerpt,
        len(shown(3).rows),
    )
    assert ("all 90 that depart, of 320 tensors", 90) == (shown(90).excerpt, len(shown(90).rows))
    many = shown(320)
    assert ("100 of 320, the first that depart and the worst", 100) == (
        many.excerpt,
        len(many.rows),
    )
    assert [long.names[0], "FAIL"] == list(many.rows[0][:2])
    assert "" == errors.figure(sample.STAGES[0], "fp64").excerpt


def test_a_drawing_of_errors_has_no_more_tensors_than_there_is_room_for():
    """And says how many are not shown, and which."""
    long = next(row for row in sample.STAGES if row.compared is sample_series.LONG)
    few = errors.figure(long, "fp64", Room(failing=30, others=20))
    assert (
        20 == drawn(few).count("<circle")
        and "20 tensors" in few.note
        and "; 300 tensors further below their" in few.note
    )
    failing = dataclasses.replace(
        long,
        verdict="FAIL",
        compared=dataclasses.replace(sample_series.LONG, verdicts=("FAIL",) * 320),
    )
    few = errors.figure(failing, "fp64", Room(failing=30, others=20))
    assert (
        30 == drawn(few).count("cross")
        and ", the first that depart and the worst; 290 tensors are not shown." in few.note
    )


def test_curves_stand_side_by_side_with_their_bands():
    """One figure a precision, mode and term that both sides have; a band only where there are
    seeds."""
    found = curves.figures(sample.REPORT, "cnn", "tf1-compat", "torch")
    assert 4 == len(found) and [
        "One seed.",
        "Median of 8 and 8 seeds, band from the 10 % to the 90 % quantile.",
    ] == [found[0].note, found[2].note]
    assert [0, 2] == [drawn(found[at]).count("band") for at in (0, 2)]
    assert ("1", "2.1", "2.1", "0") == found[0].rows[0] and "60" == found[0].rows[-1][0]
    assert [] == curves.figures(sample.REPORT, "cnn", "tf1-compat", "tf2")


def test_a_curve_that_diverges_says_so():
    """And what is finite is drawn."""
    broken = tuple(
        (
            dataclasses.replace(curve, middle=(*curve.middle[:30], *[math.nan] * 30))
            if curve.build == "torch"
            else curve
        )
        for curve in sample.CURVES
    )
    figure = curves.figures(
        dataclasses.replace(sample.REPORT, curves=broken), "cnn", "tf1-compat", "torch"
    )[0]
    assert (
        figure.note.endswith("torch has values that are not finite.")
        and figure.rows[-1][2] == "nan"
    )


def test_a_long_curve_is_thinned_for_a_report_of_many_pairs():
    """To the points that there is room for."""
    short, long = (
        drawn(curves.figures(sample.REPORT, "cnn", "tf1-compat", "torch", Room(points))[0])
        for points in (24, 200)
    )
    assert short.count("L") < long.count("L")


def test_samples_are_held_against_real_rows():
    """The channel that is furthest apart first; without real rows, b against a."""
    (figure,) = samples.figures(sample.REPORT, "cnn", "tf1-compat", "torch")
    assert 4 == len(figure.svg) and "heart rate" in str(figure.svg[0])
    assert ("heart rate", "real rows", "61", "65", "70", "75", "79") == figure.rows[0]
    assert ("as real rows", "a tf1-compat", "b torch") == tuple(key.words for key in figure.legend)
    without = dataclasses.replace(sample.REPORT, spreads=sample.SPREADS[1:])
    (figure,) = samples.figures(without, "cnn", "tf1-compat", "torch")
    assert "those of a tf1-compat" in figure.note and ("as a tf1-compat", "b torch") == tuple(
        key.words for key in figure.legend
    )
    assert [] == samples.figures(without, "linear", "tf1-compat", "torch")


def test_step_times_show_when_the_machine_was_slow():
    """Both sides at once; a slow build alone is no slow machine."""
    figure = step_times.figure(sample.SPEED[0], "fp32")
    text = drawn(figure)
    assert (
        text.count("class='slow'") == 2
        and text.count("line sa") == 6
        and "Shaded (33.3 % of the turns)" in figure.note
    )
    assert 6 == len(figure.rows) and ("1", "2.05 ms", "2.53 ms", "1.231") == figure.rows[0]
    alone = dataclasses.replace(
        sample.SPEED[0], turns=Turns(sample_series.turns().a, sample_series.turns(slow=1.0).b)
    )
    assert "In no turn was the machine slow" in step_times.figure(alone, "fp32").note
    assert step_times.figure(sample.SPEED[1], "fp32") is None
    small = step_times.figure(sample.SPEED[0], "fp32", Room(turns=48, rows=3))
    assert (
        drawn(small).count("L") == 2 * 6 * 3
        and ["1", "3", "6"] == [row[0] for row in small.rows]
        and "33.3 %" in small.note
    )
    assert ("", "3 of 6 rounds") == (figure.excerpt, small.excerpt)


@pytest.mark.parametrize(
    ("kept", "told", "ran", "expected"),
    [
        (3, (1, 60, 120), 120, (1, 60, 120)),
        (MOST_ROUNDS, (), 119, tuple(range(1, 120, 2))),
        (3, (), 3, (1, 2, 3)),
        (3, (), 5, (1, 2, 3)),
    ],
)
def test_rounds_have_the_numbers_that_they_ran_under(kept, told, ran, expected):
    """An older report does not tell them: those of a full list are equally spaced."""
    row = dataclasses.replace(
        sample.SPEED[0],
        rounds=ran,
        turns=dataclasses.replace(sample_series.turns(1.35, kept, 2), rounds=told),
    )
    figure = step_times.figure(row, "fp32", Room(rows=1000))
    assert list(map(str, expected)) == [line[0] for line in figure.rows]
    assert (f"over {kept} of {ran} rounds'" in drawn(figure)) == (expected[-1] > kept)
    assert (f"{kept} of {ran} rounds" if expected[-1] > kept else "") == figure.excerpt


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1, 1, 2, 2, 1, 1, 2], [1, 1, 2, 2, 1, 1, 2], [(2, 3), (6, 6)]),
        ([1, 1, 1, 2, 2], [1, 1, 1, 1, 2], [(4, 4)]),
        ([], [], []),
        ([math.nan] * 3, [math.nan] * 3, []),
    ],
)
def test_slow_stretches(a, b, expected):
    """Of neighbouring turns."""
    assert expected == step_times.slow_stretches(a, b)


def test_ratios_of_a_pair_stand_on_one_axis():
    """Those without an interval are left out."""
    figure = ratios.figure(sample.SPEED, [row.precision for row in sample.SPEED])
    assert (
        4 == len(figure.rows)
        and ("train fp32", "1.23× slower", "[1.20, 1.27]", "1.234", "10") == figure.rows[0]
    )
    assert "bar bad" in drawn(figure) and "bar open" in drawn(figure)
    axis = Intervals(sample.SPEED[:4])
    place = Scale(axis.low, axis.high, ratios.LEFT, 350, True)
    left, right = place(1 / (1 + MARGIN)), place(1 + MARGIN)
    assert f"class='margin' d='M{left:.1f} 8H{right:.1f}V" in drawn(figure)
    assert ratios.figure(sample.SPEED[4:], ["fp32"]) is None is ratios.figure([], [])


def test_memory_has_a_bar_a_side():
    """With what was there before the first step, where it is known."""
    figure = memory.figure(sample.SPEED[:2], ["fp32", "fp32"])
    assert 4 == drawn(figure).count("class='box") and 2 == drawn(figure).count("class='limit'")
    assert ("train fp32", "a tf1-compat", "612 MiB", "180 MiB", "-") == figure.rows[0]
    assert (
        memory.figure(
            [dataclasses.replace(sample.SPEED[0], a_peak_bytes=None, b_peak_bytes=0)], ["fp32"]
        )
        is None
    )


def test_a_history_names_its_change_points():
    """From what to what, and what is suspected; a moment that is no date does not stop the page."""
    figure = history.figure(sample.HISTORY[0], 200)
    assert (
        figure.rows[0][:3] == ("change 1", "2026-10-21T03:00:00Z", "1.2 → 1.32")
        and "torch 2.12.0 → 2.13.0" in figure.rows[0][3]
    )
    assert "class='change'" in drawn(figure)
    assert ("level", "2026-10-01T03:00:00Z", "95.4 MiB", "-") == history.figure(
        sample.HISTORY[1], 200
    ).rows[0]
    nothing = dataclasses.replace(
        sample.HISTORY[0], low=(None,), middle=(math.nan,), high=(), when=("x",)
    )
    assert history.figure(nothing, 200) is None


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (
            ("2026-11-20T03:00:00Z", "2026-11-21T03:00:00Z"),
            ["2026-11-20", "2026-11-21", "2026-11-22"],
        ),
        (
            ("2026-11-20T03:00:00Z", "2026-11-20T03:15:00Z"),
            ["2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22"],
        ),
        (("2026-11-20T00:00:00Z",), ["2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22"]),
        (
            ("2026-10-01T03:00:00Z", "2026-10-30T03:00:00Z"),
            [f"2026-10-{day:02d}" for day in range(1, 32, 4)],
        ),
    ],
)
def test_dates_are_whole_days_and_none_stands_twice(when, expected):
    """Two runs of one day have a day on either side, and not all of the calendar."""
    columns = (tuple(map(float, range(len(when)))),) * 3
    item = dataclasses.replace(
        sample.HISTORY[0], when=when, low=columns[0], middle=columns[1], high=columns[2], changes=()
    )
    found = drawn(history.figure(item, 200))
    assert expected == re.findall(r">(\d{4}-\d\d-\d\d)</text>", found)


def test_tables_of_numbers_say_what_they_leave_out():
    """Steps of a curve, runs of a history, channels."""
    assert "8 of 60 steps" == curves.figures(sample.REPORT, "cnn", "tf1-compat", "torch")[0].excerpt
    assert ["10 of 30 runs", ""] == [history.figure(item, 200).excerpt for item in sample.HISTORY]
    wide = tuple(
        dataclasses.replace(
            item, channels=tuple(map(str, range(30))), quantiles=item.quantiles[:1] * 30
        )
        for item in sample.SPREADS
    )
    assert (
        "24 of 30 channels, the furthest apart"
        == samples.figures(
            dataclasses.replace(sample.REPORT, spreads=wide), "cnn", "tf1-compat", "torch"
        )[0].excerpt
    )
