"""Where CPython interpreters of a given version are: PATH, and the folders of pyenv, uv and conda.

Those tools keep interpreters that are on no PATH, and pyenv puts shims on PATH that exit with 127
for versions that are not selected. So candidates are judged by layout and file facts here, no
process is started; a caller that may start one passes `works`. Standard library only: tox's inline
plugin imports this module too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

#: Folders that hold launchers for interpreters elsewhere: pyenv, asdf and mise.
SHIM_FOLDERS = frozenset({"shims"})
CONDA_ROOTS = (
    "miniconda3",
    "anaconda3",
    "miniforge3",
    "mambaforge",
    "micromamba",
    "opt/miniconda3",
    "opt/anaconda3",
)
_VERSIONED = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


def find(
    minor: str, environ: Mapping[str, str], works: Callable[[Path], bool] | None = None
) -> list[Path]:
    """Return the interpreters of one minor version, the most preferred first.

    Args:
        minor: e.g. "3.7".
        environ: the process environment; PATH, HOME, PYENV_ROOT, UV_PYTHON_INSTALL_DIR,
            XDG_DATA_HOME and CONDA_PREFIX are read.
        works: called with each candidate; those for which it returns False are left out.

    Returns:
        Paths of files that may be executed, each real interpreter once: PATH's, then pyenv's, uv's
        and conda's, and of one tool the newest patch release first.
    """
    by_file: dict[Path, Path] = {}
    for folder in _folders(minor, environ):
        path = folder / f"python{minor}"
        if _is_executable(path):
            by_file.setdefault(path.resolve(), path)
    return [path for path in by_file.values() if works is None or works(path)]


def _folders(minor: str, environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the folders that may hold `python<minor>`."""
    for item in environ.get("PATH", "").split(os.pathsep):
        # A virtual environment's python is the base interpreter plus packages that are none of our
        # business.
        if (
            item
            and Path(item).name not in SHIM_FOLDERS
            and not (Path(item).parent / "pyvenv.cfg").exists()
        ):
            yield Path(item)
    for root in (*_pyenv(environ), *_uv(environ)):
        yield from (version / "bin" for version in _newest_first(root, minor))
    for prefix in _conda(environ):
        yield prefix / "bin"


def _pyenv(environ: Mapping[str, str]) -> list[Path]:
    roots = [Path(environ["PYENV_ROOT"])] if environ.get("PYENV_ROOT") else []
    return [root / "versions" for root in (*roots, *_under_home(environ, ".pyenv"))]


def _uv(environ: Mapping[str, str]) -> list[Path]:
    roots = [Path(environ["UV_PYTHON_INSTALL_DIR"])] if environ.get("UV_PYTHON_INSTALL_DIR") else []
    if environ.get("XDG_DATA_HOME"):
        roots.append(Path(environ["XDG_DATA_HOME"]) / "uv/python")
    return [*roots, *_under_home(environ, ".local/share/uv/python")]


def _conda(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the prefixes of conda environments: the active one, those of the usual roots, and those
    that conda has listed."""
    if environ.get("CONDA_PREFIX"):
        yield Path(environ["CONDA_PREFIX"])
    for root in _under_home(environ, *CONDA_ROOTS):
        yield root
        yield from _children(root / "envs")
    for listing in _under_home(environ, ".conda/environments.txt"):
        try:
            lines = listing.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):  # no conda here, or not conda's file
            continue
        yield from (Path(line.strip()) for line in lines if line.strip())


def _under_home(environ: Mapping[str, str], *names: str) -> Iterable[Path]:
    home = environ.get("HOME")
    return [Path(home) / name for name in names] if home else []


def _newest_first(root: Path, minor: str) -> list[Path]:
    """Return the folders below `root` that are named after a release of `minor`, e.g. 3.7.16 or
    cpython-3.7.9-linux-..."""
    releases = []
    for folder in _children(root):
        match = _VERSIONED.search(folder.name)
        # pypy3.7-7.3 and the like hold no CPython; pyenv's virtual environments are named freely
        # and hold a pyvenv.cfg.
        if (
            match is None
            or folder.name[: match.start()] not in ("", "cpython-")
            or (folder / "pyvenv.cfg").exists()
        ):
            continue
        if f"{match[1]}.{match[2]}" == minor:
            releases.append((int(match[3] or 0), folder))
    return [folder for _, folder in sorted(releases, key=lambda item: (-item[0], item[1].name))]


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:  # absent or not ours to read
        return []


def _is_executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
