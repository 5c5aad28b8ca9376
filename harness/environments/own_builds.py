"""Builds of the user's own, in the file of a project: another release of a framework, or an
environment that lies there already. Each stands for a build of the table, whose framework it has.

    [builds.torch24]
    build = "torch"
    requirements = ["torch==2.4.1", "transformers==4.46.3"]
    no_deps = ["peft==0.13.2"]

    [builds.work]
    build = "tf2"
    python = "/opt/work/bin/python"
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from harness.environments import project_file, release_environments, releases
from harness.environments.builds import BUILDS, Build
from harness.environments.project_file import ProjectFile
from harness.environments.release_environments import Recipe
from harness.environments.releases import Release
from harness.errors import BuildError, InterpreterMissing, UnknownName, UsageError

FILE = project_file.FILE
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
#: What an entry of a map has beside its sides, which are called as their builds are.
TAKEN = ("name", "decided")
KEYS = {"build", "python", "requirements", "no_deps", "minor"}


@dataclasses.dataclass(frozen=True)
class OwnBuild:
    """One build of the user's.

    Attributes:
        name: as a pair file has it. build: of the table, whose framework it has.
        python: the path of its interpreter; None where one is made.
        requirements: what is installed, the framework's own `==` first. minor: of CPython; empty
            for the newest here that the build runs on.
        no_deps: what is installed after that, without its dependencies.
    """

    name: str
    build: Build
    python: Path | None = None
    requirements: tuple[str, ...] = ()
    minor: str = ""
    no_deps: tuple[str, ...] = ()


def read(folders: Iterable[Path]) -> dict[str, OwnBuild]:
    """Return the user's builds by name, of the first folder that has a file of the project.

    Args:
        folders: where to look, in order.

    Raises:
        UsageError: the file cannot be read, or an entry is none. UnknownName: one stands for a
            build that there is not.
    """
    project = project_file.find(folders)
    if project is None:
        return {}
    return {name: _entry(project, name, entry) for name, entry in project.builds.items()}


def _entry(project: ProjectFile, name: str, entry: Any) -> OwnBuild:
    where = f"{project.where}: [builds.{name}]"
    if not NAME.fullmatch(name) or name in BUILDS or name in TAKEN:
        raise UsageError(
            f"{where}: take a name of letters and digits that no build has yet, and none of"
            f" {', '.join(TAKEN)}."
        )
    if not isinstance(entry, dict) or entry.keys() - KEYS:
        raise UsageError(f"{where}: known are {', '.join(sorted(KEYS))}.")
    build = entry.get("build")
    if not isinstance(build, str) or build not in BUILDS:
        raise UnknownName(f"{where}: build", str(build), BUILDS)
    python, requirements = entry.get("python"), entry.get("requirements", [])
    if (python is None) == (not requirements):
        raise UsageError(f"{where}: give either python or requirements.")
    if python is not None:
        if "no_deps" in entry:
            raise UsageError(f"{where}: no_deps goes with requirements: nothing is installed here.")
        return OwnBuild(name, BUILDS[build], _python(where, project.path, python))
    minor = entry.get("minor", "")
    if minor not in ("", *releases.MINORS):
        raise UsageError(f"{where}: minor {minor!r} is none of {', '.join(releases.MINORS)}.")
    installed = _requirements(where, "requirements", requirements)
    no_deps = _requirements(where, "no_deps", entry.get("no_deps", []))
    known = OwnBuild(name, BUILDS[build], None, installed, minor, no_deps)
    _framework(known, where)
    return known


def _requirements(where: str, key: str, items: Any) -> tuple[str, ...]:
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise UsageError(f'{where}: {key} is a list of texts, e.g. ["torch==2.4.1"].')
    for text in items:
        try:
            Requirement(text)
        except InvalidRequirement as error:
            raise UsageError(f"{where}: {key}: {text!r} is no requirement: {error}") from error
    return tuple(items)


def _python(where: str, path: Path, python: Any) -> Path:
    if not isinstance(python, str):
        raise UsageError(f"{where}: python is the path of an interpreter.")
    interpreter = (path.parent / Path(python).expanduser()).absolute()
    if not interpreter.is_file():
        raise UsageError(f"{where}: there is no file {interpreter}.")
    return interpreter


def _framework(own: OwnBuild, where: str) -> tuple[str, str]:
    """Return package and version of the framework among the requirements."""
    for text in own.requirements:
        requirement = Requirement(text)
        pins = [item.version for item in requirement.specifier if item.operator == "=="]
        if canonicalize_name(requirement.name) in own.build.distributions and len(pins) == 1:
            return str(canonicalize_name(requirement.name)), pins[0]
    raise UsageError(
        f"{where}: name the release of {own.build.module} among the requirements, e.g."
        f' "{own.build.distributions[0]}==2.4.1".'
    )


def interpreter(own: OwnBuild, environ: Mapping[str, str], say: Callable[[str], None]) -> Path:
    """Return the interpreter of a build of the user's; make its environment if there is none.

    Args:
        own: which. environ: the process environment. say: told that it is installed.

    Raises:
        InterpreterMissing: no Python here carries it. ProvisionFailed: it cannot be installed.
        BuildError: a folder cannot be written.
    """
    if own.python is not None:
        return own.python
    recipe, release = _recipe(own, environ)
    python, _ = release_environments.provide(recipe, release, environ, say)
    return python


def wanted(own: OwnBuild, environ: Mapping[str, str]) -> str:
    """Return what would be installed for a build of the user's, in a line; empty where nothing
    would, or nothing can.

    Args:
        own: which. environ: the process environment.
    """
    if own.python is not None:
        return ""
    try:
        recipe, release = _recipe(own, environ)
        if release_environments.ready(recipe, release, environ):
            return ""
    except BuildError:  # whoever makes the environment meets it again, and says so
        return ""
    what = " ".join((*own.requirements, *own.no_deps))
    return f"{own.name}: {what} on Python {release.minor}, about as much as the framework itself"


def _recipe(own: OwnBuild, environ: Mapping[str, str]) -> tuple[Recipe, Release]:
    """Return how the environment of a build is made, and of which release."""
    package, version = _framework(own, own.name)
    pythons = releases.pythons(own.build, environ)
    minor = own.minor or next(iter(pythons), "")
    if minor not in pythons:
        raise InterpreterMissing(
            f"build {own.name} needs Python {own.minor or 'of any version'}, and none is here."
            " Install it, or name an environment of yours with python = ..."
        )
    names = {text: canonicalize_name(Requirement(text).name) for text in own.requirements}
    beside = [text for text, name in names.items() if name != package]
    recipe = Recipe(package, own.build, tuple(beside), pythons, own.no_deps)
    return recipe, Release(version, minor)
