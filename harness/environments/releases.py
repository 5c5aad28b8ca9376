"""The releases of a package between two of them, as pip sees them here: with the user's own
indexes, for a Python that is on this machine.

One Python serves all of them where there is one: then a change is not that of the interpreter. Only
wheels count, for a framework is not compiled to be looked at.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from harness.environments import interpreters
from harness.environments.builds import Build
from harness.environments.probe import probe
from harness.errors import BuildError, InterpreterMissing, UsageError
from harness.execution.processes import capture
from harness.execution.worker_environment import tool_environment

#: The minor versions that workers run on, the newest first.
MINORS = ("3.13", "3.12", "3.11", "3.10", "3.9", "3.8", "3.7")
#: An index may be slow, and pip tries again.
TIMEOUT_S = 300.0
#: pip is asked for what cannot be, and says what there is instead: unlike `pip index versions`,
#: without what has no wheel.
_NONE = "<0.0.0.dev0"
_LINE = re.compile(r"\(from versions: ([^)]*)\)")
_UNREACHED = "WARNING: Retrying"


@dataclasses.dataclass(frozen=True)
class Release:
    """One release, and the minor version of CPython that it is to run on."""

    version: str
    minor: str


@dataclasses.dataclass(frozen=True)
class Span:
    """What to list: a package, from one release to another. `pre`: also those that are not
    final."""

    package: str
    first: Version
    last: Version
    pre: bool = False


def span(first: str, last: str, pre: bool) -> Span:
    """Return what `--from` and `--to` name.

    Args:
        first: PACKAGE==VERSION. last: the same of a later version, or a version alone.
        pre: whether releases that are not final count.

    Raises:
        UsageError: not PACKAGE==VERSION, two packages, the wrong order, or a pre-release without
            --pre.
    """
    package, begin = _pinned("--from", first)
    other, end = _pinned("--to", last) if "=" in last else (package, _version("--to", last))
    if other != package:
        raise UsageError(f"--from {first} --to {last}: two packages. Name two releases of one.")
    if not begin < end:
        raise UsageError(f"--from {first} --to {last}: the first has to be the older one.")
    for option, version in (("--from", begin), ("--to", end)):
        if version.is_prerelease and not pre:
            raise UsageError(
                f"{option}: {version} is not final. Add --pre to look at such releases, or name a"
                " final one."
            )
    return Span(package, begin, end, pre)


def _pinned(option: str, text: str) -> tuple[str, Version]:
    try:
        requirement = Requirement(text)
    except ValueError:  # InvalidRequirement, or a number of thousands of digits
        raise UsageError(
            f"{option} {text}: give PACKAGE==VERSION, e.g. tensorflow-cpu==2.16.1"
        ) from None
    pins = [
        item
        for item in requirement.specifier
        if item.operator == "==" and not item.version.endswith(".*")
    ]
    if (
        len(requirement.specifier) != 1
        or not pins
        or requirement.extras
        or requirement.url
        or requirement.marker
    ):
        raise UsageError(
            f"{option} {text}: give one exact release, PACKAGE==VERSION, e.g."
            " tensorflow-cpu==2.16.1"
        )
    return str(canonicalize_name(requirement.name)), _version(option, pins[0].version)


def _version(option: str, text: str) -> Version:
    try:
        return Version(text)
    except ValueError:  # InvalidVersion, or a number of thousands of digits
        raise UsageError(
            f"{option} {text}: this is no version. Give one as the package index spells it, e.g."
            " 2.16.1"
        ) from None


def pythons(build: Build, environ: Mapping[str, str]) -> dict[str, Path]:
    """Return the interpreters on this machine by minor version: those that the build prefers, this
    one's, then the newest.

    Args:
        build: what is to run on them. environ: the process environment, which says where to look.

    Raises:
        InterpreterMissing: there is none.
    """
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"

    def works(path: Path) -> bool:
        return probe(path, "sys", environ) is not None

    by_minor = {}
    for minor in dict.fromkeys((*build.pythons, own, *MINORS)):
        for path in interpreters.find(minor, environ, works)[:1]:
            by_minor[minor] = path
    if not by_minor:
        raise InterpreterMissing(
            "no CPython 3.7 to 3.13 on PATH nor in the folders of pyenv, uv and conda. Install one."
        )
    return by_minor


def listed(wanted: Span, minor: str, environ: Mapping[str, str]) -> list[Version]:
    """Return what pip could install of a package on one Python, the oldest first.

    Args:
        wanted: of it, only the package and whether releases that are not final count.
        minor: e.g. "3.11".
        environ: the process environment, from which pip has its indexes.

    Raises:
        BuildError: pip could not be asked.
    """
    with tempfile.TemporaryDirectory() as nowhere:
        argv = [sys.executable, "-m", "pip", "download", "--no-deps"]
        argv += ["--only-binary", wanted.package, "--python-version", minor]
        argv += ["--dest", nowhere, f"{wanted.package}{_NONE}"]
        env = tool_environment(environ, PIP_DISABLE_PIP_VERSION_CHECK="1")
        status, output = capture(argv, env=env, timeout_s=TIMEOUT_S, errors=True)
    if not _LINE.search(output) or (_UNREACHED in output and not parse(output, pre=True)):
        said = " ".join(output.splitlines()[-3:])
        raise BuildError(
            f"pip could not list the releases of {wanted.package} (exit status {status}): {said}"
        )
    return parse(output, wanted.pre)


def parse(output: str, pre: bool) -> list[Version]:
    """Return the releases of pip's answer, the oldest first; wheels of one release with other local
    versions (2.13.0+cpu) count once."""
    versions = set()
    for listing in _LINE.findall(output):
        for text in listing.split(","):
            # "none", and names of the time before PEP 440, are no versions.
            with contextlib.suppress(InvalidVersion):
                versions.add(Version(Version(text.strip()).public))
    return sorted(version for version in versions if pre or not version.is_prerelease)


def series(
    wanted: Span, minors: Sequence[str], ask: Callable[[str], Sequence[Version]]
) -> tuple[Release, ...]:
    """Return the releases from the first to the last, on the first Python that has both, else each
    on the first that has it.

    Args:
        minors: of the interpreters there are, the preferred first. ask: lists the releases for one.

    Raises:
        UsageError: an end is not among them.
    """
    seen: dict[str, list[Version]] = {}
    for minor in minors:
        seen[minor] = [version for version in ask(minor) if wanted.first <= version <= wanted.last]
        if {wanted.first, wanted.last} <= set(seen[minor]):
            return tuple(Release(str(version), minor) for version in seen[minor])
    known: dict[Version, str] = {}
    for minor, versions in seen.items():
        for version in versions:
            known.setdefault(version, minor)
    for option, end in (("--from", wanted.first), ("--to", wanted.last)):
        if end not in known:
            between = ", ".join(str(version) for version in sorted(known)) or "none"
            raise UsageError(
                f"{option} {wanted.package}=={end}: pip finds no wheel of it for Python"
                f" {', '.join(minors)}, which are on this machine. It finds between the two:"
                f" {between}. Name one of them, or install another Python."
            )
    return tuple(Release(str(version), known[version]) for version in sorted(known))
