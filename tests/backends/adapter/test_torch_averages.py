"""Averages of weights are found however a step keeps them, shown as slots, and begin as copies."""

from __future__ import annotations

import copy
import importlib

import numpy as np
import pytest
from linear_step import ROWS, errors, maker
from torch_copies import KEPT, averaged, averaging, copied, mixed, ways

from backends.adapter.draws import Draws

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]


@pytest.fixture
def torch(kit):
    return importlib.import_module("torch")


@pytest.fixture
def make(torch):
    return maker(torch)


@pytest.mark.parametrize("way", ["averaged", "copied", "named", "listed", "replaced"])
def test_an_average_is_a_slot_that_begins_at_the_weights(torch, make, way):
    """Those that the harness has given to both sides, not those that the code began with."""
    side = make(averaging(torch, ways(torch)[way]))
    weights = {name: value + 1.0 for name, value in side.parameters().items()}
    side.assign(weights)
    side.reset()
    expected = {name: value.copy() for name, value in weights.items()}
    for count in range(3):
        side.step("train", ROWS, Draws("train"))
        now, held = side.parameters(), side.slots()[""]
        for name, value in now.items():
            first = way == "averaged" and not count
            expected[name] = value if first else KEPT * expected[name] + (1 - KEPT) * value
            np.testing.assert_allclose(held[name]["average"], expected[name], rtol=1e-14)
    side.assign(weights)
    side.reset()
    for name, words in side.slots()[""].items():
        np.testing.assert_array_equal(words["average"], weights[name])


def test_it_is_told_and_no_stranger(torch, make):
    """In the words of Keras' own; the module that holds it is none that is not declared."""
    survey = make(averaging(torch, averaged(torch))).survey(ROWS)
    (optimizer,) = survey.optimizers
    assert optimizer.slots == ("average",)
    words = optimizer.hyperparameters
    assert words["average_weights"] is True and words["average_momentum"] == KEPT
    assert not [remark for remark in survey.remarks if "not declared" in remark]


def test_it_can_be_set(torch, make):
    side = make(averaging(torch, copied))
    values = {name: np.full(value.shape, 3.0) for name, value in side.parameters().items()}
    side.assign_slots("", "average", values)
    assert all(np.all(words["average"] == 3.0) for words in side.slots()[""].values())


def test_a_copy_with_other_values_is_none(torch, make):
    """A teacher of its own: nothing is known of it, and that is said."""

    def teacher(net):
        return torch.nn.Linear(4, 2), lambda kept, now: mixed([(kept.bias, now.bias)])

    side = make(averaging(torch, teacher))
    assert all("average" not in words for words in side.slots()[""].values())
    assert any("not declared" in remark for remark in side.survey(ROWS).remarks)


def test_copies_that_no_step_writes_to_are_given_up(torch, make):
    """A teacher, or an average that is made anew: the copy of the beginning is none, and said."""

    def teacher(net):
        return copy.deepcopy(net), lambda kept, now: None

    survey = make(averaging(torch, teacher)).survey(ROWS)
    (optimizer,) = survey.optimizers
    assert "average" not in optimizer.slots and "average_weights" not in optimizer.hyperparameters
    assert any("stays as it was when weights move" in remark for remark in survey.remarks)


def test_of_several_copies_it_is_said_which_is_compared(torch, make):
    def both(net):
        kept, anchor = copy.deepcopy(net), copy.deepcopy(net)

        def update(pair, now):
            mixed(zip(pair[0].parameters(), now.parameters()))

        return (kept, anchor), update

    assert any(
        "several copies" in text for text in make(averaging(torch, both)).survey(ROWS).remarks
    )


def test_how_many_steps_an_update_takes_is_counted(torch, make):
    def program(net):
        optimizer, counted = torch.optim.SGD(net.parameters(), 0.125), []

        def step(batch):
            value = errors(torch, net, batch) / 3
            value.backward()
            counted.append(1)
            if len(counted) % 3 == 0:
                optimizer.step()
                optimizer.zero_grad()
            return value

        return optimizer, step

    (optimizer,) = make(program).survey(ROWS).optimizers
    assert optimizer.steps == 3 and len(optimizer.rates) == 3
