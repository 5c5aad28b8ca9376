"""Sources that stand beside each other in a canonical piece, and not as a sum."""

from __future__ import annotations

import numpy as np

from backends.adapter import pieces
from backends.survey import Piece

PIECE = Piece(
    name="cell/kernel",
    layer="cell",
    role="kernel",
    shape=(2, 3),
    trainable=True,
    sources=("gates", "candidate"),
    steps=(("concatenate", 1), ("slice", 0, 0, 2), ("blocks", 1, (1, 0, 2))),
)
OWN = {"gates": np.arange(6.0).reshape(3, 2), "candidate": 10.0 + np.arange(3.0).reshape(3, 1)}


def test_they_are_put_together_and_taken_apart():
    value = pieces.canonical(PIECE, OWN)
    np.testing.assert_array_equal(value, [[1.0, 0.0, 10.0], [3.0, 2.0, 11.0]])
    changed = pieces.own_values([PIECE], {"cell/kernel": -value}, OWN)
    np.testing.assert_array_equal(changed["gates"], [[0.0, -1.0], [-2.0, -3.0], [4.0, 5.0]])
    np.testing.assert_array_equal(changed["candidate"], [[-10.0], [-11.0], [12.0]])


def test_a_gradient_of_some_of_them_is_none():
    assert pieces.derived(PIECE, {"gates": OWN["gates"]}) is None
    np.testing.assert_array_equal(pieces.derived(PIECE, OWN), pieces.canonical(PIECE, OWN))
