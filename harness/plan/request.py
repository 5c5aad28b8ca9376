"""What was asked: the checked request, and its two other forms, words of a command line and an identity. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from backends.contract import STAGES
from harness.plan.jobs import Side, SideJob, Warmup
from harness.workloads.spec import Workload

LOCKSTEP_STAGES = STAGES[:-1]
DISTRIBUTION = STAGES[-1]
#: Trained models of each build for the distribution stage: as many as show the faults of `tox run -e calibration` four times of five.
MODELS = 8


@dataclasses.dataclass(frozen=True)
class Request:
    """What the user asked for, checked: names exist, sides and workloads fit.

    Attributes:
        steps: of the trajectory stage; the workload's own number if None.
        threads: of every timed worker. fidelity_threads: of every recording one; the steps of `tiny` are so short that a
            second thread only waits for the first, for a hundred times as long where other programs run.
        models: trained models of each build for the distribution stage.
        per_phase: whether single phases are timed beside whole steps, where a workload has several.
        allow_settings: whether sides are compared in speed although their settings differ.
        warmup: of what is timed; None until steps are steady.
    """

    workloads: tuple[Workload, ...]
    sides: tuple[Side, ...]
    precisions: tuple[str, ...]
    stages: tuple[str, ...]
    preset: str | None
    device: str
    execution: str
    seeds: tuple[int, ...]
    threads: int
    fidelity_threads: int
    fidelity: bool = True
    speed: bool = True
    steps: int | None = None
    per_phase: bool = False
    models: int = MODELS
    allow_settings: bool = False
    warmup: Warmup | None = None


def sides(builds: Sequence[tuple[str, str, tuple[str, ...]]]) -> tuple[Side, ...]:
    """Return sides with unique labels from (build, backend, folders) in the order asked for."""
    seen: dict[str, int] = {}
    found = []
    for build, backend, folders in builds:
        seen[build] = seen.get(build, 0) + 1
        label = build if seen[build] == 1 else f"{build}#{seen[build]}"
        found.append(Side(label, build, backend, folders))
    return tuple(found)


def arguments(asked: Sequence[Side | SideJob]) -> list[str]:
    """Return the words of a command line that name these sides again, with the folders of their ports."""
    shared = [folder for folder in asked[0].folders if all(folder in other.folders for other in asked)]
    words = ["--backends"]
    for one in asked:
        own = [folder for folder in one.folders if folder not in shared]
        words.append("@".join([one.build, *own[:1]]))
    return [*words, "--ports", *shared] if shared else words


def identity(request: Request) -> dict[str, Any]:
    """Return what decides the work of a request, as plain JSON: two requests with the same identity do the same work."""
    plain = dataclasses.asdict(dataclasses.replace(request, workloads=()))
    presets = {request.preset} if request.preset else {"tiny", "small"}
    configs = [workload.config(preset) for workload in request.workloads for preset in sorted(presets & {*workload.presets})]
    return {**plain, "workloads": configs}
