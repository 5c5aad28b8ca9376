"""An environment for each release, made by tox as those of the builds are, in the cache folder;
`harness clean` shows them.

Beside the release nothing is pinned but what is known to be needed: what pip resolves on that day
is what a user would get. So other packages may move with a release, and are told.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shlex
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from harness.environments import installation, staging
from harness.environments.builds import Build
from harness.environments.installation import Places
from harness.environments.probe import Installed, probe
from harness.environments.releases import Release
from harness.errors import InterpreterMissing, ProvisionFailed
from harness.records import files

FOLDER = "releases"
#: What wheels of a framework need and do not ask for: compiled against NumPy 1, generated for
#: protobuf 3.
BESIDE = (
    ("tensorflow", "<2.18", "numpy<2"),
    ("tensorflow", "<2.9", "protobuf<4"),
    ("torch", "<2.3", "numpy<2"),
)
# virtualenv 20.27 dropped Python 3.7, later ones 3.8.
_OLD = {"3.7", "3.8"}
_CONFIG = """\
# Made by `harness bisect`; `harness clean` shows it.
[testenv:{name}]
package = skip
base_python = {python}
{spec}pass_env =
    SSL_CERT_DIR
set_env =
    PYTHONNOUSERSITE = 1
install_command = python -I -m pip install --only-binary {package} {{opts}} {{packages}}
deps =
    {deps}
{setup}"""
_NO_DEPS = """\
extra_setup_commands =
    python -I -m pip install --no-deps {packages}
"""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What goes into the environments of a bisection.

    Attributes:
        package: whose releases are looked at.
        build: that they serve.
        extra: further requirements, as the user wrote them.
        pythons: interpreters by minor version.
        no_deps: requirements that are installed after all others, without their dependencies.
    """

    package: str
    build: Build
    extra: tuple[str, ...]
    pythons: Mapping[str, Path]
    no_deps: tuple[str, ...] = ()

    def needs(self, release: Release) -> tuple[str, ...]:
        """Return what is installed for one release."""
        beside = []
        if self.package in self.build.distributions:
            beside = [
                needed
                for module, versions, needed in BESIDE
                if module == self.build.module
                and SpecifierSet(versions).contains(release.version, prereleases=True)
            ]
        own = f"{self.package}=={release.version}"
        return tuple(dict.fromkeys((own, *_numpy(self.package, beside), *beside, *self.extra)))

    def name(self, release: Release) -> str:
        """Return the environment's name: no part of it reads as a version of Python, which tox
        would take it for."""
        lines, extra = sorted(self.extra), ""
        if self.no_deps:
            lines += ["--no-deps", *sorted(self.no_deps)]
        if lines:
            extra = "_" + hashlib.sha256("\n".join(lines).encode()).hexdigest()[:6]
        return f"{self.package.replace('-', '_')}_{release.version}_on_{release.minor}{extra}"


def _numpy(package: str, beside: list[str]) -> tuple[str, ...]:
    """Return NumPy itself, which every worker needs and PyTorch does not bring."""
    if package == "numpy" or any(item.startswith("numpy") for item in beside):
        return ()
    return ("numpy",)


def provide(
    recipe: Recipe, release: Release, environ: Mapping[str, str], say: Callable[[str], None]
) -> tuple[Path, Installed]:
    """Return the Python of a release's environment and what it has; make the environment if there
    is none.

    Args:
        recipe: what goes into all environments of the bisection. release: which one.
        environ: the process environment, which says where the cache lies.
        say: told that it is installed, or waited for.

    Raises:
        ProvisionFailed: it cannot be installed.
        InterpreterMissing: its Python, which was there when the list was made, has gone.
        BuildError: a folder cannot be written.
    """
    if release.minor not in recipe.pythons:
        raise InterpreterMissing(
            f"{recipe.package} {release.version} was to run on Python {release.minor}, which is no"
            " longer on this machine. Install it."
        )
    name, where = recipe.name(release), _places(recipe, release, environ)
    with installation.lock(where, name, say):
        environment = _ready(where, recipe, release, environ)
        if environment is None:
            files.write_text(where.config, _config(recipe, release))
            installation.install(
                where,
                name,
                environ,
                say,
                recreate=False,
                unmeasured="about as much as the framework itself",
            )
            environment = _ready(where, recipe, release, environ)
    if environment is None:
        raise ProvisionFailed(
            f"tox made {name}, but {recipe.package} {release.version} is not there. Log:"
            f" {installation.log(where, name)}"
        )
    return environment


def ready(recipe: Recipe, release: Release, environ: Mapping[str, str]) -> bool:
    """Whether the environment of a release is there, so that nothing is installed for it.

    Args:
        recipe, release: as it would be made. environ: the process environment, which says where
            the cache lies.
    """
    return _ready(_places(recipe, release, environ), recipe, release, environ) is not None


def _ready(
    where: Places, recipe: Recipe, release: Release, environ: Mapping[str, str]
) -> tuple[Path, Installed] | None:
    """Return a finished environment with exactly this release."""
    python = installation.python(where, recipe.name(release))
    if python is None:
        return None
    installed = probe(python, recipe.build.module, environ)
    version = installed.versions.get(str(canonicalize_name(recipe.package))) if installed else None
    if installed is None or not installed.module or not version:
        return None
    return (python, installed) if Version(version).public == release.version else None


def _config(recipe: Recipe, release: Release) -> str:
    packages = " ".join(map(shlex.quote, recipe.no_deps))
    return _CONFIG.format(
        name=recipe.name(release),
        python=recipe.pythons[release.minor],
        package=recipe.package,
        spec="virtualenv_spec = virtualenv<20.27\n" if release.minor in _OLD else "",
        deps="\n    ".join(recipe.needs(release)),
        setup=_NO_DEPS.format(packages=packages) if packages else "",
    )


def remove(
    recipe: Recipe, release: Release, environ: Mapping[str, str], keep_log: bool = False
) -> None:
    """Delete the environment of a release, if there is one.

    Args:
        recipe, release: as it was made.
        environ: the process environment, which says where the cache lies.
        keep_log: all but what tox and pip said, which is named where a failure is told.
    """
    root = _places(recipe, release, environ).root
    shutil.rmtree(root / recipe.name(release) if keep_log else root, ignore_errors=True)


def _places(recipe: Recipe, release: Release, environ: Mapping[str, str]) -> Places:
    root = folder(environ) / recipe.name(release)
    return Places(root, root / "tox.ini", root, root)


def folder(environ: Mapping[str, str]) -> Path:
    """Return where the environments of releases lie."""
    return staging.cache(environ).absolute() / FOLDER


def existing(environ: Mapping[str, str]) -> list[Path]:
    """Return the environments of releases that exist, for `harness clean`."""
    return sorted(path for path in folder(environ).glob("*") if installation.is_folder(path))
