"""What is within reach of a step: what classes keep is put back, what is not compared is said."""

from __future__ import annotations

import importlib

import pytest
from linear_step import ROWS, maker, plain

from backends.adapter.draws import Draws

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]


@pytest.fixture
def torch(kit):
    return importlib.import_module("torch")


@pytest.fixture
def make(torch):
    return maker(torch)


def test_what_a_class_keeps_is_put_back(torch, make):
    """A counter of all its objects, used as such and through an object."""

    class Counter:
        steps = 0
        seen = []  # noqa: RUF012  (what people write)

        def count(self):
            type(self).steps += 1
            Counter.seen.append(Counter.steps)
            return Counter.steps

    counter = Counter()

    def program(net):
        optimizer, step = plain(torch)(net)
        return optimizer, lambda batch: step(batch) * (1 + counter.count())

    side = make(program)
    before = side.snapshot()
    first = side.step("train", ROWS, Draws("train")).losses
    side.restore(before)
    assert (0, []) == (Counter.steps, Counter.seen)
    assert first == side.step("train", ROWS, Draws("train")).losses
    side.survey(ROWS)
    assert (1, [1]) == (Counter.steps, Counter.seen)


def test_what_is_not_compared_is_remarked(torch, make):
    """An average of the weights that nobody has declared, and whole numbers that are no weight."""

    def program(net):
        optimizer, step = plain(torch)(net)
        average = torch.optim.swa_utils.AveragedModel(net)

        def averaged(batch):
            value = step(batch)
            average.update_parameters(net)
            return value

        return optimizer, averaged

    def net():
        made = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.BatchNorm1d(2))
        made.register_buffer("ids", torch.arange(3))
        return made

    remarks = make(program, net).survey(ROWS).remarks
    assert any("is not declared is within reach of a step" in remark for remark in remarks)
    assert "buffers of whole numbers are not compared, only what is made of them: ids" in remarks
    assert not make(plain(torch)).survey(ROWS).remarks
