"""The file of a project, `harness.toml` or the table `[tool.harness]` of `pyproject.toml`: builds
of the user's own, and defaults of options by command.

    [builds.torch24]
    build = "torch"
    requirements = ["torch==2.4.1"]

    [compare]
    precision = ["fp64"]
    budget = 600
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.errors import UnknownName, UsageError
from harness.records import files

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = "harness.toml"
SHARED_FILE = "pyproject.toml"
BUILDS = "builds"
#: Commands whose options may have defaults there; none that deletes.
COMMANDS = (
    *("bisect", "check", "compare", "convert", "describe", "generate", "map", "nightly"),
    *("repeat", "run", "selfcheck", "train"),
)


@dataclasses.dataclass(frozen=True)
class ProjectFile:
    """What a project says.

    Attributes:
        path: of the file. where: it and, in a shared file, the table, for messages.
        builds: by name, unchecked. defaults: of a command, its options, unchecked.
    """

    path: Path
    where: str
    builds: Mapping[str, Any]
    defaults: Mapping[str, Mapping[str, Any]]


def find(folders: Iterable[Path]) -> ProjectFile | None:
    """Return what the first folder says that says anything, or None.

    Only folders that the user named or stands in should be looked at: the file names interpreters
    and folders with code.

    Args:
        folders: where to look, in order.

    Raises:
        UsageError: a file cannot be read, a table is none, or a folder has both files.
        UnknownName: a table that is not known.
    """
    for folder in folders:
        own, shared = folder / FILE, folder / SHARED_FILE
        table = _shared(shared) if _is_there(shared) else None
        if _is_there(own):
            if table is not None:
                raise UsageError(f"{own}: {shared} has [tool.harness] too. Keep one of them.")
            return _checked(own, str(own), _parsed(own, files.read_text(own)))
        if table is not None:
            return _checked(shared, f"{shared}: [tool.harness]", table)
    return None


def _is_there(path: Path) -> bool:
    """Whether there is a file; not where nobody may look: whoever reads the pair there says so."""
    try:
        return path.is_file()
    except OSError:
        return False


def _shared(path: Path) -> Any:
    """Return the harness's table of a file that other programs share, or None. A file without it
    is nobody's business here, whatever is wrong with it."""
    text = files.read_bytes(path).decode("utf-8", "replace")
    if "harness" not in text:
        return None
    tool = _parsed(path, text).get("tool", {})
    return tool.get("harness") if isinstance(tool, dict) else None


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return dict(tomllib.loads(text))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: no TOML: {error}") from error


def _checked(path: Path, where: str, content: Any) -> ProjectFile:
    """Return what a file says, where each table is one and has a name that is known."""
    if not isinstance(content, dict):
        raise UsageError(f"{where}: it is no table.")
    for name, table in content.items():
        if name not in (BUILDS, *COMMANDS):
            raise UnknownName(f"table of {where}:", name, (BUILDS, *COMMANDS))
        if not isinstance(table, dict):
            kind = "tables [builds.NAME] are" if name == BUILDS else f"a table [{name}] is"
            raise UsageError(f"{where}: {name}: {kind} known.")
    defaults = {name: table for name, table in content.items() if name != BUILDS}
    return ProjectFile(path, where, content.get(BUILDS, {}), defaults)
