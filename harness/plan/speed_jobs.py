"""What is timed: the sides of a workload against each other, and one build's precisions against its
own float32."""

from __future__ import annotations

import dataclasses
import itertools

from backends.contract import ACTIONS
from harness.plan import job_fields
from harness.plan.jobs import Side, SpeedJob
from harness.plan.request import Request
from harness.workloads.spec import Workload


def draft(request: Request) -> list[SpeedJob]:
    """Return the jobs that time what a request asks for."""
    precisions = [item for item in request.precisions if item != "fp64"] or ["fp64"]
    timed = []
    for workload, precision in itertools.product(request.workloads, precisions):
        able = tuple(job_fields.able_sides(request, workload))
        if len(able) >= 2:
            actions = _actions(request, workload)
            timed.append(_job(request, workload, able, precision, actions))
    return [*timed, *_gains(request)]


def _gains(request: Request) -> list[SpeedJob]:
    """Return the jobs that time one build's precisions against its own float32, where float32 and
    lower ones are asked for."""
    lower = tuple(item for item in request.precisions if item not in ("fp64", "fp32"))
    if "fp32" not in request.precisions or not lower:
        return []
    precisions = ("fp32", *lower)
    gains = []
    for workload in request.workloads:
        for side in _once_a_build(request, workload):
            sides = tuple(
                dataclasses.replace(side, label=f"{side.label}-{precision}")
                for precision in precisions
            )
            job = _job(request, workload, sides, "fp32", ACTIONS)
            gains.append(dataclasses.replace(job, precisions=precisions))
    return gains


def _once_a_build(request: Request, workload: Workload) -> list[Side]:
    """Return the sides with a port, of those with the same build and folders the first alone: a
    build named twice gains the same."""
    first: dict[tuple[str, tuple[str, ...]], Side] = {}
    for side in reversed(job_fields.able_sides(request, workload)):
        first[side.build, side.folders] = side
    return list(reversed(first.values()))


def _job(
    request: Request,
    workload: Workload,
    sides: tuple[Side, ...],
    precision: str,
    actions: tuple[str, ...],
) -> SpeedJob:
    return SpeedJob(
        **job_fields.of_workload(request, workload, request.preset or "small", precision),
        threads=request.threads,
        seed=request.seeds[0],
        sides=sides,
        actions=actions,
        allow_settings=request.allow_settings,
        warmup=request.warmup,
    )


def _actions(request: Request, workload: Workload) -> tuple[str, ...]:
    if not request.per_phase:
        return ACTIONS
    preset = request.preset or "small"
    # A preset that does not exist ends the job, later.
    known = preset if preset in workload.presets else workload.presets[0]
    return (*ACTIONS, *phases(workload, known))


def phases(workload: Workload, preset: str) -> tuple[str, ...]:
    """Return the phases that can be timed one by one; a workload's only phase is a whole step
    already.

    Args:
        workload: what declares them. preset: one of its own, for the phases may depend on it.
    """
    names = [update.phase for update in workload.updates(workload.hyperparameters(preset))]
    return tuple(name for name in names if name not in ACTIONS) if len(names) > 1 else ()
