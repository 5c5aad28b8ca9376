"""Makes a build's environment through tox, so that `tox run` and the harness share it.

In a checkout the environments are those of `tox run` (`.tox`), so each is installed once; an
installed harness keeps its own in the cache folder, made from the tox.ini that the wheel ships.

One harness installs an environment at a time, and one environment is installed at a time: two
installers would share the line, and pip's cache. Both are file locks that the system releases if we
die. A marker lies beside an environment while it is being installed; one that is found later tells
of an interruption, and the environment is made anew.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from filelock import FileLock, Timeout

from harness.environments import ownership, staging
from harness.environments.builds import cost
from harness.errors import BuildError, JobFailed, ProvisionFailed, remedy
from harness.execution.processes import run_logged
from harness.execution.worker_environment import tool_environment

# A GPU's framework is several GB; a slow line may need this long, and a hung one ends.
LIMIT_S = 3600.0
#: The lock of whoever installs, whichever environment; taken after that of the environment.
INSTALLING = ".installing.lock"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ERROR = re.compile(r"\berror\b|failed with|could not", re.IGNORECASE)
# What tox says after the line that matters.
_CLOSING = re.compile(r"evaluation failed|FAIL code|congratulations")


@dataclasses.dataclass(frozen=True)
class Places:
    """Where tox finds its configuration and keeps environments.

    Attributes:
        root: tox's project folder.
        config: tox.ini.
        backends: folder with the requirement files.
        workdir: environments.
    """

    root: Path
    config: Path
    backends: Path
    workdir: Path

    @property
    def is_checkout(self) -> bool:
        """Whether they are those of a checkout, and not of a cache folder."""
        return (self.root / "pyproject.toml").is_file()


def is_folder(path: Path) -> bool:
    """Whether there is a folder; not where it lies in one that is another user's and closed."""
    try:
        return path.is_dir()
    except OSError:
        return False


def places(environ: Mapping[str, str], package: Path | None = None) -> Places:
    """Return the places of a checkout, or those of an installed harness.

    Args:
        environ: the process environment.
        package: the folder of the package `harness`; this one, if not given.
    """
    package = package or Path(__file__).resolve().parents[1]
    root = package.parent
    if (root / "pyproject.toml").is_file() and (root / "tox.ini").is_file():
        return Places(root, root / "tox.ini", root / "backends", root / ".tox")
    cache = staging.cache(environ).absolute()
    return Places(cache, package / "provisioning/tox.ini", root / "backends", cache / "tox")


def python(where: Places, name: str) -> Path | None:
    """Return the Python of an environment, or None if there is none that may be used, or its
    installation was interrupted.

    Raises:
        BuildError: it lies in a cache folder, and others could change what is run from it.
    """
    path = (where.workdir / name / "bin/python").absolute()
    try:
        if not path.exists() or _marker(where, name).exists():
            return None
    except PermissionError:  # another user's, and closed
        return None
    # Who owns a checkout could change the harness itself.
    why = "" if where.is_checkout else ownership.stranger(path.parent)
    if why:
        raise BuildError(
            f"the environment {name} lies in a cache folder, {where.workdir}, and others could"
            f" change what is run from it: {why}. Set XDG_CACHE_HOME to a folder of your own, or"
            " name an interpreter that has the framework with --python."
        )
    return path


def log(where: Places, name: str) -> Path:
    """Return the file that keeps what tox and pip said."""
    return where.workdir / f"{name}.log"


@contextlib.contextmanager
def lock(where: Places, name: str, progress: Callable[[str], None]) -> Iterator[None]:
    """Hold the right to install an environment; say so if that means waiting.

    Raises:
        BuildError: the folder of environments cannot be written.
    """
    waiting = f"{name}: another harness is installing it; waiting"
    with _held(where, f".{name}.lock", lambda: progress(waiting)):
        yield


@contextlib.contextmanager
def _held(where: Places, name: str, waits: Callable[[], None]) -> Iterator[None]:
    """Hold a lock in the folder of environments. `waits`: called once if another holds it."""
    held = FileLock(where.workdir / name)
    try:
        where.workdir.mkdir(parents=True, exist_ok=True)
        try:
            held.acquire(timeout=0)
        except Timeout:
            waits()
            held.acquire()
    except OSError as error:
        raise BuildError(_unwritable(error, where)) from error
    try:
        yield
    finally:
        held.release()


def install(
    where: Places,
    name: str,
    environ: Mapping[str, str],
    progress: Callable[[str], None],
    *,
    recreate: bool,
    unmeasured: str = "several GB",
) -> None:
    """Make or complete an environment; the caller holds its lock.

    Args:
        recreate: what is in the environment's folder cannot be used.
        unmeasured: what an environment takes that is not in the table of builds.

    Raises:
        ProvisionFailed: tox could not. BuildError: a folder cannot be written.
    """
    marker, record = _marker(where, name), log(where, name)
    anew = (recreate or marker.exists()) and (where.workdir / name).exists()
    size, expected = unmeasured, cost(name)
    if expected:
        size = f"about {expected.install_s:.0f} s and {expected.disk_bytes / 1e9:.1f} GB"
    waiting = f"{name}: another environment is being installed; waiting"
    with _held(where, INSTALLING, lambda: progress(waiting)):
        progress(f"{name}: {'making it anew' if anew else 'installing'} ({size}; log: {record})")
        started = time.monotonic()
        try:
            marker.touch()
            record.write_text("", encoding="utf-8")
            _run_tox(where, name, environ, recreate=anew)
            marker.unlink()
        except OSError as error:
            raise BuildError(_unwritable(error, where)) from error
        progress(f"{name}: ready after {time.monotonic() - started:.0f} s")


def _run_tox(where: Places, name: str, environ: Mapping[str, str], *, recreate: bool) -> None:
    argv = [sys.executable, "-m", "tox", "run", "--notest", "--colored", "no"]
    argv += ["-c", str(where.config), "--root", str(where.root), "--workdir", str(where.workdir)]
    argv += ["-e", name, *(["-r"] if recreate else [])]
    record = log(where, name)
    try:
        status = run_logged(
            argv, cwd=where.root, env=tox_environment(where, environ), log=record, timeout_s=LIMIT_S
        )
    except JobFailed as error:
        raise ProvisionFailed(
            f"{name}: {error.reason}. Try again where the network is faster."
        ) from error
    if status != 0:
        raise ProvisionFailed(
            f"tox could not make {name} (exit status {status}). Log: {record}. It says:",
            _last_words(record),
        )


def tox_environment(where: Places, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for tox: pip's and proxies' settings pass, those of an outer tox and
    of virtual environments do not."""
    env = tool_environment(environ, HARNESS_BACKENDS=str(where.backends))
    if "PYTHONNOUSERSITE" not in environ:
        # tox runs in our own interpreter, and may be installed for the user.
        del env["PYTHONNOUSERSITE"]
    return {
        key: value
        for key, value in env.items()
        if not key.startswith(("TOX_", "_TOX_")) or key == "TOX_DISCOVER"
    }


def _last_words(record: Path, count: int = 5) -> list[str]:
    """Return the lines of a log that tell what went wrong: its last errors, or its last lines."""
    lines = [
        _COLOUR.sub("", line).strip()
        for line in record.read_text(encoding="utf-8", errors="replace").splitlines()
    ]
    lines = [line for line in lines if line and not _CLOSING.search(line)]
    errors = [line for line in lines if _ERROR.search(line)]
    return [line[:300] for line in (errors or lines)[-count:]]


def _marker(where: Places, name: str) -> Path:
    return where.workdir / f".{name}.installing"


def _unwritable(error: OSError, where: Places) -> str:
    other = "set XDG_CACHE_HOME to a folder that can be written"
    if where.is_checkout:
        other = "name an interpreter that has the framework with --python"
    return (
        f"cannot write {error.filename or where.workdir}: {error.strerror}. {remedy(error)}; or"
        f" {other}."
    )
