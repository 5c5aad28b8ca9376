"""The numbers of the house: what can be counted of how readable the product's code is; of tests,
the form alone.

    python -m tests.structure            prints them, and ends with 1 beyond a limit
    python -m tests.structure --where    also says where

`.ci/run` calls it; `docs/architecture.md` says what each is for. Every count is shown on planted
code by `tests/test_structure.py`.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tests import docstrings, rooms, words

ROOT = Path(__file__).parents[1]
WIDTH = 100
MOST_POSITIONAL = 6
MOST_STATEMENTS = 40
MOST_CODE = 300
#: Lines in a row that two places may share.
SHARED = 6
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
#: A field or a parameter with its type.
DECLARED = re.compile(r"\w+: [\w\[\], |.\"]+")
#: Names that say nothing of what is held.
EMPTY_WORDS = {"found", "one", "told", "asked", "given"}
Found = Iterator[tuple[int, str]]
#: Of a module's path and text, to what it sees there: lines, each with what is wrong.
Counter = Callable[[str, str], Found]


def wide_lines(path: str, source: str) -> Found:
    """Lines of more than `WIDTH` columns."""
    for number, line in enumerate(source.splitlines(), 1):
        if len(line) > WIDTH:
            yield number, f"{len(line)} columns"


def nested_comprehensions(path: str, source: str) -> Found:
    """Comprehensions inside a comprehension."""
    seen = set()
    for outer in ast.walk(ast.parse(source)):
        if isinstance(outer, COMPREHENSIONS):
            for inner in ast.walk(outer):
                if inner is not outer and isinstance(inner, COMPREHENSIONS) and inner not in seen:
                    seen.add(inner)
                    yield inner.lineno, "a comprehension inside a comprehension"


def crowded_calls(path: str, source: str) -> Found:
    """Calls with more than `MOST_POSITIONAL` positional arguments."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and len(node.args) > MOST_POSITIONAL:
            yield node.lineno, f"{ast.unparse(node.func)} is given {len(node.args)} by position"


def long_functions(path: str, source: str) -> Found:
    """Functions of more than `MOST_STATEMENTS` statements, docstring and inner functions apart."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, FUNCTIONS) and (count := _statements(node)) > MOST_STATEMENTS:
            yield node.lineno, f"{node.name} has {count} statements"


def _statements(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    count, waiting = 0, list(function.body[1:] if ast.get_docstring(function) else function.body)
    while waiting:
        node = waiting.pop()
        count += isinstance(node, ast.stmt)
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            waiting += [
                child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr)
            ]
    return count


def spelled_verdicts(path: str, source: str) -> Found:
    """Verdicts, statuses and stages as string literals, outside the enumerations
    (`tests.words`)."""
    for line, word in words.spelled(path, source):
        yield line, f"{word!r}"


def empty_names(path: str, source: str) -> Found:
    """Locals, arguments and functions with a name that says nothing of what they hold or do."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            name = node.name
        else:
            continue
        if name.strip("_").lower() in EMPTY_WORDS:
            yield node.lineno, f"{name} names nothing"


def big_modules(path: str, source: str) -> Found:
    """Modules of more than `MOST_CODE` lines that are no docstring."""
    count = source.count("\n") - docstring_lines(ast.parse(source))
    if count > MOST_CODE:
        yield 1, f"{count} lines of code"


def docstring_lines(tree: ast.Module) -> int:
    """Return how many lines of a module are docstrings."""
    documented = (ast.Module, ast.ClassDef, *FUNCTIONS)
    first = [
        node.body[0]
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node)
    ]
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in first)


#: What is counted in every module: a name, how many there may be, and the counter.
COUNTS: dict[str, tuple[int, Counter]] = {
    f"lines over {WIDTH} columns": (0, wide_lines),
    "comprehensions inside a comprehension": (0, nested_comprehensions),
    f"calls with more than {MOST_POSITIONAL} positional arguments": (0, crowded_calls),
    f"functions over {MOST_STATEMENTS} statements": (0, long_functions),
    "words of enumerations as literals outside them": (0, spelled_verdicts),
    "names that say nothing": (0, empty_names),
    f"modules over {MOST_CODE} lines of code": (0, big_modules),
}


PROGRAMS = "tests/evaluation"
#: Ports as strangers wrote them, which tests judge.
STRANGERS = "tests/data/cases"
#: What the programs are held to as well, counts of form alone; and how many of each the other tests
#: have, which may become fewer.
FORM: dict[Counter, int] = {
    wide_lines: 0,
    nested_comprehensions: 75,
    crowded_calls: 102,
    long_functions: 0,
}


def counted(texts: Mapping[str, str], count: Counter) -> list[str]:
    """Return where one counter sees something, in the order of paths and lines."""
    return [
        f"{path}:{line}: {text}"
        for path, source in sorted(texts.items())
        for line, text in count(path, source)
    ]


def repeats(sources: Mapping[str, str]) -> list[str]:
    """Return where a window of `SHARED` lines of code stands a second time, one entry a stretch.

    Blank lines, comments, imports, lines of brackets alone, and fields or parameters that are
    nothing but a name and its type are left out before: they are no logic.
    """
    places: dict[tuple[str, ...], str] = {}
    again = []
    for path, source in sorted(sources.items()):
        lines = list(_code(source))
        inside = False
        for start in range(len(lines) - SHARED + 1):
            window = tuple(text for _, text in lines[start : start + SHARED])
            where = f"{path}:{lines[start][0]}"
            known = places.setdefault(window, where) != where
            if known and not inside:
                again.append(f"{where}: as {places[window]}")
            inside = known
    return again


def _code(source: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(source.splitlines(), 1):
        text = line.strip()
        if text.startswith(("#", "import ", "from ", '"""')) or DECLARED.fullmatch(text):
            continue
        if text.strip("()[]{},:"):
            yield number, text


def sources(root: Path = ROOT, folders: Iterable[str] = tuple(rooms.FLOORS)) -> dict[str, str]:
    """Return the text of every module below some folders, those of the product unless told
    otherwise, by its path below the root."""
    paths = [path for folder in folders for path in (root / folder).rglob("*.py")]
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def shared_names(texts: Mapping[str, str]) -> list[str]:
    """Return the public classes of the orchestrator that have the name of another one: what a name
    means is not to be told by where it was imported from. Backends have the same names on purpose:
    what one calls its part of a port, all do."""
    places: dict[str, list[str]] = {}
    for path, source in sorted(texts.items()):
        classes = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
        for node in classes:
            if path.startswith("harness/") and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(f"{path}:{node.lineno}")
    return [f"{name}: {', '.join(where)}" for name, where in places.items() if len(where) > 1]


#: Repeated stretches in the code as it is; it may become fewer.
REPEATS = 0


def numbers(root: Path = ROOT) -> list[tuple[str, int, int, list[str]]]:
    """Return what is counted, how many there are, how many there may be, and where they are."""
    texts, programs = sources(root), sources(root, (PROGRAMS,))
    others = {
        path: source
        for path, source in sources(root, ("tests",)).items()
        if path not in programs and not path.startswith(f"{STRANGERS}/")
    }
    rows = []
    for name, (limit, count) in COUNTS.items():
        where = counted(texts, count)
        rows.append((name, len(where), limit, where))
        if count in FORM:
            where = counted(programs, count)
            rows.append((f"{name}, in {PROGRAMS}", len(where), limit, where))
            where = counted(others, count)
            rows.append((f"{name}, in other tests", len(where), FORM[count], where))
    graph = rooms.imports(rooms.sources(root))
    files = [path.name for path in (root / "harness").glob("*.py")]
    rows.append(("Python files at the root of harness/", len(files), 4, files))
    for name, circles in (
        ("circles of imports between files", rooms.circles(graph)),
        ("circles of imports between rooms", rooms.circles(rooms.between_rooms(graph))),
    ):
        rows.append((name, len(circles), 0, [" ".join(circle) for circle in circles]))
    gerunds = words.gerunds(texts)
    rows.append(("modules named after an activity", len(gerunds), 0, gerunds))
    shared = shared_names(texts)
    rows.append(("names that two classes have", len(shared), 0, shared))
    upwards = rooms.upwards(graph)
    rows.append(("imports that lead upwards", len(upwards), 0, upwards))
    for kind, called in (
        ("functions", docstrings.called_functions(texts)),
        ("methods", docstrings.called_methods(texts)),
    ):
        for what, places in (
            ("whose arguments the docstring does not name", docstrings.unnamed_arguments(called)),
            ("that raise without saying so", docstrings.silent_raises(called)),
        ):
            rows.append((f"{kind} that other rooms call {what}", len(places), 0, places))
    again = repeats(texts)
    rows.append(
        (f"stretches of {SHARED} lines or more that stand twice", len(again), REPEATS, again)
    )
    return rows


def main(arguments: Sequence[str]) -> int:
    """Print the numbers; return 1 where one is beyond its limit."""
    rows = numbers()
    for name, count, limit, where in rows:
        mark = " " if count <= limit else "!"
        print(f"{mark} {count:5d} (at most {limit}) {name}")
        if "--where" in arguments:
            print("".join(f"          {line}\n" for line in where), end="")
    return int(any(count > limit for _, count, limit, _ in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
