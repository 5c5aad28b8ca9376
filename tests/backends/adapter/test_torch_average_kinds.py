"""Which copies within reach of a step are averages, which are only kept, and which are told."""

from __future__ import annotations

import copy
import importlib

import numpy as np
import pytest
from linear_step import ROWS, maker, plain
from torch_copies import KEPT, averaged, averaging, copied, listed, mixed, named, replaced

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]


@pytest.fixture
def torch(kit):
    return importlib.import_module("torch")


@pytest.fixture
def surveyed(torch):
    """A function that surveys a net of a step that keeps something."""
    make = maker(torch)
    return lambda keep: make(averaging(torch, keep)).survey(ROWS)


@pytest.mark.parametrize("keep", [copied, named, listed, replaced, None])
def test_an_average_is_told_with_its_parameters(torch, surveyed, keep):
    survey = surveyed(keep or averaged(torch))
    (optimizer,) = survey.optimizers
    assert optimizer.hyperparameters["average_weights"] is True
    assert len(optimizer.averages) == 2 and optimizer.averages == optimizer.pieces
    assert () == survey.hidden_averages == survey.unseen_averages


def test_a_copy_that_is_only_kept_is_no_average(surveyed):
    """A teacher that nothing moves: it may have been an average that is made anew."""
    survey = surveyed(lambda net: (copy.deepcopy(net), lambda kept, now: None))
    (optimizer,) = survey.optimizers
    assert () == optimizer.averages == survey.hidden_averages
    assert "average_weights" not in optimizer.hyperparameters
    assert any("stays as it was" in text for text in survey.unseen_averages)


def test_a_copy_that_is_set_to_the_weights_is_no_average(surveyed):
    """The best weights so far, or a target that is set to them: a slot, if both sides have it."""

    def keep(net):
        def update(kept, now):
            kept.load_state_dict(now.state_dict())

        return copy.deepcopy(net), update

    survey = surveyed(keep)
    (optimizer,) = survey.optimizers
    assert ("average",) == optimizer.slots and 2 == len(optimizer.averages)
    assert "average_weights" not in optimizer.hyperparameters
    assert () == survey.hidden_averages


def test_an_average_behind_a_copy_that_nothing_moves_is_told(surveyed):
    """The first copy is taken for the average: given up, it leaves one that nobody compares."""

    def keep(net):
        anchor, kept = copy.deepcopy(net), copy.deepcopy(net)

        def update(pair, now):
            mixed(zip(pair[1].parameters(), now.parameters()))

        return (anchor, kept), update

    survey = surveyed(keep)
    assert () == survey.optimizers[0].averages
    assert any("as an average of Linear.weight" in text for text in survey.hidden_averages)


def in_numpy(net):
    kept = {name: value.detach().numpy().copy() for name, value in net.named_parameters()}

    def update(own, now):
        for name, value in now.named_parameters():
            own[name] = KEPT * own[name] + (1 - KEPT) * value.detach().numpy()

    return kept, update


class Attributes:
    """An average that is kept beside other things."""

    def __init__(self, net):
        self.decay, self.weight = KEPT, net.weight.detach().clone()

    def __call__(self, net):
        self.weight = self.decay * self.weight + (1 - self.decay) * net.weight.detach()


def in_attributes(net):
    return Attributes(net), lambda kept, now: kept(now)


@pytest.mark.parametrize("keep", [in_numpy, in_attributes])
def test_an_average_in_another_place_is_seen_by_how_it_moves(surveyed, keep):
    survey = surveyed(keep)
    assert () == survey.optimizers[0].averages
    (said,) = survey.hidden_averages
    assert "as an average of Linear.weight" in said and said in survey.remarks


def test_something_as_large_as_the_weights_may_be_an_average(surveyed):
    def keep(net):
        return np.zeros(tuple(net.weight.shape)), lambda kept, now: None

    survey = surveyed(keep)
    assert () == survey.hidden_averages
    (said,) = survey.unseen_averages
    assert "as large as the largest weight" in said


@pytest.mark.parametrize(("start", "averages"), [(0, True), (1000, True), (None, False)])
def test_the_average_of_asgd_is_one_where_a_training_comes_to_it(torch, start, averages):
    """Also where the steps that are looked at do not; by default it stays a copy of the weights."""

    def make(weights, rate):
        more = {} if start is None else {"t0": start}
        return torch.optim.ASGD(weights, rate, lambd=0.0, alpha=1e-12, **more)

    program = plain(torch, make=make)
    (optimizer,) = maker(torch)(program).survey(ROWS).optimizers
    assert "average" in optimizer.slots and 2 == len(optimizer.averages)
    words = optimizer.hyperparameters
    assert averages == words.get("average_weights", False) == ("average_start" in words)


def test_an_average_that_asgd_has_begun_before_is_one(torch):
    """As a checkpoint brings it, whatever it is begun after now."""

    def program(net):
        optimizer, step = plain(torch, make=torch.optim.ASGD)(net)
        step({"x": torch.ones(2, 4), "y": torch.ones(2, 2)})
        for state in optimizer.state.values():
            state["mu"].fill_(0.5)
        return optimizer, step

    (optimizer,) = maker(torch)(program).survey(ROWS).optimizers
    assert optimizer.hyperparameters["average_weights"] is True
