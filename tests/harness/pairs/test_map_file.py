"""The map of a pair is written, read back as the same, and corrected by hand; whatever a hand may
write ends in a message that names file and entry."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.survey import Layer, Survey
from harness.errors import UsageError
from harness.pairs import map_file, matches
from harness.pairs.decisions import Decided
from harness.pairs.draws import DrawsMatched
from harness.pairs.inference import Against, Inference, SurveyedSide
from harness.pairs.matches import OPEN, USER, Matched
from harness.pairs.taps import TapPair
from tests.harness.pairs import scenes
from tests.harness.pairs.scenes import attention, fused, images, piece, square, survey

LABELS = ("tf2", "torch")
A = survey(
    [piece("dense", "kernel", (4, 6)), piece("dense", "bias", (6,))],
    [Layer("dense", "dense", "Dense", outputs=((2, 3, 6),)), Layer("box", "container", "Model")],
)
B = survey(
    [piece("fc", "kernel", (4, 6)), piece("fc", "bias", (6,))],
    [Layer("fc", "dense", "Linear", outputs=((2, 3, 6),))],
)
SIDES = (LABELS[0], A), (LABELS[1], B)


def inference(a: Survey, b: Survey, decided: Decided) -> Inference:
    against = Against(SurveyedSide(LABELS[1], "port", b), decided, DrawsMatched((), (), ()))
    return Inference(SurveyedSide(LABELS[0], "original", a), (against,), 2, {}, {})


def read(path: Path, text: str) -> tuple[Matched, list[TapPair]]:
    """All that is made of a map."""
    path.write_text(text, encoding="utf-8")
    content = map_file.read(path, LABELS)
    return map_file.matched(content, *SIDES), map_file.taps(content, *SIDES)


def entry(kind: str = "parameter", **values: str) -> str:
    lines = [f"{key} = {value}" for key, value in values.items()]
    return "\n".join([f"[[{kind}]]", *lines, ""])


def parameter(tf2: str = '"dense/kernel"', torch: str = '"fc/kernel"', **more: str) -> str:
    return entry(**{"name": '"kernel"', "tf2": tf2, "torch": torch, **more})


def layer(tf2: str = '"dense"', torch: str = '"fc"', **more: str) -> str:
    return parameter() + entry("layer", **{"name": '"d"', "tf2": tf2, "torch": torch, **more})


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


VALUES = [
    *("5", "-1", "1.5", "nan", "inf", "true", "1979-05-27", "[]", "[[]]", "{}", '""'),
    *('["dense/kernel"]', "{piece = 5}", '{piece = ["fc/kernel"]}', '{layer = {layer = "fc"}}'),
    *('{piece = {piece = "fc/kernel"}}', '{piece = "fc/kernel", stepz = []}', "{steps = []}"),
    *('{layer = "fc", axis = [0]}', '{piece = "fc/kernel", layer = "fc"}', "9" * 4000, "1e400"),
    *('"nothing"', r'"\u001b[31mred"', r'"dense\u0000"', "{a.b.c.d = 1}", f"{'[' * 50}{']' * 50}"),
]
STEPS = [
    *(
        "5",
        '"transpose"',
        "{}",
        "[5]",
        '["transpose"]',
        '[["turn", [1, 0]]]',
        "[[]]",
        "[[[]]]",
        "nan",
    ),
    *(
        '[["transpose"]]',
        '[["transpose", 1]]',
        '[["transpose", [0, 0]]]',
        '[["transpose", [1.0, 0.0]]]',
    ),
    *('[["transpose", [true, false]]]', '[["transpose", [-1, 0]]]', '[["transpose", [0, 1, 2]]]'),
    *('[["transpose", ["1", "0"]]]', '[["transpose", [[1], [0]]]]', '[["transpose", [1, 0], 3]]'),
    *(
        '[["reshape", [5, 5]]]',
        '[["reshape", [-1, 6]]]',
        '[["reshape", [24.0]]]',
        '[["reshape", 24]]',
    ),
    *(
        f'[["reshape", [{10**30}]]]',
        '[["reshape", [-4, -6]]]',
        '[["reshape", []]]',
        '[["reshape"]]',
    ),
    *('[["slice", 0, 0]]', '[["slice", 2, 0, 1]]', '[["slice", -1, 0, 1]]', '[["slice", 0, 3, 2]]'),
    *(
        '[["slice", 0, 0, 99]]',
        '[["slice", "0", "0", "1"]]',
        '[["slice", 0, -2, 4]]',
        '[["slice", 0.0, 0, 1]]',
    ),
    *('[["slice", 0, 1, 1]]', '[["slice", [0], 0, 1]]', f'[["slice", {10**30}, 0, 1]]'),
    *('[["blocks", 1, [0, 0]]]', '[["blocks", 1, [0, 2]]]', '[["blocks", 1, [0, 1, 2, 3]]]'),
    *(
        '[["blocks", 1, []]]',
        '[["blocks", 5, [0]]]',
        '[["blocks", 1, 2]]',
        '[["blocks", [1], [1, 0]]]',
    ),
    *('[["shift", 0, 0, 1, nan]]', '[["shift", 0, 0, 1, inf]]', '[["shift", 0, 0, 1, "1"]]'),
    *('[["shift", 0, 0, 1, true]]', '[["shift", 0, 0, 9, 1.0]]', '[["shift", 0, 0, 1]]'),
    *(
        f'[["shift", 0, 0, 1, {"9" * 400}]]',
        '[["shift", 0, 0, 1, [1.0]]]',
        '[["shift", nan, 0, 1, 1.0]]',
    ),
    *('[["slice", 1, 0, 3], ["transpose", [1, 0]], ["slice", 0, 0, 4]]', '["slice", 0, 0, 1]'),
]
AXES = [
    *(
        "5",
        '"012"',
        "[]",
        "[0]",
        "[0, 1]",
        "[0, 1, 1]",
        "[0, 1, 3]",
        "[1, 2, 3]",
        "[0, 1, -1]",
        "{}",
    ),
    *("[0.0, 1.0, 2.0]", "[false, true, 2]", '["0", "1", "2"]', "[[0], [1], [2]]", "[nan, 1, 2]"),
    *("[0, 1, 2, 3]", f"[0, 1, {10**30}]", "true"),
]
TEXTS = {
    "no TOML": "[[parameter",
    "binary": "\x00\x01",
    "another table": "[other]\nx = 1\n",
    "one bracket": '[parameter]\nname = "x"\n',
    "a number": "parameter = 5\n",
    "numbers": "parameter = [1, 2]\n",
    "an empty list": "parameter = []\n",
    "strings": 'layer = ["a"]\n',
    "nothing": "",
    "layers alone": entry("layer", name='"d"', tf2='"dense"', torch='"fc"'),
    "no name": entry(tf2='"dense/kernel"', torch='"fc/kernel"'),
    "an empty name": parameter(name='""'),
    "a name that is a number": parameter(name="5"),
    "a name that is a list": parameter(name='["kernel"]'),
    "a name that is a table": parameter(name="{kernel = 1}"),
    "a name with escapes": parameter(name=r'"\u001b[2Jkernel"'),
    "a name of two lines": parameter(name=r'"a\nb"'),
    "twice": parameter() + parameter(),
    "a side too much": parameter(numpy='"x"'),
    "a side with escapes": parameter(**{r'"\u001b[2J"': '"x"'}),
    "a side too few": entry(name='"kernel"', tf2='"dense/kernel"'),
    "decided by a number": parameter(decided="5"),
    "decided by a list": parameter(decided='["data"]'),
    "deep": "x = " + "[" * 100_000,
    "a container": layer(tf2='"box"'),
    "a table in a table": "[parameter.parameter]\n[[parameter.parameter.parameter]]\n",
    "one name for two things": "parameter = 1\nparameter = 2\n",
}
TEXTS |= {f"parameter {value[:40]}": parameter(torch=value) for value in VALUES}
TEXTS |= {f"first parameter {value[:40]}": parameter(tf2=value) for value in VALUES}
TEXTS |= {f"layer {value[:40]}": layer(torch=value) for value in VALUES}
TEXTS |= {f"axes {value}": layer(tf2=f'{{layer = "dense", axes = {value}}}') for value in AXES}
TEXTS |= {
    f"steps {value[:60]}": parameter(torch=f'{{piece = "fc/kernel", steps = {value}}}')
    for value in STEPS
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_map_costs_a_message(tmp_path: Path, name: str):
    """Wrong types, lists for names, no numbers, nested tables, huge numbers, escapes: the message
    names the file, and nothing in it can move a terminal's cursor."""
    path = tmp_path / "pair.map.toml"
    with pytest.raises(UsageError) as caught:
        read(path, TEXTS[name])
    message = str(caught.value)
    assert str(path) in message
    assert not {"\x1b", "\x00"} & {*message}
    if "parameter" in name or "layer" in name or name.startswith(("steps", "axes")):
        assert any(word in message for word in ("kernel", "number", " d:", "[[", "no TOML"))


def test_the_honest_ones_pass(tmp_path: Path):
    """The checks above refuse what is wrong, and not everything."""
    matched, shown = read(tmp_path / "m.toml", layer(decided='"order"'))
    assert (1, 1) == (len(matched.pieces), len(shown))
    for steps in (
        '[["transpose", [1, 0]]]',
        '[["reshape", [2, 2, 6]], ["slice", 0, 1, 2]]',
        '[["blocks", 1, [2, 0, 1]], ["shift", 1, 0, 2, -1]]',
        "[]",
    ):
        read(tmp_path / "m.toml", parameter(torch=f'{{piece = "fc/kernel", steps = {steps}}}'))


@pytest.mark.parametrize("made", ["folder", "huge", "latin", "missing"])
def test_a_file_that_is_none(tmp_path: Path, made: str, monkeypatch: pytest.MonkeyPatch):
    """A folder, too large a file, another encoding, one that is gone by now."""
    path = tmp_path / "pair.map.toml"
    if made == "folder":
        path.mkdir()
    elif made != "missing":
        path.write_bytes(b"x = '\xff'\n")
    if made == "huge":
        monkeypatch.setattr(map_file, "LARGEST", 3)
    with pytest.raises(UsageError, match=r"pair\.map\.toml"):
        map_file.read(path, LABELS)


ANY = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 10),
        st.floats(),
        st.sampled_from(
            ["transpose", "reshape", "slice", "blocks", "shift", "fc/kernel", "fc", "x"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["piece", "layer", "steps", "axes", "x"]), inner, max_size=3
        ),
    ),
    max_leaves=12,
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=ANY, steps=ANY)
def test_whatever_stands_there(value: Any, steps: Any):
    """Any value in the place of a name or of steps is used or refused."""
    for written in (value, {"piece": "fc/kernel", "steps": steps}, {"layer": "fc", "axes": steps}):
        made = map_file.Entry("k", {LABELS[0]: "dense/kernel", LABELS[1]: written})
        shown = map_file.Entry("d", {LABELS[0]: "dense", LABELS[1]: written})
        content = map_file.MapFile(Path("m.toml"), (made,), (shown,))
        for judge in (map_file.matched, map_file.taps):
            with contextlib.suppress(UsageError):
                judge(content, *SIDES)
