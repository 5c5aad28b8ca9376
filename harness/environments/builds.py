"""The table of builds: which framework on which Python, in which tox environment, on which devices,
at what cost.

A new build is one entry here, one requirement file beside its backend and one environment in
tox.ini. The pins are in the requirement files alone; `fits` and `accepts` only say which *other*
installations can serve a build. What `accepts` begins with is tried: `tox run -m oldest` runs the
contract tests on it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from harness.errors import UnknownName, UsageError

_TENSORFLOWS = (
    "tensorflow",
    "tensorflow-cpu",
    "tensorflow-gpu",
    "tensorflow-tpu",
    "tensorflow-macos",
    "nvidia-tensorflow",
    "intel-tensorflow",
    "tf-nightly",
    "tf-nightly-cpu",
)
#: In order of preference; TF 2.21 and PyTorch 2.13 have wheels for all of them.
_NEWEST_PYTHONS = ("3.11", "3.12", "3.13", "3.10")


@dataclasses.dataclass(frozen=True)
class Build:
    """A backend with an installed framework.

    Attributes:
        name: as the user writes it. backend: folder in `backends`.
        factor: first part of the tox environments' names; empty where the harness's own interpreter
            serves.
        pythons: minor versions of CPython that can carry it, the preferred first; empty for the
            harness's own.
        module: what is imported. distributions: names under which that module is published.
        fits: versions with which the harness's own interpreter may serve this build unasked (PEP
            440).
        accepts: versions with which an interpreter given by --python may.
        devices: those for which tox.ini has an environment.
        twin: another build with the same pins; an environment of it serves this one too.
    """

    name: str
    backend: str
    factor: str
    pythons: tuple[str, ...]
    module: str
    distributions: tuple[str, ...]
    fits: str
    accepts: str
    devices: tuple[str, ...]
    twin: str | None = None


@dataclasses.dataclass(frozen=True)
class InstallationCost:
    """What an environment takes: bytes on disk and seconds to install, wheels downloaded, on 2
    cores."""

    disk_bytes: int
    install_s: float


_TABLE = (
    Build(
        name="tf1",
        backend="tf1",
        factor="tf1",
        pythons=("3.7",),
        module="tensorflow",
        distributions=_TENSORFLOWS,
        fits="==1.15.*",
        accepts=">=1.15,<2",
        devices=("cpu", "gpu"),
    ),
    Build(
        name="tf1-compat",
        backend="tf1",
        factor="tf1compat",
        pythons=_NEWEST_PYTHONS,
        module="tensorflow",
        distributions=_TENSORFLOWS,
        fits=">=2.16,<3",
        accepts=">=2.4,<3",
        devices=("cpu", "gpu"),
        twin="tf2",
    ),
    Build(
        name="tf2.10",
        backend="tf2",
        factor="tf210",
        pythons=("3.10",),
        module="tensorflow",
        distributions=_TENSORFLOWS,
        fits="==2.10.*",
        accepts=">=2.4,<2.16",
        devices=("cpu",),
    ),
    Build(
        name="tf2",
        backend="tf2",
        factor="tf2",
        pythons=_NEWEST_PYTHONS,
        module="tensorflow",
        distributions=_TENSORFLOWS,
        fits=">=2.16,<3",
        accepts=">=2.4,<3",
        devices=("cpu", "gpu", "tpu"),
    ),
    Build(
        name="torch",
        backend="torch",
        factor="torch",
        pythons=_NEWEST_PYTHONS,
        module="torch",
        distributions=("torch",),
        fits=">=2.4,<3",
        accepts=">=2.4,<3",
        devices=("cpu", "gpu"),
    ),
    Build(
        name="numpy",
        backend="numpy",
        factor="",
        pythons=(),
        module="numpy",
        distributions=("numpy",),
        fits=">=1.18",
        accepts=">=1.18",
        devices=("cpu",),
    ),
)
BUILDS: Mapping[str, Build] = MappingProxyType({build.name: build for build in _TABLE})

# Measured with `du` and tox's own clock on 2 cores, CPython 3.7/3.10/3.11, Linux x86-64, CPU-only
# PyTorch wheel. The -gpu and -tpu environments have not been measured and have no entry.
COSTS: Mapping[str, InstallationCost] = MappingProxyType(
    {
        "tf1-cpu": InstallationCost(592 << 20, 48.0),
        "tf1compat-cpu": InstallationCost(1540 << 20, 44.0),
        "tf210-cpu": InstallationCost(1105 << 20, 35.0),
        "tf2-cpu": InstallationCost(1540 << 20, 42.0),
        "torch-cpu": InstallationCost(975 << 20, 35.0),
    }
)


def resolve(name: str) -> Build:
    """Return a build by name.

    Raises:
        UnknownName: there is none of that name.
    """
    if name not in BUILDS:
        raise UnknownName("build", name, BUILDS)
    return BUILDS[name]


def environment(build: Build, device: str) -> str | None:
    """Return the name of a build's tox environment, e.g. "tf2-cpu", or None where the harness's own
    interpreter serves.

    Raises:
        UsageError: the build has no environment for the device.
    """
    if device not in build.devices:
        able = [other.name for other in BUILDS.values() if device in other.devices]
        raise UsageError(
            f"build {build.name} has no environment for {device}; it has:"
            f" {', '.join(build.devices)}. Builds for {device}: {', '.join(able) or 'none'}."
        )
    return f"{build.factor}-{device}" if build.factor else None


def environments(build: Build, device: str) -> tuple[str, ...]:
    """Return every tox environment that can serve a build, its own first and the one to create
    last.

    A twin's environment is created rather than an own one with the same content: it saves 1.5 GB.

    Raises:
        UsageError: the build has no environment for the device.
    """
    own = environment(build, device)
    twin = environment(BUILDS[build.twin], device) if build.twin else None
    return tuple(name for name in (own, twin) if name)


def cost(name: str) -> InstallationCost | None:
    """Return what an environment takes, or None where nobody has measured it."""
    return COSTS.get(name)
