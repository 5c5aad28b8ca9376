"""Finds the interpreter of a build, or has its environment made.

The order: what --python names, an existing tox environment, this interpreter if it has the
framework, a new tox environment. An interpreter is asked what it has installed; nobody is believed
by the name of a folder.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from packaging.specifiers import SpecifierSet

from harness.environments import devices, installation, interpreters
from harness.environments.builds import BUILDS, Build, environment, resolve
from harness.environments.builds import environments as serving
from harness.environments.installation import Places
from harness.environments.probe import Installed, pins, probe
from harness.errors import BuildError, FrameworkMissing, InterpreterMissing, ProvisionFailed


@dataclasses.dataclass(frozen=True)
class Interpreter:
    """A build's Python.

    Attributes:
        path: absolute.
        origin: where it came from, for reports.
        python: its version.
        framework: the framework's version; empty where the installation does not tell.
    """

    path: Path
    origin: str
    python: str
    framework: str


@dataclasses.dataclass(frozen=True)
class Search:
    """One build on one device, and what is known about this machine."""

    build: Build
    device: str
    overrides: Mapping[str, Path]
    environ: Mapping[str, str]
    places: Places


def locate(
    build: str,
    device: str,
    *,
    overrides: Mapping[str, Path],
    environ: Mapping[str, str],
    progress: Callable[[str], None],
) -> Interpreter:
    """Return a build's interpreter; install its environment if there is none.

    Args:
        build: a name in `BUILDS`. device: one of `backends.contract.DEVICES`.
        overrides: the interpreters that the user named, by build; all are checked before anything
            is installed.
        environ: the process environment.
        progress: called with a line for the user before and after an installation.

    Raises:
        UsageError: no such build, or it has no environment for the device.
        FrameworkMissing: an interpreter that the user named lacks the framework.
        InterpreterMissing: no Python of the version that the build needs.
        ProvisionFailed: tox could not make the environment.
        BuildError: the device is not on this machine, or a folder cannot be written.
    """
    search = Search(resolve(build), device, overrides, environ, installation.places(environ))
    interpreter = available(search)
    if interpreter is not None:
        return interpreter
    for name, path in overrides.items():
        _named(resolve(name), path, search)
    reason = devices.missing(device, environ)
    if reason:
        raise BuildError(f"build {build} on {device} needs a {device.upper()}, and {reason}")
    return install(search, progress)


def available(search: Search) -> Interpreter | None:
    """Return the interpreter that a build has without installing anything, or None.

    Raises:
        UsageError: the build has no environment for the device.
        FrameworkMissing: the interpreter that the user named for this build lacks the framework.
    """
    build = search.build
    names = serving(build, search.device)
    if build.name in search.overrides:
        return _named(build, search.overrides[build.name], search)
    for name in names:
        interpreter = _installed(search, name)
        if interpreter is not None:
            return interpreter
    return _own(search)


def environments(environ: Mapping[str, str]) -> list[Path]:
    """Return the folders of the builds' environments that exist, for `harness clean`."""
    names: set[str] = set()
    for build in BUILDS.values():
        for device in build.devices:
            names.update(serving(build, device))
    workdir = installation.places(environ).workdir
    return sorted(workdir / name for name in names if installation.is_folder(workdir / name))


def _named(build: Build, path: Path, search: Search) -> Interpreter:
    """Return the interpreter that the user named, checked."""
    option = f"--python {build.name}={path}"
    installed = probe(path, build.module, search.environ)
    if installed is None:
        raise FrameworkMissing(
            f"{option}: this does not run as a Python interpreter. Give the path of its executable,"
            " or leave the option out."
        )
    version = installed.version(build.distributions)
    if not installed.module or (version is not None and not _in(version, build.accepts)):
        has = f"{build.module} {version}" if version else f"no {build.module}"
        on = f" on CPython {' or '.join(build.pythons)}" if build.pythons else ""
        raise FrameworkMissing(
            f"{option}: Python {installed.python} there has {has}; build {build.name} needs"
            f" {build.module}{build.accepts}{on}. Install"
            f" {_pinned(dataclasses.replace(search, build=build))} in such an interpreter with pip"
            " and name that one, or leave the option out and the harness makes an environment."
        )
    return Interpreter(path.absolute(), "--python", installed.python, version or "")


def _installed(search: Search, name: str) -> Interpreter | None:
    """Return the interpreter of a tox environment that is complete and has what the pins ask
    for."""
    python = installation.python(search.places, name)
    if python is None:
        return None
    installed = probe(python, search.build.module, search.environ)
    if installed is None or not installed.module or not _carries(installed, search.build):
        return None
    if not installed.satisfies(pins(_requirements(search))):
        return None
    version = installed.version(search.build.distributions) or ""
    return Interpreter(python, f"tox environment {name}", installed.python, version)


def _own(search: Search) -> Interpreter | None:
    """Return the harness's own interpreter, if the framework is importable there in a version that
    fits."""
    build, own = search.build, Path(sys.executable)
    installed = probe(own, build.module, search.environ)
    if installed is None or not installed.module:
        return None
    names = build.distributions
    if search.device != "cpu":
        names = tuple(name for name in names if not name.endswith("-cpu"))
    version = installed.version(names)
    if version is None or not _in(version, build.fits):
        return None
    if search.device != "cpu" and version.endswith("+cpu"):
        return None
    return Interpreter(own.absolute(), "the harness's own interpreter", installed.python, version)


def install(search: Search, progress: Callable[[str], None]) -> Interpreter:
    """Install the environment, unless another harness has done so in the meantime."""
    build, where = search.build, search.places
    names = serving(build, search.device)
    if not names:
        raise FrameworkMissing(
            f"build {build.name} runs in the harness's own interpreter, and {sys.executable} has no"
            f" {build.module} outside the user's site-packages, which workers never see. Install"
            " the harness in a virtual environment."
        )
    require_python(search)
    name = names[-1]
    with installation.lock(where, name, progress):
        interpreter = _installed(search, name)
        if interpreter is None:
            python = where.workdir / name / "bin/python"
            sound = _carries(probe(python, build.module, search.environ), build)
            installation.install(where, name, search.environ, progress, recreate=not sound)
            interpreter = _installed(search, name)
    if interpreter is None:
        raise ProvisionFailed(
            f"tox made {name}, but {build.module} as pinned is not there. Log:"
            f" {installation.log(where, name)}"
        )
    return interpreter


def _carries(installed: Installed | None, build: Build) -> bool:
    """Return whether an interpreter works and is of a version that can carry the build."""
    return installed is not None and installed.minor in build.pythons


def require_python(search: Search) -> None:
    """Check that an interpreter on this machine can carry the build.

    Raises:
        InterpreterMissing: none can; with ways out.
    """
    build = search.build

    def works(path: Path) -> bool:
        return probe(path, "sys", search.environ) is not None

    if any(interpreters.find(minor, search.environ, works) for minor in build.pythons):
        return
    minor = build.pythons[0]
    uv = f"`uv python install {minor}`" + (" (uv up to 0.6.17)" if minor == "3.7" else "")
    ways = (
        f"no working Python {' or '.join(build.pythons)} for build {build.name} on PATH nor in the"
        f" folders of pyenv, uv and conda. Get one with `pyenv install {minor}`, {uv}"
        f" or `conda create -n py{minor.replace('.', '')} python={minor}`, or name an"
        f" interpreter that has the framework with --python {build.name}=PATH."
    )
    if build.name == "tf1":
        ways += (
            " Two ways do without: `tf1-compat` runs the same TF 1 ports on a TensorFlow 2 release,"
            " and the recorded references (`harness reference list`) hold what the real TensorFlow"
            " 1.15.5 computed."
        )
    raise InterpreterMissing(ways)


def _requirements(search: Search) -> Path:
    own = environment(search.build, search.device)
    return search.places.backends / search.build.backend / "requirements" / f"{own}.txt"


def _pinned(search: Search) -> str:
    """Return what to install for a build, as arguments of pip."""
    if not search.build.factor:
        return search.build.module
    return " ".join(f"'{pin}'" for pin in pins(_requirements(search)))


def _in(version: str, specifier: str) -> bool:
    return SpecifierSet(specifier).contains(version, prereleases=True)
