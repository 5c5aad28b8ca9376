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
        assert {"torch": {name: WHOLE[name]}} == known_differences.accepted(surveys, [name])


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
