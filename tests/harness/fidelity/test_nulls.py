"""Mathematically zero is earned: as small as rounding, and moved by rounding alone."""

from __future__ import annotations

import numpy as np
import pytest

from harness.fidelity.judge import judge_stage
from harness.fidelity.nulls import null_tensors

BIAS = "step 1/train/parameter/bias"


class Ladder:
    """One side with gradients and an update: the bias' gradient is nothing, and Adam makes a whole step of it."""

    digested = False

    def __init__(self, memory, gradient, update, moved, *, gradients=True):
        weight = "step 1/train/parameter/w"
        self.stages = {
            "gradients": memory({"train/w": np.ones(3), "train/bias": np.full(3, gradient)} if gradients else {}, {"train/bias": 3e-17}),
            "update": memory({weight: np.ones(3), BIAS: np.full(3, update)}, {BIAS: moved}, {weight: 1e-3, BIAS: 1e-3}),
        }

    def entries(self, stage):
        return self.stages[stage].entries(stage) if stage in self.stages else []

    def read(self, stage, name):
        return self.stages[stage].read(stage, name)

    def noise(self, stage, name):
        return self.stages[stage].noise(stage, name)


def test_a_tensor_that_a_variation_moves_by_all_of_its_size_is_not_zero(memory):
    """A gradient that a tie decides is as large as its neighbours: the movement excuses nothing."""
    def side(value):
        return memory({"w": np.ones(3), "tie": np.full(3, value)}, {"tie": 1.0})

    assert frozenset() == null_tensors(side(0.3), side(-0.3), "gradients")
    found = judge_stage(side(0.3), side(-0.3), "gradients", "fp64")
    assert ("INCONCLUSIVE", "tie", ()) == (found.verdict, found.worst.name, found.null)


def test_the_update_of_a_gradient_that_is_zero_is_zero(memory):
    """Adam divides noise by its own size: the update is as large as any, and says nothing."""
    sides = [Ladder(memory, gradient, update, 1e-3) for gradient, update in ((1e-17, 1e-3), (-2e-17, -1e-3))]
    assert {"train/bias"} == null_tensors(*sides, "gradients")
    found = judge_stage(*sides, "update", "fp64")
    assert ("PASS", (BIAS,)) == (found.verdict, found.null)


@pytest.mark.parametrize("gradient", [1e-17, 0.5])
def test_without_a_gradient_that_is_zero_an_update_is_not(memory, gradient):
    """Where no gradient is shown, or a real one, the same update is undecided: it is never left out of a first step."""
    sides = [Ladder(memory, gradient, update, 1e-3, gradients=gradient > 0.1) for update in (1e-3, -1e-3)]
    found = judge_stage(*sides, "update", "fp64")
    assert "INCONCLUSIVE" == found.verdict and () == found.null


def test_a_zero_that_nothing_moves_agrees(memory):
    """An activation of zeros on both sides is agreement; noise beside values of one is zero."""
    zeros = memory({"x": np.ones(3), "zero": np.zeros(3)})
    assert (() , 2) == ((found := judge_stage(zeros, zeros, "forward", "fp64")).null, found.decided)
    a, b = (memory({"x": np.ones(3), "noise": np.full(3, value)}, {"noise": 2e-17}) for value in (1e-17, -1e-17))
    assert ("noise",) == judge_stage(a, b, "forward", "fp64").null
