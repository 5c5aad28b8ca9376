"""A module's text and its syntax tree together: where a node lies in the text, and which parts of
the tree compute something.

Left out, for they decide nothing that is computed: docstrings, annotations, errors and the guards
that raise them, text, what is only a label of a dtype, and the device, of which a CPU has one.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

#: Where a port notes the dtypes that it has met; a report shows them, nothing is computed from
#: them.
LABELS = ("observed_dtypes",)
#: Keyword arguments that say where a tensor lies.
PLACES = ("device",)
TENSOR = "torch.Tensor"
#: A node's class, its first line and column, and its last.
Site = tuple[str, int, int, int, int]


class Source:
    """One module.

    Args:
        name: its path relative to the torch backend, with slashes.
        text: what it says.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text, self.tree = name, text, ast.parse(text)
        lines = text.splitlines(keepends=True)
        self._starts = [0, *itertools.accumulate(len(line) for line in lines)]
        self._lines = [line.encode("utf-8") for line in lines]
        self._kinds: dict[int, str] = {}
        for function in ast.walk(self.tree):
            if isinstance(function, ast.FunctionDef):
                given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
                named = {
                    item.arg: self.segment(item.annotation) if item.annotation else item.arg
                    for item in given
                }
                inside = (
                    node
                    for node in ast.walk(function)
                    if isinstance(node, ast.Name) and node.id in named
                )
                self._kinds.update((id(node), named[node.id]) for node in inside)

    def offset(self, line: int, column: int) -> int:
        """Return the place in the text of a node's line, from 1, and column, in bytes of UTF-8."""
        return self._starts[line - 1] + len(self._lines[line - 1][:column].decode("utf-8"))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return where a node begins and ends in the text."""
        return self.offset(node.lineno, node.col_offset), self.offset(
            node.end_lineno, node.end_col_offset
        )

    def segment(self, node: ast.AST) -> str:
        """Return a node's own text."""
        start, end = self.span(node)
        return self.text[start:end]

    def kind(self, node: ast.AST) -> str:
        """Return an expression's type, as far as a parameter's annotation or a display tells;
        all else is taken for a tensor."""
        if isinstance(node, (ast.Dict, ast.List, ast.ListComp)):
            return type(node).__name__.replace("Comp", "")
        found = self._kinds.get(id(node), TENSOR)
        return TENSOR if found == "Tensor" else found

    def line(self, offset: int) -> int:
        """Return the number, from 1, of the line that holds a place in the text."""
        return self.text.count("\n", 0, offset) + 1

    def computing(self) -> Iterator[tuple[ast.AST, str]]:
        """Yield every node that takes part in a computation, with the qualified name of the
        function it is in."""
        yield from _walk(self.tree, "")


def _walk(node: ast.AST, function: str) -> Iterator[tuple[ast.AST, str]]:
    if _idle(node):
        return
    yield node, function
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        function = f"{function}.{node.name}".lstrip(".")
    for child in _children(node):
        yield from _walk(child, function)


def _idle(node: ast.AST) -> bool:
    """Return whether nothing below a node is computed with."""
    if isinstance(node, (ast.Raise, ast.Import, ast.ImportFrom, ast.JoinedStr)):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if (
        isinstance(node, ast.If)
        and not node.orelse
        and all(_idle(statement) for statement in node.body)
    ):
        return True
    if isinstance(node, (ast.Expr, ast.Assign)):
        target = node.value if isinstance(node, ast.Expr) else node.targets[0]
        return any(
            isinstance(part, ast.Attribute) and part.attr in LABELS for part in ast.walk(target)
        )
    return False


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is evaluated below a node: no annotations, and no argument that names a place."""
    if isinstance(node, ast.FunctionDef):
        yield from (
            *node.args.defaults,
            *(value for value in node.args.kw_defaults if value),
            *node.body,
        )
    elif isinstance(node, ast.AnnAssign):
        yield from [node.value] if node.value else []
    elif isinstance(node, ast.Call):
        yield from (
            node.func,
            *node.args,
            *(item.value for item in node.keywords if item.arg not in PLACES),
        )
    else:
        yield from ast.iter_child_nodes(node)


def site(node: ast.AST) -> Site:
    """Return what tells a node from all others of a module, however often its text is parsed."""
    return type(node).__name__, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def is_text(node: ast.AST) -> bool:
    """Return whether an expression is text as far as the syntax tells: a literal, or one with
    something put in or joined to it."""
    if isinstance(node, ast.BinOp):
        return is_text(node.left) or (isinstance(node.op, ast.Add) and is_text(node.right))
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def is_list(node: ast.AST) -> bool:
    """Return whether an expression is a list as far as the syntax tells."""
    if isinstance(node, ast.BinOp):
        return is_list(node.left) or is_list(node.right)
    return isinstance(node, (ast.List, ast.ListComp))


def number(node: ast.AST) -> int | float | None:
    """Return the value of a literal number, signed or not; None for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = number(node.operand)
        return None if inner is None else -inner
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, (int, float))
        and not isinstance(node.value, bool)
    ):
        return node.value
    return None
