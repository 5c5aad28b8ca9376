"""What a foreign interpreter gets to see: a folder that holds the package `backends` and nothing
else.

When the harness is installed, `backends` lies in site-packages; a worker started there would find
the orchestrator's NumPy, made for another Python. So the package is copied to a folder of its own,
named by its content: workers of an older harness keep theirs, and a copy is made once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from backends import contract
from harness.environments import ownership
from harness.errors import BuildError, remedy
from harness.workloads.modules import is_module

APPLICATION = "parity-harness"
_LEFT_OUT = ("__pycache__", "requirements")


def cache(environ: Mapping[str, str]) -> Path:
    """Return the folder for what can be made again: XDG_CACHE_HOME, or the platform's place below
    HOME."""
    named = Path(environ.get("XDG_CACHE_HOME", ""))
    if named.is_absolute():  # the XDG specification has a relative one ignored
        return named / APPLICATION
    home = environ.get("HOME")
    if not home:
        return _without_home()
    return Path(home) / ("Library/Caches" if sys.platform == "darwin" else ".cache") / APPLICATION


def _without_home() -> Path:
    """Return the cache of a user who has no other place, in the folder for temporary files, which
    every worker needs.

    Raises:
        BuildError: none can be written.
    """
    try:
        return Path(tempfile.gettempdir()) / f"{APPLICATION}-{os.getuid()}"
    except FileNotFoundError as error:
        raise BuildError(
            f"temporary files cannot be written ({error.strerror}). Make room in one of these, or"
            " set TMPDIR to a folder that can be written."
        ) from error


def prepare(environ: Mapping[str, str], package: Path | None = None) -> Path:
    """Copy `backends` to a folder of its own, once for each content.

    Args:
        environ: the process environment.
        package: the package's folder; the one that this harness imports, if not given.

    Returns:
        The folder to start workers in; it holds `backends`. Absolute.

    Raises:
        BuildError: it cannot be written, or others could change what is run from it.
    """
    package = package or Path(contract.__file__).resolve().parent
    files = _files(package)
    digest = _digest(package, files)
    own = _without_home()
    target = _target(cache(environ), digest)
    try:
        if _stranger(target):
            # As pip does: a cache that is not one's own is not used.
            own.mkdir(mode=0o700, exist_ok=True)
            target = _target(own, digest)
            if why := _stranger(target):
                raise BuildError(
                    f"workers would run what is below {target}, and others could change it: {why}."
                    " Set XDG_CACHE_HOME to a folder of your own, in which nobody else may write."
                )
        copy = target / "backends"
        if not (copy.is_dir() and _digest(copy, _files(copy)) == digest):
            _install(package, files, target)
    except OSError as error:
        raise BuildError(
            f"cannot write the worker's folder {target}: {error.strerror}."
            f" {remedy(error)}, or set XDG_CACHE_HOME to a folder that can be written."
        ) from error
    return target


def _target(folder: Path, digest: str) -> Path:
    """Return where a copy lies in a cache, without links: nobody can turn one elsewhere later."""
    return Path(os.path.realpath(folder / "worker" / digest[:16]))


def _stranger(target: Path) -> str:
    """Return who else could change what workers run, the compiled files beside the sources too."""
    items = ((item, item.lstat()) for item in target.rglob("*"))
    below = (why for item, state in items if (why := ownership.exposed(item, state)))
    return ownership.stranger(target) or next(below, "")


def content(folder: Path) -> str:
    """Return a hash of the Python modules below a folder.

    What is no module is left alone: nobody waits for a FIFO, or reads a device.
    """
    paths = [path for path in folder.rglob("*.py") if "__pycache__" not in path.parts]
    modules = [path.relative_to(folder) for path in paths if is_module(path)]
    return _digest(folder, sorted(modules))


def _files(package: Path) -> list[Path]:
    """Return the relative paths of a package's files, sorted, without caches and pins."""
    paths = (path.relative_to(package) for path in package.rglob("*") if path.is_file())
    return sorted(path for path in paths if not _left_out(path))


def _left_out(path: Path) -> bool:
    return any(part in _LEFT_OUT or part.startswith(".") for part in path.parts)


def _digest(package: Path, files: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        text = (package / path).read_bytes()
        digest.update(f"{path.as_posix()}\0{len(text)}\0".encode() + text)
    return digest.hexdigest()


def _install(package: Path, files: list[Path], target: Path) -> None:
    """Copy the files beside `target` and rename: no worker ever sees half a package."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        fresh = Path(scratch) / "fresh"
        for path in files:
            (fresh / "backends" / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(package / path, fresh / "backends" / path)
        if target.exists():  # altered by hand
            target.rename(Path(scratch) / "altered")
        try:
            fresh.rename(target)
        except OSError:
            if not target.is_dir():  # else another harness was faster, with the same content
                raise
