"""The optimizers of both sides: what is read back and is not the same."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from backends.contract import Stage
from backends.survey import OptimizerSurvey
from harness.pairs.attribute_differences import NONE
from tests.harness.pairs.test_preflight import said, side

ADAM: dict[str, Any] = {"learning_rate": 0.1, "beta1": 0.9, "epsilon": 1e-7, "weight_decay": 0.0}


def optimizer(
    kind: str = "adam", rates: dict[str, float] | None = None, **hyper: Any
) -> tuple[OptimizerSurvey, ...]:
    return (
        OptimizerSurvey("", kind.title(), kind, {**ADAM, **hyper}, rates or {"0": 0.1, "10": 0.1}),
    )


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (optimizer(weight_decay=0), []),
        (optimizer(learning_rate=5.0), []),
        (optimizer(epsilon=1e-8), [("optimizer adam", "epsilon", "1e-07", "1e-08", Stage.UPDATE)]),
        (
            optimizer(weight_decay=0.01),
            [("optimizer adam", "weight_decay", NONE, "0.01", Stage.UPDATE)],
        ),
        (optimizer(amsgrad=True), [("optimizer adam", "amsgrad", NONE, "yes", Stage.UPDATE)]),
        (optimizer("adamw"), [("optimizer adam", "kind", "Adam", "Adamw", Stage.UPDATE)]),
        (
            optimizer(rates={"0": 0.2, "10": 0.2}),
            [
                ("optimizer adam", "learning rate at update 0", "0.1", "0.2", Stage.UPDATE),
                ("optimizer adam", "learning rate at update 10", "0.1", "0.2", Stage.TRAJECTORY),
            ],
        ),
        (
            optimizer(rates={"0": 0.1, "10": 0.05}),
            [("optimizer adam", "learning rate at update 10", "0.1", "0.05", Stage.TRAJECTORY)],
        ),
        ((), [("optimizers", "number", "1", "0", Stage.UPDATE)]),
        (optimizer() * 2, [("optimizers", "number", "1", "2", None)]),
    ],
)
def test_optimizers(other: tuple[OptimizerSurvey, ...], expected: list[Any]):
    """Hyper-parameters that do something, rates in effect, kinds, and how many there are."""
    assert expected == said(side(optimizers=optimizer()), side(optimizers=other))


FALLING = {"0": 0.1, "10": 0.05}


@pytest.mark.parametrize(
    ("slots", "rates", "expected"),
    [
        (("momentum", "velocity"), FALLING, ["gradients", "updates"]),
        (("velocity", "momentum"), FALLING, ["updates", "gradients"]),
        (("velocity", "momentum"), None, []),
        (("momentum", "momentum"), FALLING, []),
    ],
)
def test_what_momentum_adds_up(
    slots: tuple[str, str], rates: dict[str, float] | None, expected: list[str]
):
    """It is the same as long as the rate is."""
    a, b = (
        side(optimizers=(dataclasses.replace(optimizer("sgd", rates)[0], slots=(slot,)),))
        for slot in slots
    )
    rows = [row for row in said(a, b) if row[1] == "what momentum adds up"]
    assert expected == [word for row in rows for word in row[2:4]]


def test_a_schedule_is_told_by_its_rates_where_only_one_side_has_a_word_for_it():
    cosine, linear = (optimizer(schedule=word) for word in ("cosine_decay", "linear"))
    assert [] == said(side(optimizers=cosine), side(optimizers=optimizer()))
    assert 1 == len(said(side(optimizers=cosine), side(optimizers=linear)))


def test_optimizers_of_the_same_names_are_laid_beside_each_other_in_any_order():
    """Each by its name; where the names are others, by place."""
    (fast,), (slow,) = optimizer(rates={"0": 0.5}), optimizer(rates={"0": 0.25})
    d, g = dataclasses.replace(fast, name="d"), dataclasses.replace(slow, name="g")
    own = side(optimizers=(d, g))
    assert [] == said(own, side(optimizers=(g, d)))
    other = dataclasses.replace(slow, name="critic"), dataclasses.replace(fast, name="maker")
    told = [row[0] for row in said(own, side(optimizers=other))]
    assert ["optimizer d", "optimizer g"] == told


def test_what_a_step_may_do_itself_is_told_where_both_sides_have_a_word_for_it():
    kept, other = optimizer(average_momentum=0.9), optimizer(average_momentum=0.99)
    assert [] == said(side(optimizers=kept), side(optimizers=optimizer()))
    assert 1 == len(said(side(optimizers=kept), side(optimizers=other)))


@pytest.mark.parametrize(
    ("word", "value", "stage"),
    [
        ("loss_scale", 2.0**16, Stage.UPDATE),
        ("loss_scale_interval", 1000, Stage.TRAJECTORY),
        ("loss_scale_growth", 1.5, Stage.TRAJECTORY),
        ("loss_scale_backoff", 0.25, Stage.TRAJECTORY),
    ],
)
def test_loss_scales(word: str, value: float, stage: Stage):
    """Each with the stage at which it shows."""
    scale: dict[str, Any] = {
        "loss_scale": 2.0**15,
        "loss_scale_interval": 2000,
        "loss_scale_growth": 2.0,
        "loss_scale_backoff": 0.5,
    }
    a, b = optimizer(**scale), optimizer(**{**scale, word: value})
    assert [] == said(side(optimizers=a), side(optimizers=a))
    ((_, what, *_, shown),) = said(side(optimizers=a), side(optimizers=b))
    assert (word, stage) == (what, shown)
