"""What both sides are is read back and compared before anything runs: each difference is said with
the stage at which it will show, and what is the same is not said."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from backends.contract import Stage
from backends.survey import DROPOUT, Draw, Layer, Phase, Survey
from harness.pairs import attribute_differences, draws, notes, preflight
from harness.pairs.attribute_differences import NONE, AttributeDifference, folded
from harness.pairs.decisions import Decided
from harness.pairs.inference import Against, Inference, SurveyedSide
from harness.pairs.matches import by_rule
from harness.pairs.notes import ForwardAgreement
from harness.pairs.taps import by_rule as taps_by_rule
from tests.harness.pairs import scenes
from tests.harness.pairs.scenes import piece, survey

SIDES = ("a", "b")
DENSE: dict[str, Any] = {"units": 3, "bias": True, "activation": "relu", "epsilon": 1e-3}


def side(attributes: dict[str, Any] = DENSE, **more: Any) -> Survey:
    layer = Layer(
        "l",
        "dense",
        "Dense",
        outputs=((2, 3),),
        attributes=attributes,
        initializers={"kernel": "glorot_uniform"},
    )
    return survey([piece("l", "kernel", (4, 3))], [layer], **more)


def inferred(a: Survey, b: Survey) -> Inference:
    matched = by_rule(a, b)
    decided = Decided(matched, tuple(taps_by_rule(a, b, matched.units)), frozenset(), "")
    against = Against(SurveyedSide("b", "port", b), decided, draws.match(a, b))
    return Inference(SurveyedSide("a", "original", a), (against,), 2, {}, {})


def said(a: Survey, b: Survey) -> list[tuple[str, str, str, str, Stage | None]]:
    rows = preflight.differences(inferred(a, b))
    assert all(row.sides == SIDES for row in rows)
    return [(row.where, row.what, row.a, row.b, row.stage) for row in rows]


def test_the_same_is_not_said():
    """Nor numbers that one framework holds in float32, nor what one of them cannot tell."""
    other = side({**DENSE, "epsilon": 0.0010000000474974513, "axis": -1})
    assert [] == said(side(), other) == said(other, side())
    listed = side({**DENSE, "axis": [-1]})
    assert [] == said(listed, other) == said(other, listed)
    inference, _ = scenes.inferred()
    assert [] == preflight.differences(inference)


@pytest.mark.parametrize(
    ("what", "value", "words", "stage"),
    [
        ("epsilon", 1e-5, ("0.001", "1e-05"), Stage.FORWARD),
        ("units", 4, ("3", "4"), Stage.WEIGHTS),
        ("bias", False, ("yes", "no"), Stage.FORWARD),
        ("activation", "gelu", ("relu", "gelu"), Stage.FORWARD),
        ("keep", 0.9, ("0.5", "0.9"), Stage.UPDATE),
        ("trainable", False, ("yes", "no"), Stage.GRADIENTS),
        ("stride", [2, 1], ("[1, 1]", "[2, 1]"), Stage.FORWARD),
        ("padding", ["same", None], ("[same, valid]", "[same, none]"), Stage.FORWARD),
        ("axis", -2, ("[-1]", "-2"), Stage.FORWARD),
    ],
)
def test_an_attribute(what: str, value: Any, words: tuple[str, str], stage: Stage):
    """Each with the stage that will show it."""
    own = {**DENSE, "keep": 0.5, "trainable": True, "stride": (1, 1), "padding": ["same", "valid"]}
    own["axis"] = [-1]
    expected = [("l", what, *words, stage)]
    assert expected == said(side(own), side({**own, what: value}))


@pytest.mark.parametrize(("sizes", "rows"), [((1, 1), 0), ((1, 3), 1)])
def test_a_window_of_one_value_is_padded_by_nothing(sizes: tuple[int, int], rows: int):
    own = {**DENSE, "kernel_size": list(sizes), "padding": "same"}
    assert rows == len(said(side(own), side({**own, "padding": "valid"})))


def test_an_activation_behind_the_layer():
    """One framework has it in the layer, the other as a layer behind it: the same word is the same,
    another one is a difference, and one that cannot be seen is left to the forward pass."""
    linear = {**DENSE, "activation": "linear"}

    def behind(word: str) -> Survey:
        own = side(linear)
        after = Layer(
            "act", "activation", "Act", outputs=((2, 3),), attributes={"activation": word}
        )
        return dataclasses.replace(own, layers=(*own.layers, after))

    assert [] == said(side(), behind("relu")) == said(side(), side(linear))
    assert [("l", "activation", "relu", "gelu", Stage.FORWARD)] == said(side(), behind("gelu"))


def test_an_activation_behind_the_first_side_s_layer():
    """The same with the sides exchanged: whoever is the original, a difference is one."""
    linear = side({**DENSE, "activation": None})
    after = Layer("act", "activation", "Act", outputs=((2, 3),), attributes={"activation": "gelu"})
    first = dataclasses.replace(linear, layers=(*linear.layers, after))
    assert [("l", "activation", "gelu", "relu", Stage.FORWARD)] == said(first, side())
    same = dataclasses.replace(after, attributes={"activation": "relu"})
    assert [] == said(dataclasses.replace(linear, layers=(*linear.layers, same)), side())


@pytest.mark.parametrize(("kind", "expected"), [("conv", 1), ("dense", 0), ("other", 0)])
def test_a_layer_of_another_kind(kind: str, expected: int):
    """Weights of the same shapes used by another kind of layer; of a raw one nobody knows."""
    own = side()
    layer = dataclasses.replace(own.layers[0], kind=kind, type="Conv")
    rows = said(own, dataclasses.replace(own, layers=(layer,)))
    assert [("l", "kind", "Dense", "Conv", Stage.FORWARD)] * expected == rows


def test_initialisers():
    """They are no difference of what is compared, which starts from the same weights: they are
    listed apart, and where both sides have a word for them."""
    layer = dataclasses.replace(
        side().layers[0], initializers={"kernel": "he_normal", "bias": "zeros"}
    )
    other = dataclasses.replace(side(), layers=(layer,))
    assert [] == said(side(), other)
    (row,) = preflight.initializers(inferred(side(), other))
    assert ("l", "kernel", "glorot_uniform", "he_normal", Stage.DISTRIBUTION) == (
        row.where,
        row.what,
        row.a,
        row.b,
        row.stage,
    )
    assert [] == preflight.initializers(inferred(side(), side()))
    layer = dataclasses.replace(layer, initializers={"kernel": "unknown"})
    other = dataclasses.replace(side(), layers=(layer,))
    assert [] == preflight.initializers(inferred(side(), other)), "what cannot be told"


def test_sentences():
    """Each difference is a line of the report, with both labels and where it shows."""
    off = Draw("train", 0, "d", DROPOUT, (2, 3), served=False, reason="in C")
    other = side({**DENSE, "units": 4}, draws=(off,))
    first, second = notes.sentences(inferred(side(), other))
    assert "read back: l: units is 3 in a, 4 in b; shows at weights" == first
    assert second.endswith("; no stage shows it (not on the tape: in C)")


def test_a_setting_that_was_to_show_and_does_not_is_said_to_be_without_effect():
    """A layer in front that pads, say, makes up for one that does not. Of the whole stage, or of
    that layer in every mode; what shows later stands."""
    pair = inferred(side(), side({**DENSE, "padding": "same", "epsilon": 1e-2, "keep": 0.1}))
    changed = {"padding": "valid", "keep": 0.9}
    pair = inferred(side({**DENSE, **changed}), pair.others[0].side.survey)
    shows = {
        "epsilon": "shows at forward",
        "keep": "shows at update",
        "padding": "shows at forward",
    }
    without = dict.fromkeys(("epsilon", "padding"), "without effect here: forward agrees there")
    modes = frozenset({"training/l", "inference/l"})
    for agreement, expected in (
        (None, shows),
        (ForwardAgreement(), shows),
        (ForwardAgreement(names=frozenset({"training/l"})), shows),
        (ForwardAgreement(names=modes), {**shows, **without}),
        (ForwardAgreement(every=True), {**shows, **without}),
    ):
        lines = notes.sentences(pair, agreement)
        found = {line.split()[3]: line.partition("; ")[2] for line in lines}
        assert expected == found


def test_a_draw_of_one_side_stays_where_the_forward_pass_agrees():
    """It is made in training: the forward pass says nothing of it."""
    made = Draw("train", 0, "l", DROPOUT, (2, 3))
    pair = inferred(side(), side(draws=(made,)))
    assert notes.sentences(pair) == notes.sentences(pair, ForwardAgreement(every=True)) != []


def test_parameters():
    """Of another shape, not trained, a sum of two, and on one side alone."""
    own = side()
    (kernel,) = own.pieces

    def changed(**more: Any) -> Survey:
        return dataclasses.replace(own, pieces=(dataclasses.replace(kernel, **more),))

    assert ("l/kernel", "shape", "[4, 3]", "[4, 5]", Stage.WEIGHTS) in said(
        own, changed(shape=(4, 5))
    )
    assert [("l/kernel", "trainable", "yes", "no", Stage.GRADIENTS)] == said(
        own, changed(trainable=False)
    )
    summed = said(own, changed(sources=("u", "v")))
    assert [("l/kernel", "trained parameters", "1", "2", Stage.UPDATE)] == summed
    assert [] == said(own, changed(sources=("u", "v"), frozen=("v",)))
    more = dataclasses.replace(own, pieces=(kernel, piece("l", "bias", (3,))))
    assert [("l/bias", "parameter", "[3]", NONE, Stage.FORWARD)] == said(more, own)
    assert [("l/bias", "parameter", NONE, "[3]", Stage.FORWARD)] == said(own, more)


def test_draws():
    """One that the other side does not make shows in the forward pass; one that no tape answers
    shows nowhere, and is said all the same."""
    drop = Draw("train", 0, "d", DROPOUT, (2, 3))
    rows = said(side(draws=(drop,)), side())
    assert [("d", "draw in train", "dropout [2, 3]", NONE, Stage.FORWARD)] == rows
    off = dataclasses.replace(drop, layer="", served=False, reason="in C")
    (row,) = preflight.differences(inferred(side(), side(draws=(off,))))
    assert ("phase train", NONE, None, "not on the tape: in C") == (
        row.where,
        row.a,
        row.stage,
        row.why,
    )


def test_another_share_of_the_same_draw():
    """A dropout in a loop is no layer with a rate: it is said of the draw, once for all steps.
    Where both sides have layers with rates, these say it."""
    steps = [Draw("train", step, "loop", DROPOUT, (2, 3), keep=0.8) for step in range(4)]
    whole = Draw("train", 0, "drop", DROPOUT, (2, 4, 3), keep=0.2)
    rows = said(side(draws=tuple(steps)), side(draws=(whole,)))
    assert [("loop", "rate", "0.2", "0.8", Stage.FORWARD)] == rows
    right = dataclasses.replace(whole, keep=0.8 + 1e-9)
    assert [] == said(side(draws=tuple(steps)), side(draws=(right,)))

    def layered(keep: float) -> Survey:
        own = side(draws=(Draw("train", 0, "d", DROPOUT, (2, 3), keep=keep),))
        rate = {"rate": round(1.0 - keep, 7)}
        drop = Layer("d", "dropout", "Dropout", outputs=((2, 3),), attributes=rate)
        return dataclasses.replace(own, layers=(*own.layers, drop))

    rows = said(layered(0.8), layered(0.2))
    assert [("d", "rate", "0.2", "0.8", Stage.FORWARD)] == rows


def test_losses_and_steps():
    """Another reduction shows in the loss; a training step that one side lacks is left out, and so
    said."""
    phases = (Phase("train", (), ("total",), ()), Phase("joint", (), ("total",), ()))
    a, b = (
        side(losses={"train": "mean"}, phases=phases),
        side(losses={"train": "sum"}, phases=phases[:1]),
    )
    assert [
        ("loss of train", "reduction", "mean", "sum", Stage.LOSS),
        ("training step", "phase", "joint", NONE, None),
    ] == said(a, b)


def test_a_loss_term_that_only_one_side_returns():
    """It is not compared; what stands for all of the loss is no term of its own."""
    a = side(phases=(Phase("train", (), ("aux", "total"), ()),))
    b = side(phases=(Phase("train", (), ("extra", "loss", "total"), ()),))
    assert [
        ("loss of train", "term", "aux", NONE, None),
        ("loss of train", "term", NONE, "extra", None),
    ] == said(a, b)


def test_remarks_are_passed_on():
    """Those of every side, once; the draws are listed by themselves."""
    draw = Draw("train", 0, "", "other", (2,), served=False, reason="a permutation")
    told = ("net is in inference mode", "net is in inference mode", "a permutation")
    pair = inferred(side(remarks=told, draws=(draw,)), side(remarks=("the draw 0 of x is not",)))
    assert ["net is in inference mode"] == [remark for _, remark in notes.remarks(pair)]
    assert any(line.endswith(": net is in inference mode") for line in notes.sentences(pair))


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (1, 1.0, True),
        (0.1, 0.10000000149, True),
        (0.1, 0.1001, False),
        (True, 1, True),
        (True, 0.5, False),
        ((1, 2), [1, 2], True),
        ((1, 2), [1, 2, 3], False),
        ((1, [2, "a"]), [1, (2, "b")], False),
        ([-1], -1, True),
        ([-1, 2], -1, False),
        ("same", "same", True),
        (None, 0, False),
        (float("nan"), 1.0, False),
        (0, 1e-20, False),
    ],
)
def test_same(x: Any, y: Any, expected: bool):
    """Numbers to float32, lists item by item, words as they are."""
    assert expected == attribute_differences.same(x, y) == attribute_differences.same(y, x)


@pytest.mark.parametrize(
    ("count", "where"),
    [
        (1, "norm0"),
        (4, "norm0, norm1, norm2, norm3"),
        (5, "norm0, norm1 and 3 more"),
    ],
)
def test_one_difference_in_several_places_is_one(count: int, where: str):
    """In the place of the first; another value is another difference."""

    def row(place: str, value: str) -> AttributeDifference:
        return AttributeDifference(place, "epsilon", value, "1e-05", ("a", "b"), Stage.FORWARD)

    same = [row(f"norm{number}", "0.001") for number in range(count)]
    rows = folded([same[0], row("last", "0.01"), *same[1:]])
    assert [(where, "0.001"), ("last", "0.01")] == [(item.where, item.a) for item in rows]
