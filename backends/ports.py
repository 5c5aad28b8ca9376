"""Find the file that ports a workload to a backend, and load its `Port`.

Owns the search order: the folders that the user named, then the shipped ones. A user's folder mirrors this package:
`<folder>/<backend>/<workload>.py`, or a package `<folder>/<backend>/<workload>/__init__.py`. Files are loaded by path, so
a folder named `torch` never shadows the framework.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
from typing import Any, List, Sequence

from backends.contract import Port, Unsupported

SHIPPED = os.path.dirname(os.path.abspath(__file__))


def locate(backend: str, workload: str, folders: Sequence[str]) -> str:
    """Return the path of the port's file, or of its package's `__init__.py`.

    Raises:
        Unsupported: no folder has one.
    """
    for folder in list(folders) + [SHIPPED]:
        for name in (workload + ".py", os.path.join(workload, "__init__.py")):
            path = os.path.join(folder, backend, name)
            if os.path.isfile(path):
                return path
    raise Unsupported("backend %s has no port of %s (looked for %s/%s.py)" % (backend, workload, backend, workload))


def load(path: str) -> Any:
    """Return the class `Port` of a port's file.

    Raises:
        Unsupported: the file defines no usable `Port`.
    """
    if path.startswith(SHIPPED + os.sep):
        relative = os.path.relpath(path, os.path.dirname(SHIPPED))[: -len(".py")]
        name = relative.replace(os.sep, ".")
        module = importlib.import_module(name[: -len(".__init__")] if name.endswith(".__init__") else name)
    else:
        digest = hashlib.sha256(path.encode("utf-8")).hexdigest()[:8]
        stem = os.path.basename(os.path.dirname(path) if path.endswith("__init__.py") else path[: -len(".py")])
        name = "user_port_%s_%s" % (stem, digest)
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    port = getattr(module, "Port", None)
    if not (isinstance(port, type) and issubclass(port, Port)) or port is Port:
        raise Unsupported("%s defines no class `Port` derived from backends.contract.Port" % path)
    missing = sorted(getattr(port, "__abstractmethods__", ()))
    if missing:
        raise Unsupported("%s: class Port lacks the required %s" % (path, ", ".join(missing)))
    return port


def sources(path: str, backend: str) -> List[str]:
    """Return the files whose text decides what a port computes: its own, and its backend's that are not ports themselves."""
    shared = os.path.join(SHIPPED, backend)
    own = _modules(os.path.dirname(path)) if path.endswith("__init__.py") else [path]
    return own + [name for name in _modules(shared) if not _defines_port(name)]


def _modules(folder: str) -> List[str]:
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".py")] if os.path.isdir(folder) else []


def _defines_port(path: str) -> bool:
    with open(path, encoding="utf-8") as file:
        return "\nclass Port(" in file.read()


def source_hash(path: str, backend: str) -> str:
    """Return the SHA-256 of `sources`, the identity of what was measured."""
    digest = hashlib.sha256()
    for name in sources(path, backend):
        with open(name, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()
