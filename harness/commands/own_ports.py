"""Whether a side's port comes from one of the user's folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.plan import Side
from harness.workloads.spec import Workload


def own_port(side: Side, workload: Workload) -> bool:
    """Whether a side's port comes from one of the user's folders."""
    return has_file(side.folders[:1] if side.only else side.folders, side.backend, workload)


def has_file(folders: Sequence[str], backend: str, workload: Workload) -> bool:
    """Whether one of the folders holds a port of a workload to a backend."""
    name = workload.port or workload.name
    below = [Path(folder) / backend for folder in folders]
    return any(
        (ports / f"{name}.py").is_file() or (ports / name / "__init__.py").is_file()
        for ports in below
    )
