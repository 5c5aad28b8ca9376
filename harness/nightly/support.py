"""What this machine can run of a matrix: every build on every device asked for is looked for, and
had installed, once and first.

So a build that cannot be had is left out of the cells that name it, with the reason, and the others
are compared all the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.commands import resolution
from harness.environments import builds, devices, installation, provision
from harness.errors import BuildError, HarnessError, InterpreterMissing, ProvisionFailed, UsageError
from harness.nightly.config import Config
from harness.nightly.matrix import FIDELITY, Cell
from harness.nightly.night import MissingBuild
from harness.records import references

if TYPE_CHECKING:
    from harness.context import Context

#: Why a build cannot run on a device; None where it can.
Missing = Mapping[tuple[str, str], BuildError | UsageError | None]


@dataclasses.dataclass(frozen=True)
class Able:
    """The builds of a cell that can run here, and those that are left out.

    Attributes:
        reason: where too few are left to do anything.
        failed: whether that is the fault of this night and not of this machine.
    """

    builds: tuple[str, ...]
    left_out: tuple[MissingBuild, ...]
    reason: str = ""
    failed: bool = False


def survey(config: Config, cells: Sequence[Cell], context: Context, install: bool) -> Missing:
    """Return why builds cannot run on the devices that cells name. With `install`, environments
    that are missing are made."""
    named = resolution.interpreters(config.python)
    missing: dict[tuple[str, str], BuildError | UsageError | None] = {}
    for cell in cells:
        for item in cell.builds:
            build = item.partition("@")[0]
            pair = (build, cell.device)
            if pair in missing:
                continue
            try:
                missing[pair] = _obstacle(build, cell.device, named.get(build), context, install)
            except (BuildError, UsageError) as error:
                missing[pair] = error
            except OSError as error:
                missing[pair] = ProvisionFailed(f"{build} could not be installed: {error}")
    return missing


def _obstacle(
    build: str, device: str, named: Path | None, context: Context, install: bool
) -> BuildError | None:
    """Return, or raise, what keeps a build from running on a device here; without `install`, as far
    as can be told without one."""
    builds.environment(builds.resolve(build), device)
    if reason := devices.missing(device, context.environ):
        return BuildError(f"A {device.upper()} is asked for, and {reason}")
    # a wrong interpreter of another build is none of its business
    overrides = {build: named} if named else {}
    if install:
        provision.locate(
            build, device, overrides=overrides, environ=context.environ, progress=context.say
        )
        return None
    places = installation.places(context.environ)
    search = provision.Search(builds.resolve(build), device, overrides, context.environ, places)
    if provision.available(search) is None and search.build.pythons:
        provision.require_python(search)
    return None


def able(config: Config, cell: Cell, missing: Missing) -> Able:
    """Return what can run of a cell."""
    kept, left_out = [], []
    for item in cell.builds:
        build = item.partition("@")[0]
        error = missing[build, cell.device]
        if error is None or _recorded(config, cell, build, error):
            kept.append(item)
        else:
            left_out.append(MissingBuild(item, str(error), isinstance(error, ProvisionFailed)))
    backends = config.workloads[cell.workload].backends
    ported = [
        item for item in cell.builds if builds.BUILDS[item.partition("@")[0]].backend in backends
    ]
    needed = min(2, len(ported))
    left = [item for item in kept if item in ported]
    if len(left) >= needed:
        return Able(tuple(kept), tuple(left_out))
    why = " ".join(dict.fromkeys(item.reason for item in left_out if item.build in ported))
    return Able(
        builds=(),
        left_out=tuple(left_out),
        reason=f"{len(left)} of the {len(ported)} builds can run here, {needed} are needed. {why}",
        failed=any(item.failed for item in left_out),
    )


def _recorded(config: Config, cell: Cell, build: str, error: HarnessError) -> bool:
    """Whether recorded references, which `compare` takes by itself, stand for a missing build."""
    if FIDELITY not in cell.judge or not isinstance(error, InterpreterMissing):
        return False
    return references.stands_for(build, config.request(cell, cell.builds))
