"""What jobs of every kind have in common: which sides take part, and the fields that a side and a
workload fill."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from harness.plan.jobs import Side
from harness.plan.request import Request, has_port
from harness.workloads.spec import Workload


def able_sides(request: Request, workload: Workload) -> list[Side]:
    """Return the sides that have a port of a workload."""
    return [side for side in request.sides if has_port(side, workload)]


def combinations(able: Sequence[Side]) -> list[tuple[Side, Side]]:
    """Return all pairs; a side alone is paired with itself, to be recorded and compared with
    nothing."""
    return list(itertools.combinations(able, 2)) or [(side, side) for side in able]


def of_side(side: Side) -> dict[str, Any]:
    """Return the fields of a job that a side fills."""
    names = ("build", "backend", "folders", "only", "python")
    return {"side": side.label, **{name: getattr(side, name) for name in names}}


def of_workload(
    request: Request, workload: Workload, preset: str, precision: str
) -> dict[str, Any]:
    """Return the fields that all jobs of a workload have."""
    return {
        "workload": workload.name,
        "data": workload.source,
        "pair": workload.pair,
        "path": workload.path,
        "preset": preset,
        "precision": precision,
        "device": request.device,
        "execution": request.execution,
        "limit": request.limit,
        "pass_env": request.pass_env,
    }
