"""The numbers of the house: within their limits, and each shown on planted code."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests import docstrings, structure, words


def test_two_classes_of_one_name():
    """In two rooms or in one; not private ones, and not those of backends, which are parallel."""
    texts = {
        "harness/a.py": "class Result: ...\nclass _Page: ...\nclass Own: ...",
        "harness/b/c.py": "\nclass Result: ...\nclass _Page: ...",
        "backends/tf2/d.py": "class Own: ...",
        "backends/torch/d.py": "class Own: ...",
    }
    assert ["Result: harness/a.py:1, harness/b/c.py:2"] == structure.shared_names(texts)


def test_the_house_is_within_its_limits():
    """What the program prints, with the places of whatever is beyond."""
    beyond = [(name, where) for name, count, limit, where in structure.numbers() if count > limit]
    assert [] == beyond


PLANTED = {
    "wide_lines": "x = 1  # " + "y" * 100,
    "nested_comprehensions": "x = [[y for y in z] for z in ()]",
    "crowded_calls": "f(1, 2, 3, 4, 5, 6, 7)",
    "long_functions": "def f():\n" + "    if x:\n        y = 1\n" * 21,
    "spelled_verdicts": "x = 'PASS'",
    "empty_names": "def f(one): return one",
    "big_modules": "x = 1\n" * 301,
}
HONEST = {
    "wide_lines": "x = 1  # " + "y" * 90,
    "nested_comprehensions": "x = [y for y in z]\nw = [y for y in x]",
    "crowded_calls": "f(1, 2, 3, 4, 5, 6, x=7)",
    "long_functions": "def f():\n    '''" + "text\n" * 90 + "'''\n" + "    y = 1\n" * 40,
    "spelled_verdicts": "x = 'pass'",
    "empty_names": "def f(row): return row.one",
    "big_modules": '"""' + "text\n" * 400 + '"""\n' + "x = 1\n" * 300,
}


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_every_count_sees_what_is_planted_and_nothing_else(name: str):
    """Each counter on code that has one of its kind, and on code at its limit."""
    count = getattr(structure, name)
    assert 1 == len(list(count("harness/planted.py", PLANTED[name])))
    assert [] == list(count("harness/planted.py", HONEST[name]))


@pytest.mark.parametrize("count", structure.FORM, ids=lambda count: count.__name__)
@pytest.mark.parametrize("folder", [structure.PROGRAMS, "tests/meta", structure.STRANGERS])
def test_tests_are_held_to_the_counts_of_form(
    tmp_path: Path, folder: str, count: structure.Counter
):
    """Planted in one of them: that number, and no other, is beyond its limit. Ports of strangers
    are left out."""
    (tmp_path / folder).mkdir(parents=True)
    allowed = structure.FORM[count] if folder == "tests/meta" else 0
    for place in range(allowed + 1):
        path = tmp_path / folder / f"planted_{place}.py"
        path.write_text(PLANTED[count.__name__], encoding="utf-8")
    beyond = [where for _, number, limit, where in structure.numbers(tmp_path) if number > limit]
    assert [allowed + 1] * (folder != structure.STRANGERS) == [len(where) for where in beyond]
    assert all(line.startswith(f"{folder}/") for where in beyond for line in where)


def test_every_counter_is_shown():
    """A new one needs planted code here."""
    assert {*PLANTED} == {*HONEST} == {count.__name__ for _, count in structure.COUNTS.values()}


@pytest.mark.parametrize(
    "word",
    ["PASS", "NONE", "ACCEPTED", "SAME", "BIT-IDENTICAL", "regression", "ok", "disk full", "loss"],
)
@pytest.mark.parametrize("package", ["harness", "backends"])
def test_a_word_of_any_enumeration_is_seen(package: str, word: str):
    """Wherever it stands: alone, in a table, in a comparison, as a default; a formatted text that
    holds it is prose, and a homonym is one in its own module alone."""
    for line in ("x = {!r}", "x = {{{!r}: 1}}", "x = y == {!r}", "def f(x={!r}): return x"):
        source = line.format(word)
        assert [(1, repr(word))] == list(structure.spelled_verdicts(f"{package}/a.py", source))
        assert [] == list(structure.spelled_verdicts("tests/a.py", source))
    assert [] == list(structure.spelled_verdicts(f"{package}/a.py", f"x = f'{word}{{y}}'"))
    if word == "ok":
        assert [] == list(structure.spelled_verdicts("harness/report/signs.py", "x = 'ok'"))


def test_the_members_themselves_are_no_literals():
    """But a class beside them has none of its own."""
    source = "class {}(Word):\n    PASS = 'PASS'\n"
    count = structure.spelled_verdicts
    assert [] == list(count("harness/a.py", source.format("Fidelity")))
    assert [(2, "'PASS'")] == list(count("harness/a.py", source.format("Other")))


def test_every_homonym_is_one():
    """In every module that is excused stands one of the words, and every word in one of them."""
    spelled = {
        (path, word)
        for path, source in structure.sources().items()
        for _, word in words.literals(source)
    }
    for homonym in words.HOMONYMS:
        covered = {(path, word) for path, word in spelled if homonym.covers(path, word)}
        assert homonym.words == {word for _, word in covered}, homonym.reason
        for place in homonym.places:
            assert any(fnmatch.fnmatch(path, place) for path, _ in covered), (homonym.reason, place)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("harness/plan/timing.py", "harness/plan/timing"),
        ("harness/commands/own_recording.py", "harness/commands/own_recording"),
        ("harness/rendering/__init__.py", "harness/rendering"),
        ("backends/protocol/staging.py", "backends/protocol/staging"),
        ("harness/rendering/format.py", ""),
        ("harness/plan/timings.py", ""),
        ("harness/environments/staging.py", ""),
        ("harness/bisecting/__init__.py", ""),
        ("backends/torch/teacher_forcing.py", ""),
        ("tests/evaluation/kills/striking.py", ""),
    ],
)
def test_a_module_named_after_an_activity_is_seen(path: str, name: str):
    """A new one, and a room once, by its own module; an established noun is one in its own place
    alone."""
    assert [name] * bool(name) == words.gerunds([path])


def test_every_established_noun_is_the_name_of_a_module():
    """What was renamed or removed is excused no longer."""
    names = {path.removesuffix(".py").removesuffix("/__init__") for path in structure.sources()}
    unused = [noun for noun in words.ESTABLISHED_NOUNS if not fnmatch.filter(names, noun)]
    assert [] == unused


def test_a_stretch_that_stands_twice_is_seen_once():
    """However long it is; five lines are not six."""
    lines = [f"x{number} = {number}" for number in range(20)]
    whole, five = "\n".join(lines), "\n".join(lines[:5])
    assert 1 == len(structure.repeats({"a.py": whole, "b.py": f"y = 1\n{whole}\nz = 2"}))
    assert [] == structure.repeats({"a.py": whole, "b.py": five})


CALLED = {
    "arguments": {
        "whole": ("(a, b)", "Return a sum.\n\n    Args:\n        a: either.\n    ", ""),
        "spoken": ("(path, text)", "Write a text to a path.", ""),
        "alone": ("(path)", "Return what is there.", ""),
        "planted": ("(path, text)", "Write a text.", ""),
    },
    "errors": {
        "whole": ("()", "Fail.\n\n    Raises:\n        E: always.\n    ", "raise E"),
        "again": ("()", "Pass an error on.", "try: x()\n    except E: raise"),
        "planted": ("()", "Fail.", "raise E"),
    },
}


def _module(functions: Mapping[str, tuple[str, str, str]]) -> str:
    parts = [
        f'def {name}{arguments}:\n    """{text}"""\n    {body or "pass"}\n'
        for name, (arguments, text, body) in functions.items()
    ]
    return "\n\n".join(parts)


@pytest.mark.parametrize(
    ("functions", "count"),
    [
        (CALLED["arguments"], docstrings.unnamed_arguments),
        (CALLED["errors"], docstrings.silent_raises),
    ],
    ids=CALLED,
)
@pytest.mark.parametrize(
    ("caller", "called"),
    [
        ("from harness.low import code\ncode.{name}()\n", True),
        ("from harness.low import code as other\nother.{name}\n", True),
        ("import harness.low.code\nharness.low.code.{name}()\n", True),
        ("from harness.low.code import {name}\n", True),
        ("from harness.low import {name}\n", True),
        ("from harness.low import code\n", False),
        ("from harness.high import code\ncode.{name}()\n", False),
    ],
)
def test_what_a_docstring_leaves_out_is_seen_where_another_room_calls_the_function(
    functions: Mapping[str, tuple[str, str, str]],
    count: Callable[[docstrings.Called], list[str]],
    caller: str,
    called: bool,
):
    """By whatever way it is imported; what is complete, private or the room's own is let be."""
    code = _module({**functions, "_private": functions["planted"]})
    callers = "".join(caller.format(name=name) for name in (*functions, "_private"))
    handing_on = "".join(f"from harness.low.code import {name}\n" for name in functions)
    around = {"harness/low/code.py": code, "harness/low/__init__.py": handing_on}
    places = count(docstrings.called_functions({**around, "harness/top/user.py": callers}))
    assert ["planted"] * called == [place.split(": ")[1] for place in places]
    own = docstrings.called_functions({**around, "harness/low/user.py": callers})
    assert [] == count(own)


METHODS = """
import abc
class Promise(abc.ABC):
    def kept(self, path, text):
        "Write a `text` to a `path`."
    def broken(self, path, text):
        "Write."
        raise NotImplementedError
class Kept(Promise):
    def kept(self, path, text): raise E
class Alike:
    def kept(self, path, text): raise E
    def other(self, path): "Read."
    def silent(self, path):
        "Read."
        raise E
    @property
    def shown(self): raise E
    def _own(self, path, text): raise E
class Foreign(dict):
    def silent(self, path, text): raise E
class Unused:
    def silent(self, path, text): raise E
"""


def test_what_the_docstring_of_a_method_leaves_out_is_seen():
    """Where another room names the class and calls a method of that name. What a base or an
    abstract class has said of it is said."""
    names = "Promise, Kept, Alike, Foreign"
    calls = "".join(f"x.{name}()\n" for name in ("kept", "broken", "other", "silent", "_own"))
    for user, missing, silent in (("top", ["broken"], ["silent"]), ("low", [], [])):
        called = docstrings.called_methods(
            {
                "harness/low/code.py": METHODS,
                f"harness/{user}/user.py": f"from harness.low.code import {names}\n{calls}x.shown",
            }
        )
        places = docstrings.unnamed_arguments(called), docstrings.silent_raises(called)
        assert (missing, silent) == tuple(
            [place.split(": ")[1] for place in group] for group in places
        )


@pytest.mark.parametrize("name", sorted(CALLED))
def test_shipped_ports_are_left_out(name: str):
    """What their functions are given is the contract's."""
    count = docstrings.unnamed_arguments if name == "arguments" else docstrings.silent_raises
    code, caller = _module(CALLED[name]), "from {room}.code import planted\n"
    for room, expected in (("backends/ports", 0), ("backends/low", 1)):
        dotted = room.replace("/", ".")
        texts = {f"{room}/code.py": code, "backends/w.py": caller.format(room=dotted)}
        found = count(docstrings.called_functions(texts))
        assert expected == len(found)
