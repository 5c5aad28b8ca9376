"""The line of a user's code that makes a layer, read from the text of it: nothing is run.

Frameworks name layers in one of four ways that stand in the code: an attribute of a module
(`self.norm = ...`), a keyword (`name="norm"`), a scope (`variable_scope("norm")`) and a member of a
container (`("norm", ...)`). What the pair file's function imports is looked through, as far as it
lies in the user's own folders. A line is named only where it is the only one: a wrong line is
worse than none.
"""

from __future__ import annotations

import ast
import collections
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.pairs.file import FRAMEWORKS, LARGEST, DeclaredSide, PairFile

#: Files of the user's that are read for one side.
MOST_FILES = 200
#: Lines that are listed where several may be it.
MOST_LISTED = 4
SCOPES = ("variable_scope", "name_scope")


@dataclasses.dataclass(frozen=True)
class FoundLine:
    """Where a layer is made, as far as it is known.

    Attributes:
        file: None where nothing is known. line: from 1; None where it is not certain.
        reason: how it was found, or why not.
    """

    file: Path | None
    line: int | None
    reason: str


@dataclasses.dataclass(frozen=True)
class _Naming:
    """One line that gives something a name. `owner`: the class around it. `made`: the class or
    function that is called there, by its last word."""

    name: str
    file: Path
    line: int
    owner: str
    made: str


def of_layer(
    pair: PairFile, side: DeclaredSide, folders: Sequence[Path], words: Sequence[str]
) -> FoundLine:
    """Return the line that makes a layer.

    Args:
        pair: the pair file. side: the function in it that makes the side.
        folders: where the user's packages lie, beside the pair file's own.
        words: of the layer's path on that side, e.g. `("block", "norm")`; empty where what is
            looked for is of no layer.
    """
    begin = FoundLine(
        pair.path,
        side.line,
        f"the function that makes this side; what it imports names no {'/'.join(words)}",
    )
    if not words:
        return dataclasses.replace(begin, reason="the function that makes this side")
    namings = list(_namings(pair, side, folders))
    path = list(words)
    while path:
        candidates = _narrowed(namings, path)
        if len(candidates) == 1:
            made = candidates[0]
            which = "this layer" if path == list(words) else f"{'/'.join(path)}, which holds it"
            reason = f"the only line behind {side.function} that gives the name of {which}"
            return FoundLine(made.file, made.line, reason)
        if candidates:
            listed = ", ".join(f"{item.file}:{item.line}" for item in candidates[:MOST_LISTED])
            more = (
                f" and {len(candidates) - MOST_LISTED} more"
                if len(candidates) > MOST_LISTED
                else ""
            )
            return FoundLine(None, None, f"several lines give that name: {listed}{more}")
        path.pop()
    return begin


def _narrowed(namings: Sequence[_Naming], path: Sequence[str]) -> list[_Naming]:
    """Return the lines that give a path's last word as a name; of several, those in the classes
    that the word before it makes."""
    # A module's attribute may have its name given on the same line.
    lines = {(item.file, item.line): item for item in namings if item.name == path[-1]}
    candidates = list(lines.values())
    if len(candidates) > 1 and len(path) > 1:
        classes = {item.made for item in namings if item.name == path[-2]}
        inside = [item for item in candidates if item.owner in classes]
        return inside or candidates
    return candidates


def _namings(pair: PairFile, side: DeclaredSide, folders: Sequence[Path]) -> Iterator[_Naming]:
    """Yield every line that names something in the side's function and what it imports."""
    roots = [pair.path.parent, *folders]
    tree = _parsed(pair.path)
    if tree is None:
        return
    # The other sides of the same file are no business of this one.
    body = [
        node
        for node in tree.body
        if not isinstance(node, ast.FunctionDef) or node.name == side.function
    ]
    waiting = [(pair.path, ast.Module(body, []), "")]
    seen = {pair.path}
    while waiting and len(seen) <= MOST_FILES:
        path, module, package = waiting.pop(0)
        yield from _of_module(module, path)
        for name in _imported(module, package):
            file = _located(name, roots)
            if file is None or file in seen:
                continue
            seen.add(file)
            further = _parsed(file)
            if further is not None:
                inside = name if file.name == "__init__.py" else name.rpartition(".")[0]
                waiting.append((file, further, inside))


def _parsed(path: Path) -> ast.Module | None:
    """Return a file's syntax; None where it is none that can be read."""
    try:
        if path.stat().st_size > LARGEST:
            return None
        return ast.parse(path.read_bytes(), filename=str(path))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def _imported(module: ast.Module, package: str) -> Iterator[str]:
    """Yield the dotted names of modules that may be imported: `from a import b` may mean `a.b`."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            if base:
                yield base
            yield from (f"{base}.{item.name}".lstrip(".") for item in node.names)


def _located(name: str, roots: Sequence[Path]) -> Path | None:
    """Return the file of a module below the first of the folders that has it."""
    parts = name.split(".")
    if parts[0] in FRAMEWORKS:
        return None  # PYTHONPATH may lead there, and it has names in plenty
    for root in roots:
        folder = root.joinpath(*parts)
        for path in (folder.with_name(f"{folder.name}.py"), folder / "__init__.py"):
            if path.is_file():
                return path
    return None


def _of_module(module: ast.Module, path: Path) -> Iterator[_Naming]:
    """Yield every line of a module that names something."""
    waiting = collections.deque[tuple[ast.AST, str]]([(module, "")])
    while waiting:
        node, owner = waiting.popleft()
        for name, call in _names_given(node):
            line = getattr(node, "lineno", 0)
            yield _Naming(name, path, line, owner, _last_word(call))
        inside = node.name if isinstance(node, ast.ClassDef) else owner
        waiting += [(child, inside) for child in ast.iter_child_nodes(node)]


def _names_given(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield the names that one node gives, each with what has it."""
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Attribute) and isinstance(node.value, ast.Call):
                yield target.attr, node.value
    elif isinstance(node, ast.Call):
        yield from _by_call(node)
    elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
        yield from _members([node.elts[0]], [node.elts[1]])
    elif isinstance(node, ast.Dict):
        yield from _members(node.keys, node.values)


def _by_call(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that a call gives: to what it makes, or to what it is given."""
    for keyword in call.keywords:
        if keyword.arg == "name" and (name := _text(keyword.value)):
            yield name, call
    if _last_word(call) in SCOPES and call.args and (name := _text(call.args[0])):
        yield name, call
    if _last_word(call) == "add_module" and len(call.args) == 2:
        yield from _members([call.args[0]], [call.args[1]])


def _members(
    keys: Sequence[ast.expr | None], values: Sequence[ast.expr]
) -> Iterator[tuple[str, ast.expr]]:
    """Yield the members of a container that are made where they are named."""
    for key, value in zip(keys, values, strict=True):
        if isinstance(value, ast.Call) and key is not None and (name := _text(key)):
            yield name, value


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _last_word(node: ast.expr | None) -> str:
    """Return the last word of what is called: `Linear` of `nn.Linear(3, 4)`."""
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""
