"""Canonical tensors are cut out of a side's own parameters and put back, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest

from backends.adapter import pieces
from backends.survey import Piece

OWN = np.arange(24.0).reshape(4, 6)


def piece(*steps, sources=("w",), shape=(), name="layer/kernel"):
    return Piece(name, "layer", "kernel", shape, True, sources=sources, steps=steps)


STEPS = [
    (("transpose", (1, 0)),),
    (("reshape", (2, 2, 6)), ("transpose", (2, 0, 1))),
    (("slice", 1, 2, 4),),
    (("blocks", 1, (2, 0, 1)),),
    (("shift", 1, 2, 4, 1.5),),
    (("transpose", (1, 0)), ("blocks", 0, (2, 0, 1)), ("shift", 0, 0, 2, -1.0), ("slice", 1, 1, 3)),
    (("reshape", (24,)), ("slice", 0, 3, 9), ("reshape", (2, 3)), ("transpose", (1, 0))),
]


@pytest.mark.parametrize("steps", STEPS)
def test_what_is_put_in_comes_out(steps):
    """Every step can be undone: other values go in at the same place, and nothing beside them
    moves."""
    wanted = pieces.canonical(piece(*steps), {"w": OWN})
    other = np.random.RandomState(0).normal(size=wanted.shape)
    changed = pieces.own_values([piece(*steps)], {"layer/kernel": other}, {"w": OWN})
    assert np.allclose(other, pieces.canonical(piece(*steps), changed), rtol=0, atol=1e-15)
    back = pieces.own_values([piece(*steps)], {"layer/kernel": wanted}, changed)
    assert np.allclose(OWN, back["w"], rtol=0, atol=1e-15)
    assert np.array_equal(OWN, np.arange(24.0).reshape(4, 6))


@pytest.mark.parametrize("steps", STEPS)
def test_the_result_is_an_array_of_its_own(steps):
    """Whoever changes a canonical tensor changes no weight of the user's model."""
    own = OWN.copy()
    value = pieces.canonical(piece(*steps), {"w": own})
    value += 1.0
    assert np.array_equal(OWN, own)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (("transpose", (1, 0)), ("reshape", (6, 4))),
        (("blocks", 1, (1, 2, 0)), ("blocks", 1, (2, 0, 1))),
        (("slice", 1, 2, 4), ("slice", 1, 3, 5)),
        (("shift", 1, 0, 2, 1.0), ("shift", 1, 0, 2, -1.0)),
    ],
)
def test_a_wrong_step_is_seen(right, wrong):
    """The check above tells a step from one that looks like it: another place, another order."""
    assert not np.array_equal(pieces.apply(OWN, [right]), pieces.apply(OWN, [wrong]))
    values = {"layer/kernel": pieces.apply(OWN + 100, [right])}
    changed = pieces.own_values([piece(right)], values, {"w": OWN})
    assert np.array_equal(values["layer/kernel"], pieces.apply(changed["w"], [right]))
    assert not np.array_equal(values["layer/kernel"], pieces.apply(changed["w"], [wrong]))


def test_fused_kernels_share_their_source():
    """Queries, keys and values are three parts of one array: each is put in its own place."""
    parts = [
        piece(("slice", 1, 2 * index, 2 * index + 2), name=name)
        for index, name in enumerate(("q", "k", "v"))
    ]
    values = {name: np.full((4, 2), float(index)) for index, name in enumerate(("q", "k", "v"))}
    changed = pieces.own_values(parts, values, {"w": OWN})
    assert [0, 0, 1, 1, 2, 2] == changed["w"][0].tolist()


def test_two_biases_for_one():
    """A sum: both sources get a half, the constant counts once, and the gradient is that of the
    first which has one."""
    summed = piece(("shift", 0, 0, 1, 1.0), sources=("b_ih", "b_hh"))
    own = {"b_ih": np.array([1.0, 2.0]), "b_hh": np.array([10.0, 20.0])}
    assert [12.0, 22.0] == pieces.canonical(summed, own).tolist()
    changed = pieces.own_values([summed], {"layer/kernel": np.array([5.0, 6.0])}, own)
    assert [5.0, 6.0] == pieces.canonical(summed, changed).tolist()
    assert changed["b_hh"].tolist() == [2.5, 3.0]
    gradient = np.array([0.5, 0.25])
    assert [0.5, 0.25] == pieces.derived(summed, {"b_hh": gradient}).tolist()
    assert pieces.derived(summed, {}) is None


def test_a_gradient_is_moved_and_not_shifted():
    """The forget gate's constant belongs to the value alone."""
    shifted = piece(("transpose", (1, 0)), ("shift", 0, 0, 1, 1.0))
    assert np.array_equal(OWN.T, pieces.derived(shifted, {"w": OWN}))
    assert not np.array_equal(OWN.T, pieces.canonical(shifted, {"w": OWN}))


def test_integers_are_put_back_as_numbers():
    """A running count of a side may be an integer; nothing is cut off a value that is put there."""
    changed = pieces.own_values([piece()], {"layer/kernel": np.array([0.5])}, {"w": np.array([1])})
    assert [0.5] == changed["w"].tolist()


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (("turn", (1, 0)), "'turn' of a piece: not one of"),
        (("reshape", (5, 5)), "reshape"),
        (("transpose", (0, 0)), "repeated axis"),
        (("blocks", 1, (0,) * 4), "equal division"),
    ],
)
def test_a_step_that_is_none_is_refused(step, message):
    """Another word, a shape that does not hold as much, axes twice, blocks that do not fit."""
    with pytest.raises(ValueError, match=message):
        pieces.apply(OWN, [step])


@pytest.mark.parametrize("steps", STEPS)
def test_gradients_go_back_where_they_came_from(steps):
    """The inverse of `derived`: whole for each source of a sum, and without any constant."""
    shape = pieces.apply(OWN, steps).shape
    part = piece(*steps, sources=("w", "v"), shape=shape)
    gradient = np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape)
    own = pieces.own_gradients([part], {part.name: gradient}, {"w": OWN, "v": OWN, "x": OWN})
    assert {"w", "v"} == set(own)
    for name in own:
        np.testing.assert_array_equal(gradient, pieces.derived(part, {name: own[name]}))
    assert {} == pieces.own_gradients([part], {}, {"w": OWN, "v": OWN})
