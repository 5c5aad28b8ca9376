"""Which sides a pair file declares, read from its text: nothing of it is run here, for it may
import frameworks that this interpreter does not have."""

from __future__ import annotations

import ast
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

from harness.errors import UsageError

SUFFIX = ".py"
#: Bytes; a pair file has a few dozen lines.
LARGEST = 1 << 20
#: What pairs import, beside the standard library.
FRAMEWORKS = frozenset(
    {"backends", "jax", "keras", "numpy", "scipy", "tensorflow", "tf_keras", "torch"}
)
EXAMPLE = '@pair.side("torch")'


@dataclasses.dataclass(frozen=True)
class DeclaredSide:
    """One function marked with `@pair.side(build)`."""

    build: str
    function: str
    line: int


@dataclasses.dataclass(frozen=True)
class PairFile:
    """What a pair file declares. `sides`: in the order in which they stand there. `data`: the name
    of the function of the data."""

    path: Path
    sides: tuple[DeclaredSide, ...]
    data: str

    @property
    def name(self) -> str:
        """What the pair is called in tables."""
        return self.path.stem

    @property
    def map_path(self) -> Path:
        """Where `harness map` writes which part is which."""
        return self.path.with_suffix(".map.toml")


def read(path: Path) -> PairFile:
    """Return what a pair file declares.

    Args:
        path: as the user gave it.

    Raises:
        UsageError: there is no such file, it is no Python, or it does not declare two sides and the
            data.
    """
    if not path.is_file():
        raise UsageError(
            f"{path}: there is no such pair file. Write one with: harness init {path.stem}"
        )
    if path.suffix != SUFFIX:
        raise UsageError(f"{path}: a pair file is a Python file, so that its name ends in .py.")
    if why := hiding(path):
        raise UsageError(f"{path}: {why}")
    if path.stat().st_size > LARGEST:
        raise UsageError(f"{path}: {path.stat().st_size} bytes are no pair file.")
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        where = f"{path}:{line}" if line else str(path)
        raise UsageError(f"{where}: no Python: {getattr(error, 'msg', error)}.") from error
    sides: list[DeclaredSide] = []
    data: list[str] = []
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            sides += _sides(function, path)
            data += [function.name for item in function.decorator_list if _word(item) == "data"]
    if len(sides) < 2:
        raise UsageError(
            f"{path}: {_count(len(sides))}; two are needed. Mark the function that makes each model"
            f" with its build, e.g. {EXAMPLE}."
        )
    if len(data) != 1:
        raise UsageError(
            f"{path}: {len(data) or 'no'} functions are marked with @pair.data; one is needed, and"
            " it returns pair.arrays(x=..., y=..., batch=32)."
        )
    return PairFile(path.absolute(), tuple(sides), data[0])


def hiding(path: Path) -> str:
    """Return why a pair file cannot have its name, or an empty text: its folder is where modules
    are looked for first, so that it would be imported in the place of a framework.

    Args:
        path: of the file.
    """
    if path.stem not in FRAMEWORKS and path.stem not in sys.stdlib_module_names:
        return ""
    return f"of that name it would hide the module {path.stem} from what imports it. Rename it."


def _count(sides: int) -> str:
    return "one side is declared" if sides else "no side is declared"


def _word(decorator: ast.expr) -> str:
    """Return the last word of a decorator: `side` of `pair.side(...)`."""
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    if isinstance(decorator, ast.Attribute):
        return decorator.attr
    return decorator.id if isinstance(decorator, ast.Name) else ""


def _sides(function: ast.FunctionDef, path: Path) -> Iterator[DeclaredSide]:
    for decorator in function.decorator_list:
        if _word(decorator) != "side":
            continue
        words = decorator.args if isinstance(decorator, ast.Call) else []
        if len(words) != 1 or not isinstance(words[0], ast.Constant):
            raise UsageError(
                f"{path}:{function.lineno}: `{function.name}` is marked with"
                f" @{ast.unparse(decorator)}; the name of a build is wanted there, spelled out,"
                f" e.g. {EXAMPLE}."
            )
        build = words[0].value
        if not isinstance(build, str):
            raise UsageError(
                f"{path}:{function.lineno}: @pair.side({build!r}) is no name of a build. Give one,"
                f" e.g. {EXAMPLE}."
            )
        yield DeclaredSide(build, function.name, function.lineno)
