"""Which activation is which, and in which order its axes are."""

from __future__ import annotations

import dataclasses

import pytest

from backends.survey import Layer, Survey
from harness.pairs import taps
from harness.pairs.taps import TapPair
from tests.harness.pairs.scenes import survey

FLAT, IMAGE, FIRST = (2, 6), (2, 4, 5, 6), (2, 6, 4, 5)


def layer(name: str, kind: str, shape: tuple[int, ...] = FLAT, **more: object) -> Layer:
    return dataclasses.replace(Layer(name, kind, "T", outputs=(shape,)), **more)


def side(*layers: Layer) -> Survey:
    return survey((), layers)


def by_rule(a: Survey, b: Survey, *anchors: tuple[str, str]) -> list[tuple[str, str]]:
    return [(tap.a, tap.b) for tap in taps.by_rule(a, b, anchors)]


def test_kinds_and_order():
    """Layers without parameters belong together by kind, in order, between those that have some."""
    a = side(
        layer("d1", "dense"),
        layer("r", "activation"),
        layer("drop", "dropout"),
        layer("d2", "dense"),
    )
    b = side(
        layer("f1", "dense"),
        layer("act", "activation"),
        layer("f2", "dense"),
        layer("late", "dropout"),
    )
    anchors = ("d1", "f1"), ("d2", "f2")
    assert [("d1", "f1"), ("r", "act"), ("d2", "f2")] == by_rule(a, b, *anchors)


def test_parameters_outweigh_everything():
    """Layers whose parameters belong together do, whatever their kinds are; no other layer is laid
    beside either of them."""
    a = side(layer("x", "other"), layer("y", "dense"))
    b = side(layer("u", "dense"), layer("v", "dense"))
    assert [("x", "u"), ("y", "v")] == by_rule(a, b, ("x", "u"))
    assert [("x", "v")] == by_rule(a, b, ("x", "v"))


@pytest.mark.parametrize("kind", ["container", "other"])
def test_what_has_no_word_is_not_guessed(kind: str):
    """Nobody knows what it returns."""
    assert [] == by_rule(side(layer("x", kind)), side(layer("x", kind)))


def test_another_shape_is_no_mate():
    """A layer of the same kind that returns something else, or nothing."""
    assert [] == by_rule(side(layer("x", "merge")), side(layer("y", "merge", (2, 7))))
    assert [] == by_rule(side(layer("x", "merge")), side(layer("y", "merge", outputs=())))


RELU = {"activation": "relu"}


@pytest.mark.parametrize("inside_first", [True, False])
def test_an_activation_inside_of_a_layer_is_beside_the_one_behind(inside_first: bool):
    """One framework shows the layer after its activation, the other before it."""
    inside = side(layer("d", "dense", attributes=RELU), layer("e", "dense"))
    behind = side(layer("f", "dense"), layer("act", "activation"), layer("g", "dense"))
    if inside_first:
        assert [("d", "act"), ("e", "g")] == by_rule(inside, behind, ("d", "f"), ("e", "g"))
    else:
        assert [("act", "d"), ("g", "e")] == by_rule(behind, inside, ("f", "d"), ("g", "e"))


def test_an_activation_that_is_nowhere_to_be_seen():
    """A function behind the layer of one side: there is nothing to lay beside it, and the layer
    itself would be another thing."""
    a = side(layer("d", "dense", attributes=RELU), layer("e", "dense"))
    b = side(layer("f", "dense"), layer("g", "dense"))
    assert [("e", "g")] == by_rule(a, b, ("d", "f"), ("e", "g"))
    linear = side(layer("d", "dense", attributes={"activation": "linear"}), layer("e", "dense"))
    assert [("d", "f"), ("e", "g")] == by_rule(linear, b, ("d", "f"), ("e", "g"))


def test_a_layer_is_laid_beside_one_alone():
    """However many want it."""
    a = side(layer("d", "dense", attributes=RELU), layer("r", "activation"))
    b = side(layer("f", "dense"), layer("act", "activation"))
    pairs = by_rule(a, b, ("d", "f"))
    assert len({other for _, other in pairs}) == len(pairs) == 1


def test_axes_that_layers_know():
    """Channels first on one side; canonical are those of the last axis."""
    first = layer("c", "conv", FIRST, axes=(0, 2, 3, 1))
    last = layer("c", "conv", IMAGE)
    assert TapPair("c", "c", "c", None, (0, 2, 3, 1)) == taps.paired(last, first)
    assert TapPair("c", "c", "c", (0, 2, 3, 1), None) == taps.paired(first, last)
    assert TapPair("c", "c", "c", (0, 2, 3, 1), (0, 2, 3, 1)) == taps.paired(first, first)


def test_axes_that_shapes_ask_for():
    """A layer that does not know its own is turned so that it fits; one of another number of axes
    is left as it is."""
    last, first = layer("r", "activation", IMAGE), layer("r", "activation", FIRST)
    assert (0, 2, 3, 1) == taps.paired(last, first).axes_b
    assert taps.paired(last, layer("r", "activation", (2, 120))).axes_b is None
    odd = layer("r", "activation", FLAT, axes=(0, 2, 3, 1))
    assert (None, None) == (taps.paired(odd, odd).axes_a, taps.paired(odd, odd).axes_b)


@pytest.mark.parametrize(
    ("own", "wanted", "best", "count"),
    [
        ((2, 3), (2, 3), (0, 1), 1),
        ((2, 6, 4, 5), (2, 4, 5, 6), (0, 2, 3, 1), 1),
        ((7, 2, 6), (2, 7, 6), (1, 0, 2), 1),
        ((3, 3), (3, 3), (0, 1), 2),
        ((2, 3, 3, 3), (2, 3, 3, 3), (0, 1, 2, 3), 6),
        ((2, 4, 4, 3), (2, 3, 4, 4), (0, 3, 1, 2), 2),
        ((), (), (), 1),
        ((5,), (5,), (0,), 1),
    ],
)
def test_orders(own: tuple[int, ...], wanted: tuple[int, ...], best: tuple[int, ...], count: int):
    """All orders that fit, the likeliest first, none twice."""
    orders = taps.orders_of(own, wanted)
    assert (best, count) == (orders[0], len(orders)) and len({*orders}) == count
    for axes in orders:
        assert wanted == tuple(own[axis] for axis in axes)


@pytest.mark.parametrize(
    ("own", "wanted"), [((2, 3), (2, 4)), ((2, 3), (2, 3, 1)), ((2,) * 6, (2,) * 6)]
)
def test_what_has_no_order(own: tuple[int, ...], wanted: tuple[int, ...]):
    """Another shape; too many axes to try."""
    assert [] == taps.orders_of(own, wanted)


@pytest.mark.parametrize(("first", "second"), [("all", "one"), ("one", "all")])
def test_all_outputs_of_a_recurrent_layer_beside_its_last_one(first: str, second: str):
    """The one that shows its last output apart is compared by that."""
    sides = {
        "one": side(layer("r", "lstm"), layer("d", "dense")),
        "all": side(layer("r", "lstm", (2, 7, 6)), layer("r/last", "other"), layer("d", "dense")),
    }
    shown = taps.by_rule(sides[first], sides[second], [("r", "r"), ("d", "d")])
    names = {"one": "r", "all": "r/last"}
    assert [("r", names[first], names[second]), ("d", "d", "d")] == [
        (tap.name, tap.a, tap.b) for tap in shown
    ]


def test_a_last_output_of_another_shape_is_not_taken():
    """A layer of another width, or whose last output is not shown."""
    wide = side(layer("r", "lstm", (2, 7, 8)), layer("r/last", "other", (2, 8)))
    assert [] == by_rule(side(layer("r", "lstm")), wide, ("r", "r"))
    assert [] == by_rule(side(layer("r", "lstm")), side(layer("r", "lstm", (2, 7, 6))), ("r", "r"))


def test_branches_that_run_in_another_order_are_laid_beside_each_other():
    """What parameters tie together is compared, whichever branch a side computes first."""
    a = side(layer("x", "dense"), layer("y", "dense"), layer("out", "dense"))
    b = side(layer("u", "dense"), layer("v", "dense"), layer("out", "dense"))
    anchors = ("x", "v"), ("y", "u"), ("out", "out")
    assert [("x", "v"), ("y", "u"), ("out", "out")] == by_rule(a, b, *anchors)


def test_a_stack_that_is_one_layer_gives_what_its_last_floor_gives():
    """Each floor's parameters belong to a layer of their own on the other side."""
    states = (2, 5, 6)
    a = side(layer("rnn", "lstm", states), layer("out", "dense"))
    b = side(layer("lower", "lstm", states), layer("upper", "lstm", states), layer("out", "dense"))
    anchors = ("rnn", "lower"), ("rnn", "upper"), ("out", "out")
    assert [("rnn", "upper"), ("out", "out")] == by_rule(a, b, *anchors)


def test_a_cell_that_is_called_step_by_step_gives_no_last_output_at_its_first_call():
    """Beside a layer that shows its last output apart."""
    a = side(layer("rnn", "lstm", (2, 5, 6)), layer("rnn/last", "other", FLAT))
    for calls, expected in ((1, [("rnn/last", "cell")]), (5, [])):
        b = side(layer("cell", "lstm", FLAT, calls=calls))
        assert expected == by_rule(a, b, ("rnn", "cell"))
