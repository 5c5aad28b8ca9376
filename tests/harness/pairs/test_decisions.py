"""Where order, kinds and shapes leave a choice, data decide; a real mistake of a port is no choice,
whichever choice would hide it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.pairs import decisions, matches, taps
from harness.pairs.agreement import agrees
from harness.pairs.matches import DATA, OPEN, ORDER, USER
from harness.pairs.taps import TapPair
from tests.harness.pairs import scenes
from tests.harness.pairs.scenes import NAMES, ROWS, WIDTH, Model, attention, fused, images, square

SPOKEN = ("dense", "dense_1", "dense_2", "dense_3")
ATTENDED, FLAT, IMAGES = scenes.ATTENDED, scenes.FLAT, scenes.IMAGES


@pytest.mark.parametrize(
    "order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1), (0, 2, 1)]
)
def test_queries_keys_and_values_in_another_order(order: tuple[int, ...]):
    """Three kernels of one shape, computed in another order, under names that say nothing: what
    comes behind them tells which is which, and all agrees."""
    decided = scenes.decide(attention(), attention(SPOKEN, order), ATTENDED)
    expected = {
        f"{name}/{role}": f"{other}/{role}"
        for name, other in zip(NAMES, SPOKEN, strict=True)
        for role in ("kernel", "bias")
    }
    assert ("", expected) == (decided.first_open, scenes.chosen(decided))
    assert {*NAMES} == decided.agreed
    assert {DATA} == {*scenes.ways(decided).values()}
    assert dict(zip(NAMES, SPOKEN, strict=True)) == dict(decided.matched.units)


@pytest.mark.parametrize(
    "order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1), (0, 2, 1)]
)
@pytest.mark.parametrize("prefix", ["", "block.attention."])
def test_names_say_which_is_which(order: tuple[int, ...], prefix: str):
    """With names there is nothing to decide, and one run is enough."""
    other = [f"{prefix}{name}_proj" for name in (*"qkv", "out")]
    decided = scenes.decide(attention(), attention(other, order), ATTENDED)
    assert "" == decided.first_open
    assert [f"{name}/kernel" for name in other] == [
        scenes.chosen(decided)[f"{name}/kernel"] for name in NAMES
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2)])
@pytest.mark.parametrize("names", [NAMES, (*"qkv", "o")])
def test_queries_and_keys_exchanged_in_the_port_stay_a_difference(
    order: tuple[int, ...], names: tuple[str, ...]
):
    """The port multiplies k by q. To exchange their weights would explain it away; the names say
    that this is none of the choices, in whichever order the port computes them."""
    decided = scenes.decide(attention(), attention(names, order, crossed=True), ATTENDED)
    assert "out" == decided.first_open
    assert {
        f"{name}/kernel": f"{other}/kernel" for name, other in zip(NAMES, names, strict=True)
    }.items() <= (scenes.chosen(decided).items())


def test_a_port_that_computes_its_queries_with_the_layer_of_the_keys():
    """The same mistake, written otherwise: by order alone, `key` of the port would be taken for
    `query`, and all would agree."""
    honest = attention()
    wrong = attention(("key", "query", "value", "out"))
    decided = scenes.decide(honest, wrong, ATTENDED)
    assert "out" == decided.first_open
    assert "key/kernel" == scenes.chosen(decided)["key/kernel"]


def test_what_could_as_well_be_another_is_undecided():
    """The names say nothing, and a mistake behind them hides which is which: they agree, and would
    agree the other way round too."""
    wrong = attention(SPOKEN)
    wrong = dataclasses.replace(wrong, run=lambda own, x: bent(attention(SPOKEN).run(own, x)))
    decided = scenes.decide(attention(), wrong, ATTENDED)
    assert ("out", {OPEN}) == (decided.first_open, {*scenes.ways(decided).values()})
    assert {"query", "key", "value"} == decided.agreed


def bent(shown: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A last layer with a mistake."""
    *_, last = shown
    return {**shown, last: np.maximum(shown[last], 0)}


@pytest.mark.parametrize(
    "order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1), (0, 2, 1)]
)
def test_a_fused_kernel_is_cut_in_the_order_that_data_say(order: tuple[int, ...]):
    """Three layers of one side are one of the other's, its parts in an order of its own."""
    decided = scenes.decide(attention(), fused(order), ATTENDED)
    assert "" == decided.first_open
    starts = {pair.name: pair.b.steps for pair in decided.matched.pieces if pair.b.layer == "qkv"}
    assert 6 == len(starts)
    for place, name in enumerate(NAMES[:3]):
        part = order[place] * WIDTH, (order[place] + 1) * WIDTH
        assert (("slice", 1, *part),) == starts[f"{name}/kernel"]
        assert (("slice", 0, *part),) == starts[f"{name}/bias"]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
@pytest.mark.parametrize("names", [SPOKEN, (*"cab", "out")])
def test_the_fused_kernel_may_be_the_first_side_s(order: tuple[int, ...], names: tuple[str, ...]):
    """Its parts are canonical parameters of their own."""
    decided = scenes.decide(fused(), attention(names, order), ATTENDED)
    assert "" == decided.first_open
    assert {f"qkv/kernel/{place}": f"{names[place]}/kernel" for place in range(3)}.items() <= (
        scenes.chosen(decided).items()
    )


def test_a_square_raw_matrix_the_other_way_round():
    """Nobody knows which way a matrix lies that a user multiplies with; two inputs do."""
    for a, b in ((False, True), (True, False)):
        decided = scenes.decide(square(turned=a), square("yours", turned=b), FLAT)
        (pair,) = decided.matched.pieces
        assert ("", DATA, (("transpose", (1, 0)),)) == (decided.first_open, pair.how, pair.b.steps)
    same = scenes.decide(square(), square("yours"), FLAT)
    assert () == same.matched.pieces[0].b.steps


@pytest.mark.parametrize("role", ["kernel", "recurrent_kernel", "query/kernel"])
@pytest.mark.parametrize("kind", ["dense", "rnn", "attention"])
def test_a_known_kernel_the_other_way_round_stays_a_difference(kind: str, role: str):
    """Both sides have a word for the layer, so that its axes are known: a port that turns its
    kernel is wrong, although the choice would explain it."""
    decided = scenes.decide(square("a", kind, role), square("b", kind, role, turned=True), FLAT)
    (pair,) = decided.matched.pieces
    assert ("a", ()) == (decided.first_open, pair.b.steps)


@pytest.mark.parametrize(("first", "second"), [("dense", "other"), ("container", "dense")])
def test_a_known_kernel_beside_a_raw_one_may_be_turned(first: str, second: str):
    """One side knows, the other may have it as it likes."""
    a, b = square("a", first, "kernel"), square("b", second, "w", turned=True)
    decided = scenes.decide(a, b, FLAT)
    assert ("", 1) == (decided.first_open, len(decided.matched.pieces[0].b.steps))


@pytest.mark.parametrize(("a", "b"), [(False, True), (True, False)])
def test_images_are_flattened_with_their_channels_in_front(a: bool, b: bool):
    """The rows of the next kernel are in another order, whichever side it is that has its channels
    in front; activations have their axes turned."""
    decided = scenes.decide(images(a), images(b), IMAGES)
    kernel = next(pair for pair in decided.matched.pieces if pair.name == "dense/kernel")
    assert ("", DATA, 3) == (decided.first_open, kernel.how, len(kernel.b.steps))
    assert kernel.a.shape == kernel.b.shape
    alike = scenes.decide(images(a), images(a), IMAGES)
    assert () == alike.matched.pieces[1].b.steps and "" == alike.first_open


def test_a_mistake_behind_the_images_stays_one():
    """Rows in another order explain no activation that is missing."""
    wrong = images(True)
    wrong = dataclasses.replace(wrong, run=lambda own, x: bent(images(True).run(own, x)))
    decided = scenes.decide(images(False), wrong, IMAGES)
    assert ("dense", ORDER) == (decided.first_open, scenes.ways(decided)["dense/kernel"])
    assert () == decided.matched.pieces[1].b.steps


def test_a_missing_bias_stays_missing():
    """The first side has one, and the second has nothing that may stand for it."""
    decided = scenes.decide(images(False), images(False, bias=False), IMAGES)
    assert ["dense/bias"] == [part.name for part in decided.matched.only_a]
    assert "dense" == decided.first_open
    assert {"conv"} == decided.agreed


def test_another_shape_is_a_difference_and_no_error():
    """Weights that do not fit are left as they are, and so stay another shape; what they make of an
    input is of another shape too, and laid beside nothing."""
    wide = square()
    part = scenes.piece("yours", "w", (WIDTH, WIDTH + 1))
    layer = dataclasses.replace(square("yours").survey.layers[0], outputs=((ROWS, WIDTH + 1),))
    other = Model(
        scenes.survey([part], [layer]),
        lambda own, x: {"yours": x @ own["yours/w"]},
        {part.name: part.shape},
    )
    decided = scenes.decide(wide, other, FLAT)
    assert () == decided.taps
    assert (WIDTH, WIDTH + 1) == decided.matched.pieces[0].b.shape


def test_one_input_is_not_enough():
    """A choice that agrees on one input by accident is not taken."""
    symmetric = np.eye(WIDTH) + 1.0
    honest = scenes.walked(square(), [], {}, 1, FLAT)
    pairs = [TapPair("mine", "mine", "mine")]
    half = {**honest, "1/mine": honest["1/mine"] + 1e-3 * symmetric.sum()}
    assert agrees(pairs[0], honest, honest)
    assert not agrees(pairs[0], honest, half)
    assert not agrees(pairs[0], {"0/mine": honest["0/mine"]}, honest)


@pytest.mark.parametrize(
    ("x", "y", "same"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 1e-12], True),
        ([1.0, 2.0], [1.0, 2.0 + 1e-4], False),
        ([1.0, -np.inf], [1.0, -np.inf], True),
        ([1.0, -np.inf], [1.0, np.inf], False),
        ([1.0, -np.inf], [-np.inf, 1.0], False),
        ([1.0, np.nan], [1.0, np.nan], False),
        ([1.0, 2.0], [1.0, np.inf], False),
        ([0.0, 0.0], [0.0, 1e-9], False),
        ([], [], True),
        ([-np.inf], [-np.inf], False),
        ([True, False], [True, False], True),
        ([1, 2], [1.0, 2.0], True),
    ],
)
def test_what_agrees(x: list[float], y: list[float], same: bool):
    """Up to rounding of the largest; what a mask shuts out is alike on both sides, what is no
    number is like nothing, and nothing but infinities proves nothing."""
    a, b = ({"0/l": np.array(value), "1/l": np.array(value)} for value in (x, y))
    assert same == agrees(TapPair("l", "l", "l"), a, b)


def test_an_activation_s_axes_are_turned_as_frameworks_do_and_not_otherwise():
    """Channels last, channels first, time in front; scores whose queries and keys are exchanged
    are no layout."""
    value = np.random.RandomState(0).normal(size=(2, 3, 3, 3))
    pair = TapPair("l", "l", "l")

    def decided(axes: tuple[int, ...]) -> TapPair:
        other = np.transpose(value, np.argsort(axes))
        walks = [{"0/l": held, "1/l": held} for held in (value, other)]
        units = matches.Matched((), (), (), ())
        (tap,) = decisions.decide(units, [pair], walks[0], lambda _: walks[1]).taps
        return tap

    for axes in ((0, 2, 3, 1), (0, 3, 1, 2), (1, 0, 2, 3)):
        square_value = value if axes[0] == 0 else np.random.RandomState(0).normal(size=(3, 3, 3, 3))
        value, kept = square_value, value
        assert (axes, DATA) == (decided(axes).axes_b, decided(axes).how)
        value = kept
    assert pair == decided((0, 1, 3, 2))


def test_a_layer_that_shows_one_activation_shows_no_other():
    """In inference a dropout returns what it was given: both layers of the first side agree with
    the one that the second has, which is one activation and not two."""
    value, other = np.ones((2, 3)), np.zeros((2, 3))
    walk_a = {f"{number}/{name}": value for number in range(2) for name in ("relu", "dropout")}
    walk_b = {f"{number}/act": value for number in range(2)}
    walk_b |= {f"{number}/late": other for number in range(2)}
    pairs = [TapPair("relu", "relu", "act"), TapPair("dropout", "dropout", "late")]
    decided = decisions.decide(matches.Matched((), (), (), ()), pairs, walk_a, lambda _: walk_b)
    assert ["act", "late"] == [tap.b for tap in decided.taps]
    assert "dropout" == decided.first_open
    alone = decisions.decide(matches.Matched((), (), (), ()), pairs[1:], walk_a, lambda _: walk_b)
    assert [("act", DATA)] == [(tap.b, tap.how) for tap in alone.taps]


def test_what_a_map_says_is_taken_as_it_is():
    """Data say where it agrees, and change nothing of it."""
    a, b = square(), square("yours", turned=True)
    matched = matches.by_rule(a.survey, b.survey)
    matched = dataclasses.replace(
        matched, pieces=tuple(dataclasses.replace(pair, how=USER) for pair in matched.pieces)
    )
    shown = taps.by_rule(a.survey, b.survey, matched.units)
    walks = [scenes.walked(model, [], {}, 1, FLAT) for model in (a, b)]
    decided = decisions.as_given(matched, shown, *walks)
    assert (matched, "mine", frozenset()) == (decided.matched, decided.first_open, decided.agreed)
    walk = {
        f"{number}/{name}": value for name in ("mine", "yours") for number, value in enumerate(FLAT)
    }
    assert "" == decisions.as_given(matched, shown, walk, walk).first_open


@pytest.mark.parametrize("fault", ["", "no_relu"])
def test_two_perceptrons(fault: str):
    """Kernels that lie otherwise agree by the steps of their pieces, dropout in turned axes; a
    missing activation is where the passes part."""
    inference, _ = scenes.inferred(fault)
    decided = inference.others[0].decided
    assert ("hidden/relu" if fault else "") == decided.first_open
    tap = next(tap for tap in decided.taps if tap.name == "hidden/dropout")
    assert (None, (1, 0)) == (tap.axes_a, tap.axes_b)
