"""Slots of a side whose one optimizer does the work of several of the other side's."""

from __future__ import annotations

import numpy as np
import pytest
from perceptron import CANONICAL, NOISE, TRAIN, port, rows

from backends.source import Batch


@pytest.fixture
def both():
    return port("plain"), port("turned")


@pytest.fixture
def batch():
    return Batch(rows(), NOISE)


def test_slots_go_by_parameter_where_the_other_side_has_more_optimizers(both, batch):
    """One that does the work of two: each of theirs has the slots of its own parameters, and the
    count; a teacher's state goes the same way."""
    whole, made = both
    slow, fast = CANONICAL[:2], CANONICAL[2:]
    made.plan.owners = {"slow": dict.fromkeys(slow, ""), "fast": dict.fromkeys(fast, "")}
    made.plan.slots = {name: ["momentum"] for name in made.plan.owners}
    for side in both:
        side.train_step(TRAIN, batch)
    wanted = whole.optimizer_state()
    state = made.optimizer_state()
    assert set(state) == {
        "slow/step",
        "fast/step",
        *("slow/%s/momentum" % name for name in slow),
        *("fast/%s/momentum" % name for name in fast),
    }
    assert 1 == state["slow/step"] == state["fast/step"]
    for name, members in (("slow", slow), ("fast", fast)):
        for key in members:
            own = state["%s/%s/momentum" % (name, key)]
            assert np.allclose(own, wanted["sgd/%s/momentum" % key], rtol=1e-12, atol=1e-14)
    doubled = {key: 2.0 * value for key, value in state.items()}
    made.assume(made.parameters(), doubled)
    taken = made.optimizer_state()
    assert all(np.allclose(taken[key], doubled[key]) for key in taken if "momentum" in key)


def test_an_average_that_the_survey_gave_up_is_not_shown(both):
    """A copy that nothing moves, beside one that moves: the plan names the parameters of that."""
    side, _ = both
    side.plan.slots = {"sgd": ["average"]}
    own = side.side.parameters()
    side.side.slots = lambda: {"": {name: {"average": value} for name, value in own.items()}}
    every = {"sgd/%s/average" % name for name in CANONICAL}
    assert every == set(side.optimizer_state()) - {"sgd/step"}
    side.plan.averages = list(CANONICAL[:1])
    assert {"sgd/%s/average" % CANONICAL[0], "sgd/step"} == set(side.optimizer_state())
