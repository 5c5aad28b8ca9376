"""Many pairs that pass are one line; what departs is never folded away."""

from __future__ import annotations

import pytest

from harness.report.fold import folded
from harness.report.labels import margin
from harness.report.matrix import matrix
from tests.harness.report.sample import stage

NAMES = [f"b{number}" for number in range(5)]


def lines(failing: int = 0, **more):
    rows = [
        stage("forward", "FAIL" if number < failing else "PASS", b=name, **more)
        for number, name in enumerate(NAMES)
    ]
    return matrix(rows).lines


def test_pairs_that_all_pass_are_one_line():
    """With the cell that comes nearest to its threshold, and all tensors."""
    rows = [
        stage("forward", b=name, error=error, threshold=1.0, tensors=10)
        for name, error in zip(NAMES, (0.1, 0.4, 0.2, 0.0, 0.3), strict=True)
    ]
    (shown,) = folded(matrix(rows).lines)
    assert "all 5 pairs" == shown.pair and 0.4 == shown.cells[0].error
    assert f"{sum(row.counted for row in rows)}" == shown.tensors.split(" ")[0]


@pytest.mark.parametrize("failing", [1, 2, 5])
def test_what_departs_has_its_own_line_and_comes_first(failing: int):
    """The passing ones behind it, one by one where they are few."""
    shown = folded(lines(failing))
    assert [line.pair.rpartition(" ")[2] for line in shown[:failing]] == NAMES[:failing]
    rest = {1: ["4 other pairs"], 2: ["tf1-compat : b2", "tf1-compat : b3", "tf1-compat : b4"]}
    assert rest.get(failing, []) == [line.pair for line in shown[failing:]]


def test_an_accepted_difference_shows_through_the_fold():
    """Though another cell comes nearer to its threshold."""
    rows = [
        stage("forward", b=name, error=0.9, threshold=1.0, accepted=name == "b1") for name in NAMES
    ]
    (shown,) = folded(matrix(rows).lines)
    assert shown.cells[0].accepted


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (stage("loss", "FAIL", error=1.0, threshold=0.5), "2.0×"),
        (stage("loss", "FAIL", error=0.1, threshold=0.5), ""),
        (stage("loss", "FAIL", error=0.0, threshold=0.5), ""),
        (stage("precision", "FAIL", error=0.1, threshold=0.5), "too exact"),
        (stage("loss", "INFO", error=0.1, threshold=0.5), ""),
        (stage("loss", error=0.1, threshold=0.5), "20 %"),
    ],
)
def test_a_cell_that_departs_for_another_reason_shows_no_small_error(row, said: str):
    """An order of rows that matters, say; a lower precision that is not in effect says so."""
    assert said == margin(row)


def test_a_stage_that_was_not_looked_at_is_not_folded_away():
    """Though the rest of its line passes."""
    rows = [stage(name, b=build) for name in ("forward", "update") for build in NAMES]
    rows[-1] = stage("update", "INFO", b=NAMES[-1], not_looked_at=True)
    shown = folded(matrix(rows).lines)
    assert ["tf1-compat : b4", "4 other pairs"] == [line.pair for line in shown]
    assert "INFO" == shown[0].cells[1].verdict
