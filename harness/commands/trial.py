"""Try a step or two of ports whose steps nobody has timed yet, so that a dry run can tell how long
a comparison takes.

Steps of the shipped ports are short at their smaller presets, and their time is a table's
(`listing`). A port of the user's own may take minutes a step: nobody can know without running one.
Nothing is judged here, and no report is made.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from backends.contract import ACTIONS, Status
from harness.environments import staging
from harness.errors import JobFailed
from harness.execution import rounds, runner, verbs
from harness.execution.processes import Limits, ending
from harness.execution.worker_environment import clean_environment
from harness.plan import Side, SpeedJob
from harness.speed import forecast
from harness.workloads.spec import Workload

#: One request takes no longer; a longer step is told to be that.
LIMIT_S = 90.0
#: A first step that takes so long is no compilation of something short: one is enough.
ENOUGH_S = 10.0


@dataclasses.dataclass(frozen=True)
class Setup:
    """What trying takes: interpreters by build, those that are here already; the environment;
    workloads by name."""

    interpreters: Mapping[str, Path]
    environ: Mapping[str, str]
    workloads: Mapping[str, Workload]


def unknown(job: SpeedJob) -> bool:
    """Whether nobody has timed a job's steps: ports of the user's, or the size of a paper."""
    return job.preset == "paper" or any(side.folders for side in job.sides)


def tried(job: SpeedJob, setup: Setup) -> list[forecast.TriedSide] | None:
    """Return what a step of each side takes; None where a build is not here yet, or a side cannot
    run, which the comparison will say."""
    if any(side.build not in setup.interpreters for side in job.sides):
        return None
    known: dict[tuple[str, tuple[str, ...]], forecast.TriedSide] = {}
    with tempfile.TemporaryDirectory(prefix="harness-trial-") as folder:
        environment = clean_environment(setup.environ, job.pass_env, TF_CPP_MIN_LOG_LEVEL="1")
        run_context = runner.RunContext(
            run=Path(folder),
            staging=staging.prepare(setup.environ),
            interpreters=setup.interpreters,
            environment=environment,
            workloads=setup.workloads,
            limits=Limits(LIMIT_S),
        )
        try:
            for side in job.sides:
                if (side.build, side.folders) not in known:
                    known[side.build, side.folders] = _try(run_context, job, side)
        except JobFailed:
            return None
    return [known[side.build, side.folders] for side in job.sides]


def _try(run_context: runner.RunContext, job: SpeedJob, side: Side) -> forecast.TriedSide:
    files = runner.inputs(run_context, job.workload, job.preset, job.seed, 1)
    first: dict[str, float] = {}
    later: dict[str, float] = {}
    started = time.monotonic()
    with (
        run_context.worker(side.build, run_context.run / "trial.log", side=side.label) as worker,
        ending([worker]),
    ):
        runner.open_port(worker, run_context, job.opening(side.label), files)
        ready_s = time.monotonic() - started
        for action in ACTIONS:
            worker.request(verbs.LOAD, tape=str(files.tape), action=action, seed=job.seed)
            try:
                first[action] = later[action] = worker.request(verbs.STEP).content.step_s
            except JobFailed as error:
                if error.status != Status.TIMEOUT:
                    raise
                longest = dict.fromkeys(ACTIONS, LIMIT_S)
                return forecast.TriedSide(LIMIT_S, longest, dict(longest))
            if first[action] < ENOUGH_S:
                later[action] = worker.request(verbs.STEP).content.step_s
    return forecast.TriedSide(ready_s, first, later)


def run(sides: list[forecast.TriedSide], budget_s: float) -> forecast.RunForecast | None:
    """Return how a run of such sides goes; None where their steps are short, and decide nothing."""
    if not any(step >= forecast.LONG_STEP_S for side in sides for step in side.step_s.values()):
        return None
    patience_s = max(budget_s, rounds.PATIENCE_S)
    if sides[0].first_s[ACTIONS[0]] > patience_s:
        return forecast.RunForecast(
            0, sides[0].ready_s + patience_s, "the first step alone takes longer"
        )
    return forecast.run(sides, rounds.MEASURE_S, budget_s, (rounds.PROBE_S, rounds.LONG_WARMUP_S))
