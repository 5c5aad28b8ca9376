"""What workloads and folders of ports lack for what is asked, found before any work starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.plan import Side
from harness.workloads import registry
from harness.workloads.spec import Workload

if TYPE_CHECKING:
    from harness.options import Options


def check_distribution(options: Options, found: Sequence[Workload]) -> None:
    """Refuse the distribution stage where no workload asked for has one.

    Raises:
        UsageError: a workload asked for by name, or every one, has no such stage.
    """
    preset = options.preset or "tiny"
    lacking = [item.name for item in found if item.distribution(preset) is None]
    if lacking and (options.workloads or len(lacking) == len(found)):
        able = sorted(item.name for item in registry.known(options.ports).values() if item.distribution(preset) is not None)
        raise UsageError(f"--stages distribution: {', '.join(lacking)} has no such stage. Workloads that have: {', '.join(able)}.")


def without_port(sides: Sequence[Side], workload: Workload, by_name: bool) -> str:
    """Return which side's own folder has no port of a workload, in one line; empty where all have one. Nothing stands in for it.

    Args:
        sides: those asked for. by_name: whether the workload was asked for by name.

    Raises:
        UsageError: it was, and a folder has no port of it.
    """
    for side in sides:
        if side.only and not _ports(side.folders[:1], side.backend, workload):
            looked = Path(side.folders[0]) / side.backend / f"{workload.port or workload.name}.py"
            if by_name:
                raise UsageError(
                    f"--backends {side.build}@{side.folders[0]}: there is no port of {workload.name}; it would be {looked}. Add it, "
                    f"or name {side.build} without a folder for the shipped port, or for one below --ports."
                )
            return f"{workload.name} is left out: {side.label} has no port of it ({looked})"
    return ""


def own_port(side: Side, workload: Workload) -> bool:
    """Whether the port that a side runs is in one of the user's folders."""
    return _ports(side.folders[:1] if side.only else side.folders, side.backend, workload)


def _ports(folders: Sequence[str], backend: str, workload: Workload) -> bool:
    name = workload.port or workload.name
    places = [Path(folder) / backend for folder in folders]
    return any((place / f"{name}.py").is_file() or (place / name / "__init__.py").is_file() for place in places)
