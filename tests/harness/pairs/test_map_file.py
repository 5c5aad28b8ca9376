"""The map of a pair is written, read back as the same, and corrected by hand; whatever a hand may
write ends in a message that names file and entry."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from backends.survey import Layer, Survey
from harness.errors import UsageError
from harness.pairs import map_file, matches
from harness.pairs.decisions import Decided
from harness.pairs.draws import DrawsMatched
from harness.pairs.inference import Against, Inference, SurveyedSide
from harness.pairs.matches import OPEN, USER
from harness.pairs.taps import TapPair
from tests.harness.pairs import scenes
from tests.harness.pairs.map_entries import LABELS, SIDES, A, B, entry, parameter, read
from tests.harness.pairs.scenes import attention, fused, images, piece, square, survey


def inference(a: Survey, b: Survey, decided: Decided) -> Inference:
    against = Against(SurveyedSide(LABELS[1], "port", b), decided, DrawsMatched((), (), ()))
    return Inference(SurveyedSide(LABELS[0], "original", a), (against,), 2, {}, {})


PAIRS = {
    "images": (images(False), images(True), scenes.IMAGES),
    "images back": (images(True), images(False), scenes.IMAGES),
    "square": (square(), square("yours", turned=True), scenes.FLAT),
    "fused": (attention(), fused((2, 0, 1)), scenes.ATTENDED),
    "fused back": (fused(), attention(("a", "b", "c", "o"), (1, 0, 2)), scenes.ATTENDED),
    "less": (images(False), images(False, bias=False), scenes.IMAGES),
}


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_written_is_read(tmp_path: Path, name: str):
    """Every choice that rules and data have made stands there, and is the user's when read."""
    a, b, inputs = PAIRS[name]
    decided = scenes.decide(a, b, inputs)
    path = tmp_path / "pair.map.toml"
    path.write_text(map_file.text(inference(a.survey, b.survey, decided)), encoding="utf-8")
    content = map_file.read(path, LABELS)
    sides = (LABELS[0], a.survey), (LABELS[1], b.survey)
    matched, shown = map_file.matched(content, *sides), map_file.taps(content, *sides)
    owned = tuple(dataclasses.replace(pair, how=USER) for pair in decided.matched.pieces)
    assert owned == matched.pieces
    assert (decided.matched.only_a, decided.matched.only_b) == (matched.only_a, matched.only_b)
    assert [dataclasses.replace(tap, how=USER) for tap in decided.taps] == shown
    assert [pair.how for pair in decided.matched.pieces] == [
        item.decided for item in content.parameters
    ]


def test_a_correction_is_taken(tmp_path: Path):
    """What stands there is what is compared, against all that rules say."""
    matched, shown = read(
        tmp_path / "m.toml",
        parameter(
            torch='{piece = "fc/kernel", steps = [["blocks", 1, [1, 0]], ["slice", 1, 0, 6]]}'
        )
        + entry("layer", name='"d"', tf2='{layer = "dense", axes = [0, 2, 1]}', torch='"fc"'),
    )
    (pair,) = matched.pieces
    assert (("blocks", 1, (1, 0)), ("slice", 1, 0, 6)) == pair.b.steps
    assert (["dense/bias"], ["fc/bias"]) == (
        [item.name for item in matched.only_a],
        [item.name for item in matched.only_b],
    )
    assert [((0, 2, 1), USER)] == [(tap.axes_a, tap.how) for tap in shown]


def test_a_map_explains_no_other_shape_away(tmp_path: Path):
    """A known kernel of another shape is one, unless its steps say how it is turned."""
    turned = dataclasses.replace(B, pieces=(piece("fc", "kernel", (6, 4)),))
    path = tmp_path / "m.toml"
    for written, shape in (
        ('"fc/kernel"', (6, 4)),
        ('{piece = "fc/kernel", steps = [["transpose", [1, 0]]]}', (4, 6)),
    ):
        path.write_text(parameter(torch=written), encoding="utf-8")
        made = map_file.matched(map_file.read(path, LABELS), SIDES[0], (LABELS[1], turned))
        assert [shape] == [pair.b.shape for pair in made.pieces]


ODD = [
    "a b",
    'a"b',
    "a\\b",
    "a\nb",
    "a\tb",
    "é",
    "😀",
    "\x1b[31m",
    "\x7f",
    "x#y",
    "a.b",
    "[[layer]]",
]


@pytest.mark.parametrize("odd", ODD)
def test_odd_names_are_written_so_that_they_are_read(tmp_path: Path, odd: str):
    """Quotes, escapes and signs beyond a plane in the names of layers, of parameters and of sides;
    those that nobody can print are refused where they would be canonical, and break no comment."""
    a = survey(
        [piece(odd, "w", (4,)), piece("other", odd, (9, 9))],
        [Layer(odd, "other", "T", outputs=((2, 4),))],
    )
    b = survey(
        [piece("plain", "w", (4,)), piece("rest", odd, (8, 8, 8))],
        [Layer("plain", "other", "T", outputs=((2, 4),))],
    )
    matched = matches.by_rule(a, b)
    decided = Decided(matched, (TapPair(odd, odd, "plain"),), frozenset(), "")
    made = inference(a, b, decided)
    text = map_file.text(made)
    path = tmp_path / "m.toml"
    path.write_text(text, encoding="utf-8")
    if odd.isprintable():
        content = map_file.read(path, LABELS)
        assert [f"{odd}/w"] == [item.name for item in content.parameters]
        assert [odd] == [tap.a for tap in map_file.taps(content, (LABELS[0], a), (LABELS[1], b))]
    else:
        with pytest.raises(UsageError, match="cannot be printed"):
            map_file.read(path, LABELS)


@pytest.mark.parametrize("label", ["torch#2", "my build", "ü", "torch-2_x", 'a"b'])
def test_labels_of_sides_are_keys(tmp_path: Path, label: str):
    """Two sides of one build have a number, and builds of a user's own any name."""
    decided = Decided(matches.by_rule(A, B), (), frozenset(), "")
    made = inference(A, B, decided)
    side = dataclasses.replace(made.others[0].side, label=label)
    made = dataclasses.replace(made, others=(dataclasses.replace(made.others[0], side=side),))
    path = tmp_path / "m.toml"
    path.write_text(map_file.text(made), encoding="utf-8")
    content = map_file.read(path, (LABELS[0], label))
    assert {LABELS[0], label} == {*content.parameters[0].sides}


def test_what_is_undecided_is_said(tmp_path: Path):
    """For a person to look at."""
    matched = matches.by_rule(A, B)
    pieces = tuple(dataclasses.replace(pair, how=OPEN) for pair in matched.pieces)
    matched = dataclasses.replace(matched, pieces=pieces, only_b=(piece("x", "more", (2,)),))
    text = map_file.text(inference(A, B, Decided(matched, (), frozenset(), "dense")))
    assert 2 == text.count('decided = "undecided"')
    assert '# only torch has: "x/more"' in text.splitlines()
