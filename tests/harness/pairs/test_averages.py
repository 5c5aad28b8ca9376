"""Averages of weights: what the ports of a pair are told of those that one side keeps."""

from __future__ import annotations

from typing import Any

import pytest

from backends.contract import Stage
from backends.survey import OptimizerSurvey
from tests.harness.pairs.test_inference import pair_of, trained
from tests.harness.pairs.test_optimizer_differences import optimizer
from tests.harness.pairs.test_preflight import said, side


def keeping(piece: str = "", moves: bool = True, **more: Any) -> OptimizerSurvey:
    """An optimizer that keeps the average of a piece, or a copy that is set to the weights."""
    words = {"average_weights": True} if piece and moves else {}
    slots = ("average",) if piece else ()
    kept = (piece,) if piece else ()
    return OptimizerSurvey("", "SGD", "sgd", words, slots=slots, averages=kept, **more)


def plans(a: OptimizerSurvey, b: OptimizerSurvey, **more: Any) -> list[dict[str, Any]]:
    made = pair_of(trained("x", optimizers=(a,)), trained("u", optimizers=(b,), **more))
    return [*made.plans().values()]


@pytest.mark.parametrize(
    ("a", "b", "shown"),
    [
        (keeping("x/kernel"), keeping("u/kernel"), [True, True]),
        (keeping("x/kernel"), keeping(), [True, False]),
        (keeping(), keeping("u/kernel"), [False, True]),
        (keeping("x/kernel", moves=False), keeping(), [False, False]),
        (keeping("x/kernel", moves=False), keeping("u/kernel"), [True, True]),
    ],
)
def test_a_side_shows_its_average_whether_the_other_has_one_or_not(
    a: OptimizerSurvey, b: OptimizerSurvey, shown: list[bool]
):
    """Unlike any other slot. A copy that is set to the weights is shown where both have a slot."""
    told = plans(a, b)
    assert shown == [plan["slots"] == {"sgd": ["average"]} for plan in told]
    kept = [["x/kernel"] if item.averages else [] for item in (a, b)]
    assert kept == [plan["averages"] for plan in told]


def test_a_side_shows_it_where_the_other_has_more_optimizers():
    two = tuple(OptimizerSurvey(name, "SGD", "sgd") for name in ("d", "g"))
    made = pair_of(
        trained("x", optimizers=two), trained("u", optimizers=(keeping("u/kernel"),))
    ).plans()
    assert {"d": ["average"], "g": ["average"]} == made["b0"]["slots"]
    assert {"d": [], "g": []} == made["a"]["slots"]


def test_parameters_that_belong_to_nothing_and_stay_may_be_an_average():
    """A model that is an average of the other one, declared on one side alone; one that is trained
    is none."""
    kept = trained("x", "ema", gradients=("x/kernel",))
    trains = trained("x", "more", gradients=("x/kernel", "more/kernel"))
    other = trained("u", gradients=("u/kernel",))
    (told,) = pair_of(kept, other).plans()["a"]["unseen_averages"]
    assert "(ema/kernel first)" in told and "declare it there, too" in told
    assert [] == pair_of(trains, other).plans()["a"]["unseen_averages"]
    (told,) = pair_of(other, kept).plans()["b0"]["unseen_averages"]
    assert "(ema/kernel first)" in told


def test_what_an_adapter_has_seen_is_passed_on():
    more = {"hidden_averages": ("an array moves",), "unseen_averages": ("an array",)}
    told = plans(keeping("x/kernel"), keeping(), **more)[1]
    assert (["an array moves"], ["an array"]) == (told["hidden_averages"], told["unseen_averages"])


def test_it_is_told_that_the_update_shows_it():
    averaged = side(optimizers=optimizer(average_weights=True))
    ((_, what, ours, theirs, stage),) = said(side(optimizers=optimizer()), averaged)
    assert ("average_weights", "none", "yes", Stage.UPDATE) == (what, ours, theirs, stage)
