"""What plots are drawn from: few points, in order, the worst never left out, and no tensor read
that is not shown."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.fidelity import plot_series
from harness.fidelity.evidence import TensorEntry
from harness.fidelity.verdict import StageVerdict, TensorVerdict
from harness.results.model import StageRow

SUBJECT = plot_series.PlotSubject("w", "torch", "fp64", "tiny")


def verdict(*items):
    return StageVerdict("forward", "PASS", "", None, tuple(items))


def tensor(name, error, threshold=1.0, word="PASS"):
    return TensorVerdict(name, word, "", error, 0.1, threshold)


def test_tensors_keep_their_order_and_four_digits():
    """Also those that are missing on one side; those without a number that did not fail say
    nothing."""
    found = plot_series.compared(
        verdict(
            tensor("a", 0.123456),
            tensor("null", None, None, "NULL"),
            tensor("gone", None, None, "FAIL"),
            tensor("b", math.nan, 1.0, "FAIL"),
        )
    )
    assert (
        ("a", "gone", "b") == found.names
        and (0.1235, None) == found.errors[:2]
        and math.isnan(found.errors[2])
    )
    assert ("PASS", "FAIL", "FAIL") == found.verdicts and 0 == found.left_out
    assert plot_series.compared(verdict(tensor("null", None, None, "NULL"))) is None


def test_the_worst_are_kept():
    """Failed ones first, then those nearest to their own thresholds, whatever their errors."""
    items = [tensor(str(number), number, 100.0) for number in range(50)]
    items[3], items[7] = tensor("fail", 1e-9, 1.0, "FAIL"), tensor("near", 1e-6, 1.1e-6)
    found = plot_series.compared(verdict(*items), most=4)
    assert ("fail", "near", "48", "49") == found.names and 46 == found.left_out


def row(word, count):
    compared = plot_series.compared(
        verdict(*(tensor(str(number), number) for number in range(count)))
    )
    return StageRow("w", "a", "b", "fp64", "forward", word, "", compared=compared)


def test_a_report_of_many_pairs_shares_its_room():
    """A stage that fails has the first of it, and few rows keep what they have."""
    few = [row("PASS", 30), row("FAIL", 30)]
    assert few == plot_series.share(few, 60)
    passed, failed = plot_series.share(few, 50)
    assert (20, 10, 30) == (
        len(passed.compared.names),
        passed.compared.left_out,
        len(failed.compared.names),
    )
    assert "29" == passed.compared.names[-1]
    assert plot_series.FEWEST == len(plot_series.share([row("PASS", 30)] * 9, 10)[8].compared.names)


def test_many_failing_stages_share_too():
    """Each keeps the first that departs and the worst, says what is left out, and leaves room
    for the others."""
    items = [
        tensor(str(number), 50.0 - number, 1.0, "FAIL" if 5 <= number < 45 else "PASS")
        for number in range(50)
    ]
    items[40] = tensor("worst", 1e9, 1.0, "FAIL")
    failing = [
        StageRow(
            "w",
            "a",
            "b",
            "fp64",
            "forward",
            "FAIL",
            "",
            compared=plot_series.compared(verdict(*items)),
        )
    ] * 8
    rows = plot_series.share([*failing, row("PASS", 50), row("PASS", 50)], 240)
    assert [20] * 8 + [40] * 2 == [len(one.compared.names) for one in rows]
    assert [*map(str, range(5, 24)), "worst"] == list(rows[0].compared.names) and 30 == rows[
        0
    ].compared.left_out
    assert [plot_series.FEWEST] * 8 + [plot_series.FEWEST // 2] == [
        len(one.compared.names) for one in plot_series.share([*failing, row("PASS", 50)], 10)
    ]
    assert rows == plot_series.share(rows, 240)


def test_one_stage_that_fails_among_many_keeps_all_of_its_tensors():
    """It is what the report is opened for."""
    rows = plot_series.share([row("FAIL", plot_series.MOST_TENSORS), *[row("PASS", 40)] * 600])
    assert [plot_series.MOST_TENSORS, 9, 9] == [
        len(one.compared.names) for one in rows[:3]
    ] and rows == plot_series.share(rows)


def test_of_more_departing_tensors_than_there_is_room_for_the_first_stay():
    """Beside the worst, in their order."""
    items = [tensor(str(number), 1.0 + number, 1.0, "FAIL") for number in range(1000)]
    found = plot_series.compared(verdict(*items), most=4)
    assert (("0", "1", "998", "999"), 996) == (found.names, found.left_out)


class Side:
    """A trajectory that counts what is read of it."""

    def __init__(self, steps, names):
        self.read_names = []
        self.names = [f"step {step}/{name}" for step in range(1, steps + 1) for name in names]

    def entries(self, stage):
        return [
            TensorEntry(stage, name, (3,) if "wide" in name else (), "float64", 0.0, 1.0)
            for name in self.names
        ]

    def read(self, stage, name):
        self.read_names.append(name)
        return np.array(float(name.split("/")[0].split()[1]))


def test_losses_of_a_trajectory_are_read_one_by_one():
    """No parameter, nothing that is no number, and of a long one no more steps than are drawn."""
    side = Side(1000, ["loss/mse", "loss/total", "loss/wide", "parameter/W"])
    found = plot_series.lockstep(side)
    assert ["total", "mse"] == list(found) and 2 * plot_series.MOST_STEPS == len(side.read_names)
    steps = list(found["mse"])
    assert (
        [1, 1000] == [steps[0], steps[-1]]
        and steps == sorted(steps)
        and all(found["mse"][step] == step for step in steps)
    )


def test_terms_are_few_and_totals_come_first():
    """In their order."""
    names = [f"p{number}/{kind}" for number in range(10) for kind in ("mse", "total")]
    assert [f"p{number}/total" for number in range(10)] + ["p0/mse", "p1/mse"] == plot_series.terms(
        names
    )


def test_a_band_over_seeds():
    """Quantiles at the steps that all seeds have; one seed has no band."""
    seeds = [{1: 1.0 * seed, 2: 2.0 * seed, 9: 0.0} for seed in range(1, 12)]
    del seeds[4][9]
    found = plot_series.curve(SUBJECT, "native", "total", seeds)
    assert ((1, 2), (2.0, 4.0), (6.0, 12.0), (10.0, 20.0), 11) == (
        found.steps,
        found.low,
        found.middle,
        found.high,
        found.seeds,
    )
    alone = plot_series.curve(SUBJECT, "native", "total", seeds[:1])
    assert ((), (1.0, 2.0, 0.0), ()) == (alone.low, alone.middle, alone.high)
    assert (
        plot_series.curve(SUBJECT, "native", "total", [])
        is None
        is plot_series.curve(SUBJECT, "native", "total", [{1: 0.0}, {2: 0.0}])
    )


def test_a_long_curve_is_averaged_and_nan_stays_in_sight():
    """In equal stretches, each at its last step."""
    found = plot_series.curve(
        SUBJECT,
        "native",
        "total",
        [{step: float(step) if step != 777 else math.nan for step in range(1, 2001)}],
    )
    assert plot_series.MOST_STEPS == len(found.steps) and (10, 2000) == (
        found.steps[0],
        found.steps[-1],
    )
    assert 5.5 == found.middle[0] and 1 == sum(math.isnan(value) for value in found.middle)


def test_quantiles_of_channels():
    """Of rows and steps together; of several models the median; more channels than are drawn are
    left out."""
    rows = np.arange(24.0).reshape(4, 3, 2)
    found = plot_series.quantiles(rows)
    assert (2, plot_series.QUANTILES) == found.shape and ([0.0, 22.0], [1.0, 23.0]) == (
        list(found[0, [0, -1]]),
        list(found[1, [0, -1]]),
    )
    spread = plot_series.spread(SUBJECT, ("x", "y"), [found, found + 1.0, found + 5.0])
    assert (3, ("x", "y"), 1.0, 24.0) == (
        spread.models,
        spread.channels,
        spread.quantiles[0][0],
        spread.quantiles[1][-1],
    )
    assert plot_series.MOST_CHANNELS == len(plot_series.quantiles(np.zeros((2, 1, 99))))
    assert ("channel 0", "channel 1") == plot_series.spread(SUBJECT, (), [found]).channels


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.23456e-12, 1.235e-12), (0.0, 0.0), (math.inf, math.inf), (None, None)],
)
def test_four_digits(value, expected):
    """What is not finite stays."""
    assert expected == plot_series.rounded(value)
