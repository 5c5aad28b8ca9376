"""Classifiers: they tell apart what differs, not what is the same, and learn from rows that hold
the link."""

from __future__ import annotations

import numpy as np
import pytest

from harness.quality.classifiers import accuracy, transfer


def rows(seed, count=150, linked=True):
    """Return [count, 8, 3]: two continuous channels, and one that is on where the first was high
    two hours before."""
    generator = np.random.RandomState(seed)
    continuous = generator.normal(size=(count, 8, 2))
    on = (
        np.roll(continuous[:, :, 0], 2, axis=1) > 0
        if linked
        else generator.uniform(size=(count, 8)) > 0.5
    )
    return np.concatenate([continuous, on[:, :, None]], axis=2)


def test_what_is_the_same_cannot_be_told_apart_and_what_is_shifted_can():
    """About half right, and nearly always right."""
    assert abs(accuracy(rows(0), rows(1)).value - 0.5) < 0.12
    assert accuracy(rows(0), rows(1) + 2.0).value > 0.95
    assert accuracy(rows(0), rows(1)).value == accuracy(rows(0), rows(1)).value
    assert "4 rows of each kind" in accuracy(rows(0), rows(1)[:4]).reason


def test_rows_that_hold_the_link_teach_it_and_others_do_not():
    """Tested on rows that were not fitted."""
    assert transfer(rows(1), rows(0), 1).value > 0.95
    assert abs(transfer(rows(1, linked=False), rows(0), 1).value - 0.5) < 0.2
    assert (
        transfer(rows(0) * [1, 1, 0], rows(1), 1).value == 0.5
    )  # never on in the training rows: nothing to learn


@pytest.mark.parametrize(
    ("train", "test", "discrete", "reason"),
    [
        (
            rows(0),
            rows(1) * [1, 1, 0] + [0, 0, 1],
            1,
            "no discrete channel varies in the test rows",
        ),
        (rows(0), rows(1), 0, "needs a discrete channel"),
        (rows(0)[:, :2], rows(1)[:, :2], 1, "more than 2 hours"),
        (rows(0)[:, :, 2:], rows(1)[:, :, 2:], 1, "a continuous one"),
    ],
)
def test_a_task_that_cannot_be_set_says_why(train, test, discrete, reason):
    """Neither a crash nor a number."""
    found = transfer(train, test, discrete)
    assert found.value is None and reason in found.reason
