"""An average is known by how it moves: straight towards the weight, and not all of the way."""

from __future__ import annotations

import numpy as np
import pytest

from backends.adapter.averages import averaged, is_average, sentences

GENERATOR = np.random.RandomState(3)
BEFORE, STEP = GENERATOR.normal(size=(4, 3)), GENERATOR.normal(size=(4, 3))
WEIGHT = BEFORE - 0.1 * STEP


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (BEFORE, 0.9 * BEFORE + 0.1 * WEIGHT, True),
        (np.zeros((4, 3)), 0.01 * WEIGHT, True),
        (BEFORE, 0.999 * BEFORE + 0.001 * WEIGHT, True),
        (BEFORE, BEFORE, False),
        (BEFORE, WEIGHT, False),
        (BEFORE, BEFORE + 0.1 * (WEIGHT - BEFORE) * np.linspace(0.9, 1.1, 12).reshape(4, 3), False),
        (BEFORE, 1.1 * BEFORE - 0.1 * WEIGHT, False),
        (np.zeros((4, 3)), 0.1 * STEP, False),
        (np.zeros(3), np.ones(3), False),
    ],
)
def test_moves(before, after, expected):
    assert is_average(before, after, WEIGHT) is expected


def test_one_value_lies_always_on_its_way():
    assert not is_average(np.zeros(1), np.ones(1), np.full(1, 4.0))


def test_what_an_optimizer_adds_up_is_no_average_of_a_weight_that_begins_with_zeros():
    """Of Nesterov's momentum, the velocity is a share of the first update."""
    velocity = np.zeros(3), np.array([-0.1, 0.2, 0.3])
    weight = np.zeros(3), 1.9 * velocity[1]
    assert [] == averaged({"v": velocity}, {"bias": weight})


def test_all_are_told_in_a_sentence():
    kept = BEFORE, 0.9 * BEFORE + 0.1 * WEIGHT
    counts = np.zeros((4, 3), int), np.ones((4, 3), int)
    found = averaged({"n": counts, "e": kept, "f": kept}, {"w": (BEFORE, WEIGHT)})
    assert [("e", "w"), ("f", "w")] == found
    (said,) = sentences(found)
    assert "moves e as an average of w, and 1 more" in said
    assert [] == sentences([])
