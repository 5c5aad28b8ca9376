"""The pair file to begin with is one: it can be read as every other, and run by Python 3.7."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.pairs import file, skeleton

BUILDS = {"tf1-compat": "tf1", "tf2.10": "tf2", "torch": "torch"}


@pytest.mark.parametrize(("a", "b"), [*itertools.product(BUILDS, BUILDS)])
def test_every_pair_of_frameworks(tmp_path: Path, a: str, b: str):
    """Two builds of one framework too; each function makes the side of its own build."""
    text = skeleton.text([(a, BUILDS[a]), (b, BUILDS[b])])
    ast.parse(text, feature_version=(3, 7))
    path = tmp_path / "mine.py"
    path.write_text(text, encoding="utf-8")
    pair = file.read(path)
    assert [(a, "original"), (b, "port")] == [(side.build, side.function) for side in pair.sides]
    assert "data" == pair.data
    assert "{{" not in text and all(len(line) <= 100 for line in text.splitlines())


def test_more_than_two_sides(tmp_path: Path):
    """Every one has a name of its own."""
    path = tmp_path / "mine.py"
    path.write_text(skeleton.text([*BUILDS.items(), ("torch", "torch")]), encoding="utf-8")
    names = [side.function for side in file.read(path).sides]
    assert ["original", "port", "port_2", "port_3"] == names


def test_a_build_s_name_is_quoted(tmp_path: Path):
    """One of a user's own may hold what is not a word; what it holds is no Python of ours."""
    for name in ('my"build', "back\\slash", "tf2\nimport os"):
        path = tmp_path / "mine.py"
        path.write_text(skeleton.text([(name, "tf2"), ("torch", "torch")]), encoding="utf-8")
        assert [name, "torch"] == [side.build for side in file.read(path).sides]


@pytest.mark.parametrize("sides", [[], [("torch", "torch")]])
def test_one_side_is_too_few(sides: list[tuple[str, str]]):
    """There is nothing to compare it with."""
    with pytest.raises(UsageError, match="at least two builds"):
        skeleton.text(sides)


def test_a_backend_without_models():
    """NumPy has none that somebody could already have."""
    with pytest.raises(UsageError, match=r"--sides numpy: .*tf1, tf2, torch"):
        skeleton.text([("numpy", "numpy"), ("torch", "torch")])
