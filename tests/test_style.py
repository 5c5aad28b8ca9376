"""The rules of style that a linter does not know: docstrings, sizes and names of modules."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.structure import MOST_CODE, docstring_lines

ROOT = Path(__file__).parents[1]
#: Ports as strangers wrote them, which tests judge: not ours to tidy.
STRANGERS = ROOT / "tests/data/cases"
#: Names that say nothing: such a module becomes an attic.
NAMELESS = {
    "base",
    "common",
    "helper",
    "helpers",
    "manager",
    "misc",
    "shared",
    "stuff",
    "tools",
    "util",
    "utils",
}


def faults(path: Path, source: str) -> list[str]:
    """Return what is wrong with one module."""
    found = []
    tree = ast.parse(source)
    if not ast.get_docstring(tree):
        found.append("has no docstring")
    lines = source.count("\n") - docstring_lines(tree)
    if lines > MOST_CODE:
        found.append(f"has {lines} lines beside its docstrings, more than {MOST_CODE}: split it")
    words = {word for part in (*path.parent.parts, path.stem) for word in part.lower().split("_")}
    if words & NAMELESS:
        found.append(f"is named {', '.join(sorted(words & NAMELESS))}: name what it holds")
    return found


def _modules() -> list[Path]:
    folders = ("harness", "backends", "tests")
    found = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return [ROOT / "toxfile.py", *(path for path in found if not path.is_relative_to(STRANGERS))]


@pytest.mark.parametrize("path", _modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_module_has_a_docstring_a_size_and_a_name(path: Path):
    """A module says what it owns, can be read at one sitting, and is named after what it holds."""
    assert [] == faults(path.relative_to(ROOT), path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("path", "source", "count"),
    [
        ("harness/plan.py", '"""Plan."""\n', 0),
        ("harness/plan.py", "import json\n", 1),
        ("harness/plan.py", '"""Plan."""\n' + "\n" * (MOST_CODE + 1), 1),
        ("harness/plan.py", '"""Plan.\n' + "\n" * MOST_CODE + '"""\n', 0),
        ("harness/json_utils.py", '"""Plan."""\n', 1),
        ("harness/common/plan.py", "", 2),
    ],
)
def test_a_planted_fault_is_found(path: str, source: str, count: int):
    """The checker sees a missing docstring, a god-file and an attic."""
    assert count == len(faults(Path(path), source))
