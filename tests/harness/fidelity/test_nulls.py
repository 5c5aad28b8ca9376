"""Mathematically zero is earned: as small as rounding, and moved by rounding alone."""

from __future__ import annotations

import numpy as np
import pytest

from harness.fidelity.evidence import TensorEntry
from harness.fidelity.judge import judge_stage
from harness.fidelity.nulls import null_tensors

BIAS = "step 1/train/parameter/bias"


class Ladder:
    """One side with gradients and an update: the bias' gradient is nothing, and Adam makes a
    whole step of it."""

    digested = False

    def __init__(self, memory, gradient, update, moved, *, gradients=True):
        weight = "step 1/train/parameter/w"
        self.stages = {
            "gradients": memory(
                {"train/w": np.ones(3), "train/bias": np.full(3, gradient)} if gradients else {},
                {"train/bias": 3e-17},
            ),
            "update": memory(
                {weight: np.ones(3), BIAS: np.full(3, update)},
                {BIAS: moved},
                {weight: 1e-3, BIAS: 1e-3},
            ),
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
    sides = [
        Ladder(memory, gradient, update, 1e-3)
        for gradient, update in ((1e-17, 1e-3), (-2e-17, -1e-3))
    ]
    assert {"train/bias"} == null_tensors(*sides, "gradients")
    found = judge_stage(*sides, "update", "fp64")
    assert ("PASS", (BIAS,)) == (found.verdict, found.null)


@pytest.mark.parametrize("gradient", [1e-17, 0.5])
def test_without_a_gradient_that_is_zero_an_update_is_not(memory, gradient):
    """Where no gradient is shown, or a real one, the same update is undecided: it is never left
    out of a first step."""
    sides = [
        Ladder(memory, gradient, update, 1e-3, gradients=gradient > 0.1) for update in (1e-3, -1e-3)
    ]
    found = judge_stage(*sides, "update", "fp64")
    assert "INCONCLUSIVE" == found.verdict and () == found.null


def test_a_zero_that_nothing_moves_agrees(memory):
    """An activation of zeros on both sides is agreement; noise beside values of one is zero."""
    zeros = memory({"x": np.ones(3), "zero": np.zeros(3)})
    assert ((), 2) == ((found := judge_stage(zeros, zeros, "forward", "fp64")).null, found.decided)
    a, b = (
        memory({"x": np.ones(3), "noise": np.full(3, value)}, {"noise": 2e-17})
        for value in (1e-17, -1e-17)
    )
    assert ("noise",) == judge_stage(a, b, "forward", "fp64").null


class Varied:
    """One side whose tensors move under each kind of variation by what is given."""

    digested = False

    def __init__(self, tensors, moves):
        self.tensors, self.moves = tensors, moves

    def entries(self, stage):
        return [
            TensorEntry(stage, name, value.shape, "float64", 0.0, float(np.abs(value).max()))
            for name, value in self.tensors.items()
        ]

    def read(self, stage, name):
        return self.tensors[name]

    def noise(self, stage, name):
        return {
            kind: [moved]
            for kind, moved in {
                "ulp": 1e-16,
                "weights": 1e-16,
                "reorder": 1e-16,
                **self.moves.get(name, {}),
            }.items()
        }


@pytest.mark.parametrize(("weights", "null"), [(5e-10, ("c",)), (1e-25, ())])
def test_a_small_tie_beside_something_large_is_not_zero(weights, null):
    """Noise is another one whatever moves; on a tie only the variation that breaks it moves
    anything."""
    moves = {"c": {"ulp": 5e-10, "weights": weights, "reorder": 0.0}}
    a, b = (
        Varied({"w": np.ones(3), "c": np.array(value)}, moves)
        for value in ([-5e-10, 0.0, 0.0], [-1e-10, -1e-10, -1e-10])
    )
    found = judge_stage(a, b, "gradients", "fp64")
    assert null == found.null and ("PASS" if null else "FAIL") == found.verdict


def test_a_filler_makes_nothing_of_the_rest_of_a_forward_pass():
    """A mask's filler is as large as the dtype holds; what is generated is never left out."""
    filled = {"scores": np.full(3, -1e308), "x": np.ones(3), "generate": np.full(3, 1e-20)}
    a, b = (
        Varied({**filled, "bucket": np.array(value)}, {"bucket": {"ulp": 1.0}})
        for value in ([1.0, 0.0], [0.0, 1.0])
    )
    found = judge_stage(a, b, "forward", "fp64")
    assert ("FAIL", "bucket", ()) == (found.verdict, found.worst.name, found.null)


def test_what_was_zero_is_held_to_its_rounding_when_it_is_something(memory):
    """A loss that is nothing in the first step is not beyond the horizon in the second."""

    def side(first, second):
        names = {
            "step 1/loss/kl": first,
            "step 1/loss/total": 1.0,
            "step 2/loss/kl": second,
            "step 2/loss/total": 1.0,
        }
        return memory(
            {name: np.array(value) for name, value in names.items()}, {"step 1/loss/kl": 2e-17}
        )

    assert (
        "PASS" == judge_stage(side(1e-17, 3e-3), side(-1e-17, 3e-3), "trajectory", "fp64").verdict
    )
    found = judge_stage(side(1e-17, 3e-3), side(-1e-17, 6e-3), "trajectory", "fp64")
    assert ("FAIL", "step 2/loss/kl", ("step 1/loss/kl",)) == (
        found.verdict,
        found.worst.name,
        found.null,
    )
