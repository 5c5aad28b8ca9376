"""What an interpreter has installed, asked without importing a framework (that takes seconds).

A distribution counts only if pip finished it: `RECORD` is the last file that pip writes, so an
installation that was interrupted reads as absent.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from harness.execution.processes import capture
from harness.execution.worker_environment import tool_environment

TIMEOUT_S = 60.0

# Runs in the foreign interpreter: Python 3.7 has no importlib.metadata, so the folders are read.
_SCRIPT = r"""
import importlib.util, json, os, platform, re, sys
versions = {}
for folder in sys.path:
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        match = re.match(r"(.+?)-([^-]+)(?:-py[\d.]+)?\.(dist|egg)-info$", name)
        record = os.path.join(folder, name, "RECORD")
        whole = match and (match.group(3) == "egg" or os.path.exists(record))
        if whole:
            versions.setdefault(match.group(1), match.group(2))
spec = importlib.util.find_spec(sys.argv[1])
found = {"python": platform.python_version(), "module": bool(spec and spec.origin)}
print(json.dumps({**found, "versions": versions}))
"""


@dataclasses.dataclass(frozen=True)
class Installed:
    """What a Python has.

    Attributes:
        python: its version, e.g. "3.7.16".
        module: whether the module asked for can be found.
        versions: distribution by canonical name.
    """

    python: str
    module: bool
    versions: Mapping[str, str]

    @property
    def minor(self) -> str:
        """Return e.g. "3.7"."""
        return ".".join(self.python.split(".")[:2])

    def version(self, distributions: Iterable[str]) -> str | None:
        """Return the version of the first of these distributions that is installed."""
        return next((self.versions[name] for name in distributions if name in self.versions), None)

    def satisfies(self, pins: Iterable[Requirement]) -> bool:
        """Return whether every pin is installed in a version that it allows."""
        for pin in pins:
            version = self.versions.get(canonicalize_name(pin.name))
            if version is None or not pin.specifier.contains(version, prereleases=True):
                return False
        return True


def probe(python: Path, module: str, environ: Mapping[str, str]) -> Installed | None:
    """Return what an interpreter has, or None if it does not run."""
    status, output = capture(
        [str(python), "-I", "-c", _SCRIPT, module],
        env=tool_environment(environ),
        timeout_s=TIMEOUT_S,
    )
    if status != 0:
        return None
    try:
        answer = json.loads(output.strip().splitlines()[-1])
    except (ValueError, IndexError):  # a wrapper that prints something else, or nothing
        return None
    versions = {
        str(canonicalize_name(name)): str(version) for name, version in answer["versions"].items()
    }
    return Installed(str(answer["python"]), bool(answer["module"]), versions)


def pins(requirements: Path) -> list[Requirement]:
    """Return the requirements of a file and of those that it includes with -r."""
    pinned = []
    for line in requirements.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r"):
            pinned += pins(requirements.parent / text[2:].strip())
        elif text:
            pinned.append(Requirement(text))
    return pinned
