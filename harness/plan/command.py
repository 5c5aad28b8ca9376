"""The command line that gives one row of a report again: the words that name its sides, and how
they ran."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from backends.contract import ACTIONS, STAGES
from harness.plan.jobs import Job, SampleJob, Side, SideJob, SpeedJob, WorkloadJob
from harness.plan.request import LIMIT_S, sides


def of_speed(job: SpeedJob) -> str:
    """Return the command that times a workload's sides again."""
    sides = job.sides[:1] if job.precisions else job.sides
    words = ["harness", "compare", "--workloads", job.workload, *arguments(sides)]
    words += [
        "--precision",
        *(job.precisions or (job.precision,)),
        "--preset",
        job.preset,
        "--seed",
        str(job.seed),
        "--no-fidelity",
    ]
    words += [
        "--threads",
        str(job.threads),
        *(["--data", job.data] if job.data else []),
        *manner(job),
    ]
    words += ["--allow-settings"] if job.allow_settings else []
    words += ["--warmup", str(job.warmup)] if job.warmup else []
    words += ["--per-phase"] if job.actions != ACTIONS else []
    return shlex.join(words)


def of_stage(a: Job | SampleJob, b: Job | SampleJob, stage: str, seeds: int = 0) -> str:
    """Return the command that gives one stage's verdict again; `seeds` are the models of each
    build, where any are trained."""
    jobs = [a, b] if a.build != b.build or a.side.split()[0] != b.side.split()[0] else [a]
    words = [
        "harness",
        "compare",
        "--workloads",
        a.workload,
        *arguments(jobs),
        "--precision",
        a.precision,
    ]
    words += [
        "--preset",
        a.preset,
        "--seed",
        str(a.seed),
        "--threads",
        str(a.threads),
        "--no-speed",
    ]
    if a.data:
        words += ["--data", a.data]
    if stage in STAGES:
        words += ["--stages", stage]
    if isinstance(a, Job):
        words += [
            "--steps",
            str(a.steps),
        ]  # at every stage: the noise of a tape is drawn after the batches of its steps
    if seeds:
        words += ["--seeds", str(seeds)]
    return shlex.join([*words, *manner(a)])


def arguments(asked: Sequence[Side | SideJob]) -> list[str]:
    """Return the words of a command line that name these sides again, with the folders of their
    ports and the user's interpreters."""
    words = [
        "--backends",
        *(f"{one.build}@{one.folders[0]}" if one.only else one.build for one in asked),
    ]
    shared = asked[0].folders[1 if asked[0].only else 0 :]
    again = sides(
        [
            Side("", one.build, one.backend, one.folders, only=one.only, python=one.python)
            for one in asked
        ]
    )
    python = [f"{side.label}={side.python}" for side in again if side.python]
    return [
        *words,
        *(["--ports", *shared] if shared else []),
        *(["--python", *python] if python else []),
    ]


def manner(job: WorkloadJob) -> list[str]:
    """Return the words of a command line that say where and how a job runs, where that is not as
    usual."""
    words = [] if job.device == "cpu" else ["--device", job.device]
    words += [] if job.execution == "default" else ["--execution", job.execution]
    return words + ([] if job.limit in (0.0, LIMIT_S) else ["--limit", f"{job.limit:g}"])
