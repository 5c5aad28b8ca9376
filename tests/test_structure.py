"""The numbers of the house: within their limits, and each shown on planted code."""

from __future__ import annotations

import pytest

from tests import rooms, structure


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


def test_every_counter_is_shown():
    """A new one needs planted code here."""
    assert {*PLANTED} == {*HONEST} == {count.__name__ for _, count in structure.COUNTS.values()}


def test_a_stretch_that_stands_twice_is_seen_once():
    """However long it is; five lines are not six."""
    lines = [f"x{number} = {number}" for number in range(20)]
    whole, five = "\n".join(lines), "\n".join(lines[:5])
    assert 1 == len(structure.repeats({"a.py": whole, "b.py": f"y = 1\n{whole}\nz = 2"}))
    assert [] == structure.repeats({"a.py": whole, "b.py": five})


def test_the_page_names_every_room():
    """`docs/architecture.md` is as the floors are."""
    page = (rooms.ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    for package, floors in rooms.FLOORS.items():
        names = [name for floor in floors for name in floor]
        missing = [name for name in names if f"`{name}`" not in page and f"{name}.py`" not in page]
        assert [] == missing, package
