"""The command line that gives one row of a report again: the words that name its sides, and how
they ran."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from backends.contract import ACTIONS, Stage
from harness.plan.jobs import Job, SampleJob, Side, SideJob, SpeedJob, WorkloadJob
from harness.plan.request import LIMIT_S, sides


def of_speed(job: SpeedJob) -> str:
    """Return the command that times a workload's sides again."""
    timed = job.sides[:1] if job.precisions else job.sides
    words = ["harness", "compare", *_what(job, timed)]
    words += ["--precision", *(job.precisions or (job.precision,)), "--preset", job.preset]
    words += ["--seed", str(job.seed), "--no-fidelity", "--threads", str(job.threads)]
    words += ["--data", job.data] if job.data else []
    words += manner(job)
    words += ["--allow-settings"] if job.allow_settings else []
    words += ["--warmup", str(job.warmup)] if job.warmup else []
    words += ["--per-phase"] if job.actions != ACTIONS else []
    return shlex.join(words)


def of_stage(a: Job | SampleJob, b: Job | SampleJob, stage: Stage | None, seeds: int = 0) -> str:
    """Return the command that gives one stage's verdict again.

    Args:
        a, b: a job of each side; how they ran is taken from the first. Two jobs of one side name it
            once.
        stage: a rung of the ladder; None for what is judged beside it, which is not named.
        seeds: how many models of each build are trained; 0 where none are.
    """
    jobs = [a, b] if a.build != b.build or a.side != b.side else [a]
    words = ["harness", "compare", *_what(a, jobs)]
    words += ["--precision", a.precision, "--preset", a.preset, "--seed", str(a.seed)]
    words += ["--threads", str(a.threads), "--no-speed"]
    if a.data:
        words += ["--data", a.data]
    if stage is not None:
        words += ["--stages", stage]
    if isinstance(a, Job):
        # At every stage: the noise of a tape is drawn after the batches of its steps.
        words += ["--steps", str(a.steps)]
    if seeds:
        words += ["--seeds", str(seeds)]
    return shlex.join([*words, *manner(a)])


def _what(job: WorkloadJob, named: Sequence[Side | SideJob]) -> list[str]:
    """Return the words that name a workload and its sides; a pair file says itself which they
    are."""
    if not job.pair:
        return ["--workloads", job.workload, *arguments(named)]
    python = dict.fromkeys(
        f"{item.label if isinstance(item, Side) else item.side}={item.python}"
        for item in named
        if item.python
    )
    words = [job.pair, *(["--path", *job.path] if job.path else [])]
    return words + (["--python", *python] if python else [])


def arguments(named: Sequence[Side | SideJob]) -> list[str]:
    """Return the words of a command line that name these sides again, with the folders of their
    ports and the user's interpreters."""
    words = ["--backends"]
    unlabelled = []
    for item in named:
        words.append(f"{item.build}@{item.folders[0]}" if item.only else item.build)
        side = Side("", item.build, item.backend, item.folders, only=item.only, python=item.python)
        unlabelled.append(side)
    shared = named[0].folders[1 if named[0].only else 0 :]
    words += ["--ports", *shared] if shared else []
    python = [f"{side.label}={side.python}" for side in sides(unlabelled) if side.python]
    return words + (["--python", *python] if python else [])


def manner(job: WorkloadJob) -> list[str]:
    """Return the words of a command line that say where and how a job runs, where that is not as
    usual."""
    words = [] if job.device == "cpu" else ["--device", job.device]
    words += [] if job.execution == "default" else ["--execution", job.execution]
    words += [] if job.limit in (0.0, LIMIT_S) else ["--limit", f"{job.limit:g}"]
    return words + (["--pass-env", *job.pass_env] if job.pass_env else [])
