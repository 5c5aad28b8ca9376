"""What crept: the night in which a figure leaves the median of the nights before it behind, and
no later one."""

from __future__ import annotations

import pytest

from harness.changes.creep import LAST, LEAST, Median, crept, past, ported
from harness.changes.model import JudgedNight
from harness.changes.provenance import Suspects


def doubled(one: float, other: float) -> bool:
    return one > 2.0 * other


def told(values: list[float]) -> list[int]:
    """Return the nights that tell a growth; values are given oldest first."""
    return [
        night for night in range(len(values)) if crept(values[night], values[:night][::-1], doubled)
    ]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ([], None),
        ([1.0] * (LEAST - 1), None),
        ([1.0] * LEAST, Median(1.0, LEAST)),
        ([1.0] * 99, Median(1.0, LAST)),
        ([1.0] * LAST + [9.0] * 99, Median(1.0, LAST)),
        ([1.0, 1.0, 9.0], Median(1.0, 3)),
        ([1.0, 3.0, 3.0], None),
    ],
)
def test_the_median_is_of_the_newest_nights(before, expected):
    """Of three at least, and of two weeks at most; one odd night does not move it."""
    assert expected == crept(2.5, before, doubled)


def test_a_creep_is_told_once():
    """Planted: half as much again every night. The first three nights have no median."""
    assert [3] == told([1.5**night for night in range(40)])


def test_what_is_beyond_and_comes_back_and_leaves_again_is_told_again():
    """A second growth is another one."""
    assert [5, 30] == told([1.0] * 5 + [2.5] * 3 + [1.0] * 22 + [2.5] * 3)


def test_too_few_nights_for_the_median_of_yesterday_leave_the_night_before_it():
    """A step of yesterday was told by the night before it, and is none of tonight's; half as
    much again was not."""
    assert None is crept(3.0, [3.0, 1.0, 1.0], doubled) and Median(1.5, 3) == crept(
        3.1, [2.0, 1.5, 1.0], doubled
    )


def test_a_night_stands_to_tonight(sample):
    """With what moved since, whatever happened in between, and with the conditions that differ."""
    base = sample.report(("tf2", "torch"))
    other = sample.rebuilt(
        base, "torch", port={"cnn": "backends/ports/torch/cnn.py, sha256 ffffffffffff"}
    )
    same, another = past(sample.night(base), (sample.night(base), JudgedNight(other)))
    assert [False, True] == [
        ported(one, "cnn", ("tf2", "torch"), "cnn/tiny/0") for one in (same, another)
    ]
    assert (
        not ported(another, "cnn", ("tf2",), "")
        and {} == same.reasons
        and isinstance(same.suspects, Suspects)
    )
