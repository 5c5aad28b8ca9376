"""What was asked: the checked request, and its two other forms, words of a command line and an
identity. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from backends.contract import STAGES
from harness.plan.jobs import Side, Warmup
from harness.workloads.spec import Workload

LOCKSTEP_STAGES = STAGES[:-1]
DISTRIBUTION = STAGES[-1]
#: Trained models of each build for the distribution stage: as many as show the faults of `tox run
#: -e calibration` four times of five.
MODELS = 8
#: Letters of a folder's name that a label keeps: it is a column of tables and a part of folders'
#: names.
LONGEST_NAME = 40
#: Seconds that one request to a worker may take, where nothing else is asked for.
LIMIT_S = 600.0


@dataclasses.dataclass(frozen=True)
class Request:
    """What the user asked for, checked: names exist, sides and workloads fit.

    Attributes:
        steps: of the trajectory stage; the workload's own number if None.
        threads: of every timed worker. fidelity_threads: of every recording one; the steps of
            `tiny` are so short that a second thread only waits for the first, for a hundred times
            as long where other programs run.
        models: trained models of each build for the distribution stage.
        per_phase: whether single phases are timed beside whole steps, where a workload has several.
        allow_settings: whether sides are compared in speed although their settings differ.
        limit: longest time of one request to a worker, seconds. left_out: lines about workloads
            that are not run. Neither changes any work.
        warmup: of what is timed; None until steps are steady.
        python: the interpreters that the user named, by build or by a side's label.
        pass_env: names of the variables that the user lets workers see beside those of the list.
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
    limit: float = LIMIT_S
    left_out: tuple[str, ...] = ()
    warmup: Warmup | None = None
    python: tuple[tuple[str, str], ...] = ()
    pass_env: tuple[str, ...] = ()

    @property
    def interpreters(self) -> dict[str, str]:
        """The paths of the interpreters that the user named, by build or by a side's label."""
        return dict(self.python)


def sides(unlabelled: Sequence[Side]) -> tuple[Side, ...]:
    """Return the sides with the labels by which everything calls them: the build, and after @ the
    name of the folder whose ports it takes.

    A label that is there already gets a number: `torch#2`. Only letters, digits and `._-` of a
    folder's name are kept, so that a label is one word in a table, a path, a command line and a
    query.
    """
    seen: dict[str, int] = {}
    labelled = []
    for side in unlabelled:
        label = f"{side.build}@{folder_word(side.folders[0])}" if side.only else side.build
        seen[label] = seen.get(label, 0) + 1
        unique = label if seen[label] == 1 else f"{label}#{seen[label]}"
        labelled.append(dataclasses.replace(side, label=unique))
    return tuple(labelled)


def has_port(side: Side, workload: Workload) -> bool:
    """Whether a side has a port of a workload: its backend is one of the workload's, or it brings a
    folder with it."""
    return side.only or side.backend in workload.backends


def folder_word(folder: str) -> str:
    """Return a folder's name as it stands in a label."""
    name = folder.rstrip("/").rpartition("/")[2][:LONGEST_NAME]
    word = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)
    return word or "root"


def identity(request: Request) -> dict[str, Any]:
    """Return what decides the work of a request, as plain JSON: two requests with the same identity
    do the same work."""
    plain = dataclasses.asdict(dataclasses.replace(request, workloads=()))
    del plain["limit"], plain["left_out"]
    presets = {request.preset} if request.preset else {"tiny", "small"}
    configs = []
    for workload in request.workloads:
        known = sorted(presets & {*workload.presets})
        configs += [workload.config(preset) for preset in known]
    return {**plain, "workloads": configs}
