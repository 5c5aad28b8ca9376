"""Averages of the weights that one side keeps: a FAIL where the other keeps none."""

from __future__ import annotations

import dataclasses

import pytest

from backends.contract import Stage
from harness.fidelity.averages import decided, one_sided, shared
from harness.fidelity.declarations import Declarations
from harness.fidelity.verdict import StageVerdict, TensorVerdict
from harness.results.verdicts import Fidelity

MEAN, OTHER = "step 1/train/slot/sgd/w/average", "step 1/train/slot/sgd/b/average"
MOMENTUM = "step 1/train/slot/sgd/w/momentum"
AGREES = TensorVerdict("step 1/train/parameter/w", Fidelity.PASS, "agrees", error=0.0)
NONE: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Entry:
    """What is asked of an entry here."""

    name: str


@dataclasses.dataclass(frozen=True)
class Side:
    """Tensors of every stage."""

    names: tuple[str, ...]
    digested: bool = False

    def entries(self, stage):
        return [Entry(name) for name in self.names]


def judged(stage=Stage.UPDATE, verdict=Fidelity.PASS):
    return StageVerdict(stage, verdict, "as it is", AGREES, (AGREES,))


def sides(**declared):
    """Declarations of two sides: `a` and `b` by name."""
    return {
        label: Declarations(**declared.get(side, {}))
        for label, side in (("tf2", "a"), ("torch", "b"))
    }


def test_what_one_side_alone_shows():
    """Averages, in updates and trajectories: a momentum is judged as any tensor is."""
    a, b = Side((MEAN, OTHER, MOMENTUM)), Side((OTHER,))
    assert ((MEAN,), ()) == one_sided(a, b, Stage.UPDATE) == one_sided(a, b, Stage.TRAJECTORY)
    assert ((), (MEAN,)) == one_sided(b, a, Stage.UPDATE)
    assert ((), ()) == one_sided(a, b, Stage.FORWARD)
    left, right = shared(a, b, Stage.UPDATE, ((MEAN,), ()))
    assert [OTHER, MOMENTUM] == [entry.name for entry in left.entries(Stage.UPDATE)]
    assert [OTHER] == [entry.name for entry in right.entries(Stage.UPDATE)]
    assert (a, b) == shared(a, b, Stage.UPDATE, ((), ()))


@pytest.mark.parametrize(("alone", "owner", "other"), [(0, "tf2", "torch"), (1, "torch", "tf2")])
def test_an_average_of_one_side_is_a_difference(alone, owner, other):
    names = (MEAN, OTHER)
    found = decided(judged(), (NONE, names) if alone else (names, NONE), sides())
    assert Fidelity.FAIL == found.verdict and found.worst
    assert MEAN == found.worst.name
    expected = (
        f"only {owner} keeps an average of the weights (sgd/w and 1 more), {other} keeps none"
    )
    assert expected == found.reason
    assert (AGREES, found.worst) == found.tensors


@pytest.mark.parametrize("word", ["hidden_averages", "unseen_averages"])
def test_where_the_other_side_may_keep_one_nothing_is_decided(word):
    found = decided(judged(), ((MEAN,), NONE), sides(b={word: ("an array moves",)}))
    assert Fidelity.INCONCLUSIVE == found.verdict
    assert "only tf2 keeps an average of the weights (sgd/w)" in found.reason
    assert "whether torch keeps one, too, cannot be told: an array moves" in found.reason
    # What the side with the average may keep beside it says nothing about the other.
    own = decided(judged(), ((MEAN,), NONE), sides(a={"unseen_averages": ("an array",)}))
    assert Fidelity.FAIL == own.verdict


def test_what_departs_first_still_names_the_stage():
    failed = judged(verdict=Fidelity.FAIL)
    found = decided(failed, ((MEAN,), NONE), sides())
    assert (Fidelity.FAIL, AGREES) == (found.verdict, found.worst)
    assert found.reason.startswith("as it is; only tf2 keeps")
    unsure = decided(failed, ((MEAN,), NONE), sides(b={"unseen_averages": ("an array",)}))
    assert Fidelity.FAIL == unsure.verdict


def test_a_trajectory_has_no_bad_step_for_it():
    """It is the update that shows it; a trajectory by itself is not decided."""
    found = decided(judged(Stage.TRAJECTORY), ((MEAN,), NONE), sides())
    assert Fidelity.INCONCLUSIVE == found.verdict and "the update tells" in found.reason


def test_an_average_that_nobody_compares_passes_nowhere():
    found = decided(judged(), (NONE, NONE), sides(b={"hidden_averages": ("an array moves",)}))
    assert Fidelity.INCONCLUSIVE == found.verdict
    assert "torch keeps an average that is not compared: an array moves" == found.reason


def test_all_else_stays_as_it_is():
    assert judged() == decided(judged(), (NONE, NONE), sides())
    may = sides(b={"unseen_averages": ("an array",)})
    assert judged() == decided(judged(), (NONE, NONE), may)
    forward = judged(Stage.FORWARD)
    hidden = sides(a={"hidden_averages": ("an array moves",)})
    assert forward == decided(forward, (NONE, NONE), hidden)
