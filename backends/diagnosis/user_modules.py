"""Which files of the user's own decide what a port computes: what has been imported that is no part
of an installation.

A port may import helpers from anywhere: from its own folder, from one beside it, from the project
that it wraps. Python knows what was imported, so nothing has to be declared. Files that frameworks
write at run time (AutoGraph, compilers) are not the user's.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
import tempfile
import types
from typing import Dict, Iterable, List, Sequence, Tuple

SHIPPED = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
#: Folders of installed packages, wherever they lie.
PACKAGES = ("site-packages", "dist-packages")
GENERATED = "__autograph_generated_file"
_INSTALLED = [
    sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")
]
#: Folders of installations and of this package, each with a separator at its end.
_STANDARD = tuple(
    os.path.join(os.path.realpath(folder), "")
    for folder in [*_INSTALLED, os.path.dirname(os.__file__), SHIPPED]
)


def files(folders: Sequence[str]) -> List[str]:
    """Return the real paths of all imported files below these folders, sorted; installed packages
    are not counted.
    """
    own = {path for path in _imported() if _is_own(path)}
    return sorted(path for path in own if _below_any(path, folders))


def outside(folders: Sequence[str]) -> List[str]:
    """Return the real paths of all imported files that are neither installed, nor of this package,
    nor below these folders, sorted.

    To be called once the port is built and before it runs: compilers import what they have written.
    """
    scratch = tempfile.gettempdir()
    own = {path for path in _imported() if _is_own(path)}
    return sorted(path for path in own if not _below_any(path, [*folders, scratch]))


def is_users(path: str) -> bool:
    """Whether a file of source is neither installed nor a part of this package."""
    return os.path.isfile(path) and _is_own(os.path.realpath(path))


def is_module(path: str) -> bool:
    """Whether there is a module at a path.

    It is what Python's own import takes for one: a file, once links are followed, whose name can be
    written in a program. So no folder, FIFO, device, socket, or link that leads nowhere is one,
    whatever it is called, and no hidden file, such as the links that Emacs locks a file with.
    """
    name = os.path.basename(path)
    return name.endswith(".py") and not name.startswith(".") and os.path.isfile(path)


def below(path: str, folder: str) -> bool:
    """Whether a path lies below a folder, links resolved."""
    return os.path.realpath(path).startswith(os.path.join(os.path.realpath(folder), ""))


def _below_any(path: str, folders: Sequence[str]) -> bool:
    return any(below(path, folder) for folder in folders)


def listed(paths: Iterable[str], folders: Sequence[str]) -> List[Tuple[str, str]]:
    """Return (name, SHA-256) of each file, sorted, each file once.

    Names are relative to the first folder that holds the file, or to the first folder, so that a
    copy of the folders elsewhere has the same names.

    Args:
        paths: of files; links are followed. folders: at least one.
    """
    hashes: Dict[str, str] = {}
    for path in paths:
        real = os.path.realpath(path)
        home = next((folder for folder in folders if below(real, folder)), folders[0])
        with open(real, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        hashes[os.path.relpath(real, os.path.realpath(home)).replace(os.sep, "/")] = digest
    return sorted(hashes.items())


def _imported() -> List[str]:
    """Return the real paths of all imported files that are no part of an installation."""
    paths = []
    # A program may have put anything there.
    modules: List[object] = list(sys.modules.values())
    for module in modules:
        # Not getattr: a module that is loaded on demand would be loaded now.
        path = vars(module).get("__file__") if isinstance(module, types.ModuleType) else None
        if isinstance(path, str) and not _packaged(path) and os.path.isfile(path):
            paths.append(os.path.realpath(path))
    return paths


def _packaged(path: str) -> bool:
    return any(part in PACKAGES for part in path.split(os.sep))


def _is_own(path: str) -> bool:
    """Whether a real path is no part of an installation."""
    if _packaged(path) or os.path.basename(path).startswith(GENERATED):
        return False
    return not path.startswith(_STANDARD)
