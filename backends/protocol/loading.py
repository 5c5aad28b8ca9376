"""Find the file that ports a workload to a backend, and load its `Port`.

Owns the search order: the folders that the user named, then the shipped ones; or one folder alone,
for which nothing stands in. A user's folder is laid out as `backends/ports` is:
`<folder>/<backend>/<workload>.py`, or a package `<folder>/<backend>/<workload>/__init__.py`. Files
are loaded by path, so a folder named `torch` never shadows the framework.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
import types
from typing import Any, List, Sequence, Tuple

from backends.contract import Unsupported
from backends.diagnosis import promises, user_modules

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
#: The shipped ports lie as a user's do.
SHIPPED = os.path.join(PACKAGE, "ports")


def locate(backend: str, workload: str, folders: Sequence[str], only: bool = False) -> str:
    """Return the path of the port's file, or of its package's `__init__.py`.

    Args:
        backend: its folder.
        workload: the file's name.
        folders: the user's, in which to look first.
        only: look into the first of them and nowhere else.

    Raises:
        Unsupported: no folder has one.
    """
    searched = list(folders[:1]) if only else list(folders) + [SHIPPED]
    for folder in searched:
        for name in (workload + ".py", os.path.join(workload, "__init__.py")):
            path = os.path.join(folder, backend, name)
            if os.path.isfile(path):
                return path
    nowhere_else = f" in {folders[0]}, and nowhere else" if only else ""
    raise Unsupported(
        f"backend {backend} has no port of {workload}"
        f" (looked for {backend}/{workload}.py{nowhere_else})"
    )


def load(path: str) -> Any:
    """Return the class `Port` of a port's file.

    Raises:
        BrokenPort: the file defines no usable `Port`.
    """
    module = _load_shipped(path) if path.startswith(SHIPPED + os.sep) else _load_users(path)
    port = getattr(module, "Port", None)
    promises.check_class(port, path)
    return port


def _load_shipped(path: str) -> types.ModuleType:
    relative = os.path.relpath(path, os.path.dirname(PACKAGE))[: -len(".py")]
    name = relative.replace(os.sep, ".")
    if name.endswith(".__init__"):
        name = name[: -len(".__init__")]
    return importlib.import_module(name)


def _load_users(path: str) -> types.ModuleType:
    """Load a user's file under a name of its own: another one's may have the same stem."""
    mark = hashlib.sha256(path.encode("utf-8")).hexdigest()[:8]
    stem = os.path.basename(
        os.path.dirname(path) if path.endswith("__init__.py") else path[: -len(".py")]
    )
    name = f"user_port_{stem}_{mark}"
    spec = importlib.util.spec_from_file_location(name, path)
    # A file that ends in .py has both.
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def sources(
    path: str, backend: str, folders: Sequence[str] = (), also: Sequence[str] = ()
) -> List[Tuple[str, str]]:
    """Return (name, SHA-256) of the files whose text decides what a port computes, sorted.

    They are the port's own or its package's, its backend's, and what has been imported from the
    user's folders.

    Args:
        path: of the port.
        backend: its folder.
        folders: the user's.
        also: files that belong to it in another way, e.g. the workload's, or
            `user_modules.outside`.
    """
    own = _modules(os.path.dirname(path)) if path.endswith("__init__.py") else [path]
    shared = _modules(os.path.join(PACKAGE, backend))
    users = [
        name
        for name in own + user_modules.files(folders) + list(also)
        if not user_modules.below(name, PACKAGE)
    ]
    ours = own + shared + list(also)
    shipped = [name for name in ours if user_modules.below(name, PACKAGE)]
    hashes = user_modules.listed(shipped, [os.path.dirname(PACKAGE)])
    if users:
        # A port that is loaded by its path alone lies two levels below its folder.
        homes = list(folders) or [os.path.dirname(os.path.dirname(path))]
        hashes += user_modules.listed(users, homes)
    return sorted(hashes)


def adapter_modules(backend: str) -> List[str]:
    """Return the paths of the modules that make ports of objects: those of every backend, and a
    backend's own.

    Args:
        backend: its folder.
    """
    return _modules(os.path.join(PACKAGE, "adapter")) + _modules(
        os.path.join(PACKAGE, backend, "adapter")
    )


def _modules(folder: str) -> List[str]:
    """Return the paths of a folder's own modules, sorted; none if there is no such folder."""
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    paths = [os.path.join(folder, name) for name in names]
    return [path for path in paths if user_modules.is_module(path)]


def source_hash(path: str, backend: str) -> str:
    """Return the identity of a port that has not been loaded."""
    return digest(sources(path, backend))


def digest(hashes: Sequence[Tuple[str, str]]) -> str:
    """Return the SHA-256 of what `sources` returns: the identity of what was measured."""
    lines = "".join(f"{name} {sha256}\n" for name, sha256 in hashes)
    return hashlib.sha256(lines.encode("utf-8")).hexdigest()
