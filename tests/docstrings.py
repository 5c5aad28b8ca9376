"""What docstrings leave out: arguments without a word, and errors that nobody is told of.

Looked at are functions that another room than their own calls, and methods of classes that another
room names; `tests/structure.py` counts them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from tests import rooms

#: What ports are given and raise is the contract's.
PORTS = "backends/ports/"
#: Bases that say nothing of a class's methods. What a class has from any other base outside of the
#: product is documented there.
PLAIN = {"ABC", "Protocol"}
Called = Sequence[tuple[str, ast.FunctionDef]]


def unnamed_arguments(called: Called) -> list[str]:
    """Return which functions have an argument that the docstring does not name.

    One argument alone is what the function is about, and where there is an `Args:`, it says what
    the types do not.
    """
    lacking = []
    for path, function in called:
        text = ast.get_docstring(function) or ""
        names = [name for name in _arguments(function) if name != "self"]
        missing = [name for name in names if not re.search(rf"\b{name}\b", text)]
        if len(names) > 1 and missing and not _has_section(text, "Args"):
            lacking.append(f"{path}:{function.lineno}: {function.name}: {', '.join(missing)}")
    return lacking


def silent_raises(called: Called) -> list[str]:
    """Return which functions raise an error and have no `Raises:`; one that a subclass is to define
    raises none."""
    silent = []
    for path, function in called:
        raised = [
            ast.unparse(node.exc)
            for node in ast.walk(function)
            if isinstance(node, ast.Raise) and node.exc
        ]
        errors = [error for error in raised if error != "NotImplementedError"]
        if errors and not _has_section(ast.get_docstring(function) or "", "Raises"):
            silent.append(f"{path}:{function.lineno}: {function.name}: {errors[0]}")
    return silent


def _arguments(function: ast.FunctionDef) -> list[str]:
    declared = function.args
    return [item.arg for item in (*declared.posonlyargs, *declared.args, *declared.kwonlyargs)]


def _has_section(docstring: str, name: str) -> bool:
    return re.search(rf"^{name}:", docstring, re.MULTILINE) is not None


def called_functions(sources: Mapping[str, str]) -> Called:
    """Return the public functions of modules that another room than their own names, each with its
    path; those of the shipped ports are left out."""
    trees = _trees(sources)
    users = _users(trees)
    return [
        (path, node)
        for path, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and _used_elsewhere(path, node, users)
    ]


def called_methods(sources: Mapping[str, str]) -> Called:
    """Return the public methods of classes that another room names, each with its path, where
    another room calls a method of that name.

    Left out are properties, overloads, and what has its documentation elsewhere: a method that a
    base of the class has, and one that an abstract class has with the same arguments.
    """
    trees = _trees(sources)
    users = _users(trees)
    callers = _callers(trees)
    classes = {
        f"{rooms.module(path)}.{node.name}": (path, node)
        for path, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }
    promised = {
        (method.name, *_arguments(method)): owner
        for owner, (_, node) in classes.items()
        if {_last(base) for base in node.bases} & PLAIN
        for method in _methods(node)
    }
    bases = {name: list(_bases(name, classes, trees)) for name in classes}
    called = []
    for name, (path, node) in classes.items():
        room = rooms.room(rooms.module(path))
        if not _used_elsewhere(path, node, users) or None in bases[name]:
            continue
        inherited = {
            method.name for base in bases[name] if base for method in _methods(classes[base][1])
        }
        called += [
            (path, method)
            for method in _methods(node)
            if method.name not in inherited
            and promised.get((method.name, *_arguments(method)), name) == name
            and callers.get(method.name, set()) - {room}
        ]
    return called


def _trees(sources: Mapping[str, str]) -> dict[str, ast.Module]:
    return {path: ast.parse(source) for path, source in sorted(sources.items())}


def _used_elsewhere(
    path: str, node: ast.FunctionDef | ast.ClassDef, users: Mapping[str, set[str]]
) -> bool:
    module = rooms.module(path)
    others = users.get(f"{module}.{node.name}", set()) - {rooms.room(module)}
    return bool(others) and not node.name.startswith("_") and not path.startswith(PORTS)


def _users(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """Return which rooms name a function or class, by its dotted name."""
    imported = {path: _imported(tree) for path, tree in trees.items()}
    # What one module imports, another may take from it: a package's `__init__` hands functions on.
    handed_on = {
        f"{rooms.module(path)}.{name}": origin
        for path, names in imported.items()
        for name, origin in names.items()
    }
    users: dict[str, set[str]] = {}
    for path, tree in trees.items():
        for name in (*imported[path].values(), *_attributes(tree, imported[path])):
            users.setdefault(handed_on.get(name, name), set()).add(rooms.room(rooms.module(path)))
    return users


def _callers(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """Return which rooms call a method, by its name alone: of what class it is, nobody says."""
    callers: dict[str, set[str]] = {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                callers.setdefault(node.func.attr, set()).add(rooms.room(rooms.module(path)))
    return callers


def _methods(node: ast.ClassDef) -> list[ast.FunctionDef]:
    """Return the public methods of a class that are called as such."""
    return [
        item
        for item in node.body
        if isinstance(item, ast.FunctionDef)
        and not item.name.startswith("_")
        and not {"property", "overload"} & {_last(mark) for mark in item.decorator_list}
    ]


def _bases(
    name: str, classes: Mapping[str, tuple[str, ast.ClassDef]], trees: Mapping[str, ast.Module]
) -> Iterator[str | None]:
    """Yield the bases of a class and theirs by dotted name; None for one that is not of the
    product."""
    path, node = classes[name]
    imported = _imported(trees[path])
    for base in node.bases:
        first, *rest = ast.unparse(base).split("[")[0].split(".")
        origin = imported.get(first, f"{rooms.module(path)}.{first}")
        dotted = ".".join((origin, *rest))
        if dotted in classes:
            yield dotted
            yield from _bases(dotted, classes, trees)
        elif _last(base) not in PLAIN:
            yield None


def _last(node: ast.expr) -> str:
    return ast.unparse(node).split("[")[0].split(".")[-1]


def _imported(tree: ast.Module) -> dict[str, str]:
    """Return what is imported: the dotted name behind each name of the module."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {item.asname or item.name: f"{node.module}.{item.name}" for item in node.names}
        elif isinstance(node, ast.Import):
            for item in node.names:
                bound = item.name if item.asname else item.name.split(".")[0]
                names[item.asname or bound] = bound
    return names


def _attributes(tree: ast.Module, imported: Mapping[str, str]) -> Iterator[str]:
    """Yield the dotted names of what is taken from imported modules, as in `store.read_json`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            first, *rest = ast.unparse(node).split(".")
            if first in imported:
                yield ".".join((imported[first], *rest))
