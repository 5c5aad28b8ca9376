"""How well two layers fit together: what is computed counts for more than any name."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from backends.survey import Layer
from harness.pairs import units
from harness.pairs.units import EXACT, OTHER_SHAPE, PARTIAL, RENAMED, SHAPES, Unit
from tests.harness.pairs.scenes import piece, survey


def unit(layer: str, kind: str, **shapes: tuple[int, ...]) -> Unit:
    return Unit(layer, kind, {role: piece(layer, role, shape) for role, shape in shapes.items()})


DENSE = unit("a", "dense", kernel=(3, 4), bias=(4,))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (unit("b", "dense", kernel=(3, 4), bias=(4,)), EXACT),
        (unit("b", "dense", weight=(4, 3), offset=(1, 4)), RENAMED),
        (unit("b", "other", weight=(4, 3), offset=(4,)), SHAPES),
        (unit("b", "dense", kernel=(3, 4)), PARTIAL),
        (unit("b", "dense", kernel=(3, 5), bias=(5,)), OTHER_SHAPE),
        (unit("b", "dense", kernel=(3, 3, 4), bias=(4,)), 0.0),
        (unit("b", "conv", kernel=(3, 5), bias=(5,)), 0.0),
        (unit("b", "dense", weight=(7, 7)), 0.0),
    ],
)
def test_fit(other: Unit, expected: float):
    """The same, renamed, of another kind, with a piece less, of another shape, nothing alike."""
    assert expected == units.fit(DENSE, other) == units.fit(other, DENSE)


def test_names_never_outweigh_what_is_computed():
    """The worst name of a better fit is above the best name of a worse one."""
    steps = [0.0, OTHER_SHAPE, SHAPES, PARTIAL, RENAMED, EXACT]
    apart = min(high - low for low, high in itertools.pairwise(steps))
    assert units.NAMES < apart
    renamed = dataclasses.replace(DENSE, layer="z")
    assert units.fit(DENSE, DENSE) == EXACT + units.NAMES and units.fit(DENSE, renamed) == EXACT


def test_units_come_in_the_order_in_which_they_run():
    """Not in that of their parameters; what never ran comes last, as of no known kind."""
    pieces = [piece(name, "kernel", (2, 2)) for name in ("never", "second", "first")]
    layers = [Layer("first", "dense", "D"), Layer("second", "conv", "C")]
    listed = [(item.layer, item.kind) for item in units.units(survey(pieces, layers))]
    assert [("first", "dense"), ("second", "conv"), ("never", "other")] == listed


@pytest.mark.parametrize(
    ("a", "b", "with_numbers", "words"),
    [
        ("encoder/dense_1", "encoder.dense.1", 1.0, 1.0),
        ("fc1", "dense_1", 1 / 3, 0.0),
        ("selfAttention/query", "self_attention.query", 1.0, 1.0),
        ("block/q_proj", "block.query_proj", 1 / 2, 1.0),
        ("wk", "key", 0.0, 1.0),
        ("key", "query", 0.0, 0.0),
        ("layer_1", "layers.2", 0.0, 0.0),
        ("", "", 0.0, 0.0),
    ],
)
def test_likeness(a: str, b: str, with_numbers: float, words: float):
    """Words of both paths; numbers count only where nothing is forbidden because of them."""
    assert with_numbers == pytest.approx(units.likeness(a, b))
    assert words == pytest.approx(units.namesakes(a, b))


def test_plain_shapes():
    """What a transpose and axes of one leave as it is."""
    assert units.plain((1, 4, 3)) == units.plain((3, 4)) != units.plain((4, 4))


def test_floors_of_a_stack_are_units_of_their_own():
    """As layers of their own are on the other side, roles and all."""
    layers = (Layer("rnn", "lstm", "LSTM"), Layer("out", "dense", "Linear"))
    held = [
        piece("rnn", f"layer{floor}/{role}", (8,))
        for floor in (0, 1)
        for role in ("kernel", "bias")
    ]
    found = units.units(survey([*held, piece("out", "kernel", (4, 1))], layers))
    assert [("rnn", "layer0"), ("rnn", "layer1"), ("out", "")] == [
        (unit.layer, unit.floor) for unit in found
    ]
    assert {"kernel", "bias"} == {*found[0].pieces} == {*found[1].pieces}
    alone = units.Unit("lower", "lstm", {"kernel": held[0], "bias": held[1]})
    assert units.EXACT <= units.fit(found[0], alone)


def test_a_second_table_of_an_embedding_is_a_layer_of_its_own():
    """As the one behind the model that the other side has: Keras' `ReversibleEmbedding`."""
    held = [piece("words", "embeddings", (9, 4)), piece("words", "reverse/kernel", (4, 9))]
    table, back = units.units(survey(held, [Layer("words", "embedding", "E")]))
    assert ("words", "embedding", {"embeddings": (9, 4)}) == (table.layer, table.kind, table.shapes)
    assert ("words/reverse", "dense", {"kernel": (4, 9)}) == (back.layer, back.kind, back.shapes)
