"""Which pages of `docs/` the messages of the product point to, by their source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PAGE = re.compile(r"docs/[\w/-]+\.md")


def pages_named(folder: Path) -> set[str]:
    """Return the pages that modules below a folder ask the address of."""
    return {
        name
        for path in sorted(folder.rglob("*.py"))
        for name in asked(ast.parse(path.read_text(encoding="utf-8")))
    }


def asked(tree: ast.AST) -> Iterator[str]:
    """Yield the page of every call of `pages.address`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pages.address":
            (name,) = node.args
            assert isinstance(name, ast.Constant)
            yield str(name.value)


def written_out(tree: ast.AST) -> Iterator[str]:
    """Yield the pages that a module's texts name without asking for their address; docstrings and
    comments are no messages."""
    silent = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and ast.get_docstring(node, clean=False) is not None
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in silent:
            yield from PAGE.findall(str(node.value))
