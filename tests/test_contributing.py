"""CONTRIBUTING's first hour leads to what is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SPAN = re.compile(r"`([^`\n]+)`")


def test_the_first_hour_names_every_test_of_its_sentence():
    """CONTRIBUTING's small change: who follows it sees the tests fail that it names, and no
    other."""
    text = " ".join((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split())
    change = text.partition("**Change something small.**")[2].partition("**What a reviewer")[0]
    (sentence,) = re.findall(r'grep -rn "([^"]+)"', change)
    (path,) = {
        name for name in SPAN.findall(change) if re.fullmatch(r"tests/\S+/test_\w+\.py", name)
    }
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    holding = [
        node.name
        for node in ast.parse("\n".join(lines)).body
        if isinstance(node, ast.FunctionDef)
        and sentence in "\n".join(lines[_first_line(node) - 1 : node.end_lineno])
    ]
    assert holding and sorted(holding) == sorted(re.findall(r"`(test_\w+)`", change))


def _first_line(node: ast.FunctionDef) -> int:
    """Return where a function begins, decorators included."""
    return min(item.lineno for item in (node, *node.decorator_list))
