"""Whatever a hand may write into the map of a pair ends in a message that names file and entry, and
never in a traceback."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.pairs import map_file
from tests.harness.pairs.map_entries import LABELS, SIDES, entry, layer, parameter, read

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
