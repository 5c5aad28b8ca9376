"""What workloads and folders of ports lack for what is asked, found before any work starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.builds import BUILDS
from harness.errors import UsageError
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


def ported(options: Options, workload: str) -> bool:
    """Whether every BACKEND@FOLDER has a port of a workload; the shipped one must not stand in for it in silence.

    Raises:
        UsageError: the workload was asked for by name, and a folder has no port of it.
    """
    for item in options.backends:
        name, at, folder = item.partition("@")
        place = Path(folder) / BUILDS[name].backend
        if at and not ((place / f"{workload}.py").is_file() or (place / workload / "__init__.py").is_file()):
            if workload in options.workloads:
                raise UsageError(f"--backends {item}: there is no port of {workload}; it would be {place / workload}.py")
            return False
    return True
