"""What a tensor of the report is on both sides, and which differences concern it."""

from __future__ import annotations

import pytest

from backends.contract import Stage
from harness.pairs import tensor_owners
from harness.pairs.attribute_differences import AttributeDifference
from harness.pairs.tensor_owners import LAYER, PARAMETER, TENSOR, OwnName, TensorOwner
from tests.harness.pairs import scenes

KERNEL = ("fc1/kernel", "fc1", ("fc1.weight",))


def found(stage: Stage, tensor: str) -> TensorOwner:
    made, _ = scenes.inferred()
    return tensor_owners.owner(made, "plain", "turned", stage, tensor)


@pytest.mark.parametrize(
    ("stage", "tensor"),
    [
        (Stage.WEIGHTS, "hidden/kernel"),
        (Stage.GRADIENTS, "train/hidden/kernel"),
        (Stage.UPDATE, "step 1/train/parameter/hidden/kernel"),
        (Stage.UPDATE, "step 2/train/slot/sgd/hidden/kernel/velocity"),
        (Stage.TRAJECTORY, "step 7/parameter/hidden/kernel"),
    ],
)
def test_a_parameter_has_each_sides_own_name(stage: Stage, tensor: str):
    """At every stage that names it, as a value, a gradient or a slot; with the side's own
    parameters and the layer that owns them."""
    owner = found(stage, tensor)
    assert PARAMETER == owner.kind
    assert OwnName("hidden/kernel", "hidden", ("hidden/kernel:0",)) == owner.a
    assert OwnName(*KERNEL) == owner.b


def test_a_layer_has_each_sides_own_name():
    """In the forward pass, in training and in inference."""
    for mode in ("training", "inference"):
        owner = found(Stage.FORWARD, f"{mode}/classes")
        assert (LAYER, "classes", "fc2") == (owner.kind, owner.a.layer, owner.b.layer)


@pytest.mark.parametrize(
    ("stage", "tensor"),
    [
        (Stage.LOSS, "train/total"),
        (Stage.FORWARD, "training/product"),
        (Stage.WEIGHTS, "my_hidden/kernels"),
        # a name that only ends alike is of another layer
        (Stage.WEIGHTS, "unhidden/kernel"),
    ],
)
def test_what_is_of_no_layer_is_said_to_be_none(stage: Stage, tensor: str):
    """Losses and outputs are called the same on both sides."""
    assert TensorOwner(TENSOR, OwnName(tensor), OwnName(tensor)) == found(stage, tensor)


def row(where: str, stage: Stage | None = Stage.FORWARD) -> AttributeDifference:
    return AttributeDifference(where, "rate", "1", "2", ("plain", "turned"), stage)


@pytest.mark.parametrize(
    ("where", "concerns"),
    [
        ("hidden", True),
        ("hidden/kernel", True),
        ("fc1", True),
        ("hidden_2", False),
        ("classes", False),
        ("optimizer sgd", False),
    ],
)
def test_a_difference_of_the_place_is_told_from_others(where: str, concerns: bool):
    """By the layer's name on either side, whole words only."""
    assert concerns == tensor_owners.of_place(row(where), found(Stage.WEIGHTS, "hidden/kernel"))
    assert not tensor_owners.of_place(row(where), found(Stage.LOSS, "train/total"))


def test_a_trajectory_shows_what_an_update_does():
    """And nothing else shows at another stage."""
    assert tensor_owners.of_stage(row("optimizer", Stage.UPDATE), Stage.TRAJECTORY)
    assert tensor_owners.of_stage(row("norm"), Stage.FORWARD)
    assert not tensor_owners.of_stage(row("norm"), Stage.UPDATE)
    assert not tensor_owners.of_stage(row("norm", None), Stage.FORWARD)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("block/norm", ["block", "norm"]),
        ("block/norm/call 2", ["block", "norm"]),
        ("encoder/last", ["encoder"]),
        ("last", ["last"]),
        ("call me/norm", ["call me", "norm"]),
    ],
)
def test_what_code_does_not_write_is_no_word(path: str, words: list[str]):
    """The number of a call, the last output of a recurrent layer."""
    assert words == tensor_owners.words(path)
