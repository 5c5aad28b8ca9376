"""Draws of randomness are answered from the tape, and alike on both sides where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from backends.adapter.draws import Draws, kept
from backends.survey import DROPOUT, NORMAL, OTHER_DRAW, UNIFORM

TAPE = {"mask": np.random.RandomState(0).random_sample((5, 2, 3, 4))}
FIRST = {"site": "mask", "axes": None}
TURNED = {"site": "mask", "axes": [0, 3, 1, 2]}


def test_the_tape_answers_in_order():
    """The n-th draw gets the n-th site, whatever makes it; what was drawn is written down."""
    noise = {"a": np.zeros((2,)), "b": np.ones((3,))}
    draws = Draws("train", [{"site": "a"}, {"site": "b"}], noise)
    assert [0.0, 0.0] == draws.draw(DROPOUT, (2,)).tolist()
    assert [1.0, 1.0, 1.0] == draws.draw(NORMAL, [3]).tolist()
    assert [(DROPOUT, (2,)), (NORMAL, (3,))] == draws.made


def test_channels_in_front_get_the_same_numbers():
    """A side whose axes are in another order sees the tape through that order."""
    plain = Draws("train", [FIRST], TAPE).draw(DROPOUT, (5, 2, 3, 4))
    turned = Draws("train", [TURNED], TAPE).draw(DROPOUT, (5, 4, 2, 3))
    assert np.array_equal(TAPE["mask"], plain)
    assert np.array_equal(plain, np.transpose(turned, (0, 2, 3, 1)))


def test_without_axes_it_is_seen():
    """The fault that the order of axes is there for: the same numbers at other places."""
    square = {"mask": np.random.RandomState(0).random_sample((3, 3))}
    wrong = Draws("train", [{"site": "mask", "axes": None}], square).draw(DROPOUT, (3, 3))
    right = Draws("train", [{"site": "mask", "axes": [1, 0]}], square).draw(DROPOUT, (3, 3))
    assert np.array_equal(right, wrong.T) and not np.array_equal(right, wrong)


@pytest.mark.parametrize("kind", [DROPOUT, UNIFORM, NORMAL])
def test_off_the_tape_both_sides_draw_alike(kind):
    """While a model is looked at there is no tape: both sides get the same numbers at the same
    place all the same, in their own layouts."""
    plain = Draws("forward", [FIRST]).draw(kind, (5, 2, 3, 4))
    turned = Draws("forward", [TURNED]).draw(kind, (5, 4, 2, 3))
    assert np.array_equal(plain, np.transpose(turned, (0, 2, 3, 1)))


@pytest.mark.parametrize("kind", [DROPOUT, UNIFORM, NORMAL])
def test_off_the_tape_what_one_side_draws_step_by_step_is_alike(kind):
    """And all that comes behind it, which has another number on either side; for other lengths than
    the model was looked at with, nothing is put together."""
    told = {"site": None, "sites": list("012"), "axis": 1}
    steps = Draws("generate", [{"site": name} for name in "012"] + [FIRST])
    whole = Draws("generate", [told, FIRST])
    each = [steps.draw(kind, (5, 4)) for _ in range(3)]
    assert np.array_equal(np.stack(each, 1), whole.draw(kind, (5, 3, 4)))
    behind = steps.draw(kind, (5, 2, 3, 4)), whole.draw(kind, (5, 2, 3, 4))
    assert np.array_equal(*behind) and not np.array_equal(each[0], each[1])
    assert (5, 2, 4) == Draws("generate", [told]).draw(kind, (5, 2, 4)).shape


def test_off_the_tape_phases_places_and_seeds_differ():
    """Two draws are never the same by accident: a dropout that is drawn once for two layers would
    look like two."""
    drawn = [
        Draws(phase, seed=seed).draw(UNIFORM, (4,))
        for phase in ("train", "forward")
        for seed in (0, 1)
    ]
    twice = Draws("train")
    drawn += [twice.draw(UNIFORM, (4,)), twice.draw(UNIFORM, (4,))]
    assert np.array_equal(drawn[0], drawn[4])
    assert 5 == len({value.tobytes() for value in drawn})
    assert np.array_equal(drawn[1], Draws("train", seed=1).draw(UNIFORM, (4,)))


def test_a_draw_without_a_site_takes_nothing_from_the_tape():
    """What one side alone draws is not answered by what belongs to another draw; the next one is
    in its place again."""
    noise = {"a": np.full(2, 0.125)}
    draws = Draws("train", [{"site": None}, {"site": "a"}], noise)
    assert [0.125, 0.125] != draws.draw(UNIFORM, (2,)).tolist()
    assert [0.125, 0.125] == draws.draw(UNIFORM, (2,)).tolist()
    beyond = draws.draw(OTHER_DRAW, ())
    assert np.shape(beyond) == ()


@pytest.mark.parametrize("shape", [(5, 2, 4, 3), (5, 24), (6, 2, 3, 4), ()])
def test_a_draw_of_another_shape_is_refused(shape):
    """The number and the shape of draws may not depend on values; the message names the draw."""
    with pytest.raises(ValueError, match=r"draw 0 of the phase train \(mask\) has the shape"):
        Draws("train", [FIRST], TAPE).draw(DROPOUT, shape)


def test_each_side_keeps_its_own_share():
    """A dropout of another rate is seen: the same number is below one share and above the other."""
    noise = {"mask": np.array([0.1, 0.5, 0.7, 0.9])}
    plan = [{"site": "mask"}]
    assert [True, True, True, False] == kept(Draws("t", plan, noise), (4,), 0.75).tolist()
    assert [True, True, False, False] == kept(Draws("t", plan, noise), (4,), 0.6).tolist()


def test_neighbouring_axes_taken_together_get_the_same_numbers():
    """The dropout of attention: [batch, heads, ...] on one side, [batch * heads, ...] on the
    other."""
    plain = Draws("train", [FIRST], TAPE).draw(DROPOUT, (5, 2, 3, 4))
    told = dict(FIRST, shape=[10, 3, 4])
    together = Draws("train", [told], TAPE).draw(DROPOUT, (10, 3, 4))
    assert np.array_equal(plain.reshape(10, 3, 4), together)
    for entry, shape in ((told, (5, 6, 4)), (FIRST, (10, 3, 4))):
        with pytest.raises(ValueError, match=r"it had \[5, 2, 3, 4\]"):
            Draws("train", [entry], TAPE).draw(DROPOUT, shape)


def test_what_the_other_side_draws_step_by_step_is_put_together():
    """Along the axis of the steps; one step that the tape does not have, and none is taken."""
    noise = {name: np.full((2, 3), float(name)) for name in "012"}
    told = {"site": None, "sites": list("012"), "axis": 1}
    drawn = Draws("train", [told], noise).draw(DROPOUT, (2, 3, 3))
    assert [[0.0] * 3, [1.0] * 3, [2.0] * 3] == drawn[0].tolist()
    with pytest.raises(ValueError, match="may not depend on values"):
        Draws("train", [told], noise).draw(DROPOUT, (2, 4, 3))
    told = dict(told, sites=["0", None, "2"])
    assert 1.0 > Draws("train", [told], noise).draw(DROPOUT, (2, 3, 3)).max()
