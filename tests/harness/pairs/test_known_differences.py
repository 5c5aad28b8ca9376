"""Which known differences are there, and what torch's side has to know of them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from backends.survey import Layer, OptimizerSurvey, Survey
from harness.fidelity import float32
from harness.pairs import known_differences
from harness.pairs.known_differences import KNOWN, NAMES
from tests.harness.pairs.scenes import piece, survey


def numbers(**words: Any) -> dict[str, Any]:
    """Hyper-parameters and the like of an optimizer."""
    return words


#: By difference: (kind, Keras' words, torch's words, slots of each, whether it is there).
KINDS = [
    ("adam-epsilon-place", "adamw", numbers(epsilon_place="hat"), "corrected", True),
    ("rmsprop-epsilon-place", "rmsprop", numbers(epsilon_place="inside"), "outside", True),
    ("rmsprop-epsilon-place", "rmsprop", numbers(epsilon_place="outside"), "outside", False),
    ("rmsprop-first-square", "rmsprop", numbers(first_square=1.0), "outside", True),
    ("rmsprop-first-square", "rmsprop", numbers(), "outside", False),
    ("adagrad-epsilon-place", "adagrad", numbers(epsilon_place="inside"), "outside", True),
    ("adagrad-epsilon-place", "adagrad", numbers(epsilon_place="nowhere"), "outside", False),
    ("adamax-epsilon-place", "adamax", numbers(epsilon_place="outside"), "each", True),
    ("epsilon-value", "rmsprop", numbers(epsilon=1e-8), "outside", False),
    ("epsilon-value", "rmsprop", numbers(epsilon=1e-7), "outside", True),
    ("epsilon-value", "adagrad", numbers(epsilon_place="nowhere"), "outside", True),
    ("adam-epsilon-value", "rmsprop", numbers(epsilon=1e-7), "outside", False),
    ("epsilon-value", "rmsprop", numbers(epsilon=1.0), "outside", False),
    ("adam-epsilon-value", "adam", numbers(epsilon=1e-7), "corrected", True),
    ("adam-epsilon-value", "adam", numbers(epsilon=1e-3), "corrected", False),
    ("nadam-schedule", "nadam", numbers(momentum_decay=1.0), "corrected", True),
    ("nadam-schedule", "nadam", numbers(momentum_decay=0.004), "corrected", False),
]


def optimized(framework: str, optimizer: OptimizerSurvey) -> Survey:
    """A side with nothing but an optimizer."""
    return dataclasses.replace(survey((), (), optimizers=(optimizer,)), framework=framework)


@pytest.mark.parametrize(("name", "kind", "theirs", "place", "there"), KINDS)
def test_optimizers(name: str, kind: str, theirs: dict[str, Any], place: str, there: bool):
    mine = numbers(epsilon=known_differences.OWN_EPSILONS[kind], epsilon_place=place)
    if kind == "nadam":
        mine["momentum_decay"] = 0.004
    a = optimized("keras 3.15.0", OptimizerSurvey("", kind.title(), kind, theirs))
    b = optimized("torch 2.13.0", OptimizerSurvey("", kind.title(), kind, mine))
    plans = known_differences.accepted({"a": a, "b": b}, [name])
    assert there == bool(plans["b"])


@pytest.mark.parametrize("own", [1e-3, [1e-8, 1e-2]])
def test_an_epsilon_that_somebody_wrote_is_no_known_difference(own: Any):
    """Nor one for each group: it would hide a wrong one."""
    theirs = OptimizerSurvey("", "Adam", "adam", numbers(epsilon=1e-7))
    mine = OptimizerSurvey("", "Adam", "adam", numbers(epsilon=own))
    surveys = {"a": optimized("keras 3.15.0", theirs), "b": optimized("torch 2.13.0", mine)}
    assert {"b": {}} == known_differences.accepted(surveys, ["adam-epsilon-value"])


@pytest.mark.parametrize(("other", "there"), [(1e-7, ["d", "g"]), (1e-3, [])])
def test_of_more_optimizers_than_torch_has_only_what_all_have_is_known(
    other: float, there: list[str]
):
    """Which does the work of which nobody knows."""
    theirs = [
        OptimizerSurvey(name, "Adam", "adam", numbers(epsilon=value))
        for name, value in (("x", 1e-7), ("y", other), ("z", 1e-7))
    ]
    mine = [OptimizerSurvey(name, "Adam", "adam", numbers(epsilon=1e-8)) for name in ("d", "g")]
    a, b = (survey((), (), optimizers=tuple(items)) for items in (theirs, mine))
    surveys = {
        "a": dataclasses.replace(a, framework="keras 3.15.0"),
        "b": dataclasses.replace(b, framework="torch 2.13.0"),
    }
    plans = known_differences.accepted(surveys, ["adam-epsilon-value"])
    assert there == sorted(plans["b"].get("adam-epsilon-value", {}))


def test_a_schedule_of_nadam_that_somebody_wrote_is_no_known_difference():
    """It is torch's own that is known."""
    keras_ = OptimizerSurvey("", "Nadam", "nadam", numbers(momentum_decay=1.0))
    own = OptimizerSurvey("", "NAdam", "nadam", numbers(momentum_decay=0.04))
    surveys = {"a": optimized("keras 3.15.0", keras_), "b": optimized("torch 2.13.0", own)}
    assert {"b": {}} == known_differences.accepted(surveys, ["nadam-schedule"])


@pytest.mark.parametrize("rates", [{"0": 0.1, "10": 0.1}, {"0": 0.1, "10": 0.2}])
def test_momentum_with_a_rate_that_changes(rates: dict[str, float]):
    a = OptimizerSurvey("", "SGD", "sgd", {}, rates, ("velocity",))
    b = OptimizerSurvey("", "SGD", "sgd", {}, rates, ("momentum",))
    surveys = {"a": optimized("keras 3.15.0", a), "b": optimized("torch 2.13.0", b)}
    plans = known_differences.accepted(surveys, ["momentum-rate"])
    assert bool(plans["b"]) == (len({*rates.values()}) > 1)


@pytest.mark.parametrize(
    ("words", "there"),
    [({"clip_global_norm": 1.0}, True), ({"clip_norm": 1.0}, True), ({"clip_value": 1.0}, False)],
)
def test_clipping(words: dict[str, float], there: bool):
    a = OptimizerSurvey("", "SGD", "sgd", words)
    surveys = {"a": optimized("keras 3.15.0", a), "b": optimized("torch 2.13.0", a)}
    plans = known_differences.accepted(surveys, ["clip-norm-epsilon"])
    assert bool(plans["b"]) == there


@pytest.mark.parametrize(
    ("theirs", "mine", "there"),
    [
        (2.0**15, 2.0**16, {"": 2.0**15}),
        (2.0**15, 2.0**12, {}),
        (2.0**10, 2.0**16, {}),
        (None, 2.0**16, {}),
    ],
)
def test_a_loss_scale_that_somebody_wrote_is_no_known_difference(
    theirs: float | None, mine: float, there: dict[str, float]
):
    a = OptimizerSurvey("", "SGD", "sgd", {} if theirs is None else {"loss_scale": theirs})
    b = OptimizerSurvey("", "SGD", "sgd", {"loss_scale": mine})
    surveys = {"a": optimized("keras 3.15.0", a), "b": optimized("torch 2.13.0", b)}
    plans = known_differences.accepted(surveys, ["loss-scale-start"])
    assert there == plans["b"].get("loss-scale-start", {})


def keras(**more: Any) -> Survey:
    """A side of Keras with all that differs."""
    adam = OptimizerSurvey("", "Adam", "adam", {"epsilon": 1e-7, "epsilon_place": "hat"})
    held = survey(
        (piece("encoder", "bias", (8,)),),
        (
            Layer(
                "norm", "batch_norm", "BatchNormalization", attributes={"unbiased_variance": False}
            ),
        ),
        optimizers=(adam,),
    )
    return dataclasses.replace(held, framework="keras 3.15.0", **more)


def torch(**more: Any) -> Survey:
    """The port."""
    adam = OptimizerSurvey("own", "Adam", "adam", {"epsilon": 1e-8, "epsilon_place": "corrected"})
    held = survey(
        (piece("encoder", "bias", (8,), sources=("ih", "hh")),),
        (Layer("bn", "batch_norm", "BatchNorm1d", attributes={"unbiased_variance": True}),),
        optimizers=(adam,),
    )
    return dataclasses.replace(held, framework="torch 2.13.0", **more)


WHOLE = {
    "adam-epsilon-place": {"own": 1e-7},
    "adam-epsilon-value": {"own": 1e-7},
    "bn-unbiased-variance": {"bn": True},
    "lstm-two-biases": {"hh": "ih"},
    "float32-constants": {"own": 1e-7},
}


@pytest.mark.parametrize("first", ["tf2", "torch"])
def test_everything_that_differs_is_told_to_torch(first: str):
    """Whichever side is the first; what was not asked for is not."""
    surveys = {"tf2": keras(), "torch": torch()}
    surveys = {first: surveys[first], **surveys}
    assert {"torch": WHOLE} == known_differences.accepted(surveys, NAMES)
    for name in NAMES:
        wanted = {name: WHOLE[name]} if name in WHOLE else {}
        assert {"torch": wanted} == known_differences.accepted(surveys, [name])


def test_what_is_alike_is_no_difference():
    """It is not neutralised, and said so; float32 may show elsewhere."""
    (adam,), (layer,) = torch().optimizers, torch().layers
    alike = torch(
        pieces=(piece("encoder", "bias", (8,), sources=("ih", "hh"), frozen=("hh",)),),
        layers=(dataclasses.replace(layer, attributes={"unbiased_variance": False}),),
        optimizers=(
            dataclasses.replace(adam, hyperparameters=keras().optimizers[0].hyperparameters),
        ),
    )
    plans = known_differences.accepted({"tf2": keras(), "torch": alike}, NAMES)
    assert {"torch": {"float32-constants": {"own": 1e-7}}} == plans
    said = known_differences.unfounded(plans, NAMES)
    assert [f"--accept {name}: these sides do not differ by it" for name in NAMES[:-1]] == said


@pytest.mark.parametrize("label", ["torch", "keras"])
def test_two_sides_of_one_framework_have_none(label: str):
    side = torch() if label == "torch" else keras()
    assert not any(known_differences.accepted({"a": side, "b": side}, NAMES).values())


def test_names():
    """The judge and the pairs mean the same by float32; every one is explained."""
    assert float32.ACCEPTED == NAMES[-1] == known_differences.FLOAT32
    assert all(item.what and item.done for item in KNOWN) and len({*NAMES}) == len(KNOWN)
