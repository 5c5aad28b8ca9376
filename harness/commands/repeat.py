"""`harness repeat`: the same build on the same seed again and again, each time in a fresh process,
and what of it is the same.

In lockstep and natively, with the framework's deterministic mode off and on; and what that mode
costs, in paired rounds. `harness.fidelity.repeatability` judges, `harness.report.repeats` holds
what came of it.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from harness import plan
from harness.commands import (
    bounds,
    fidelity_jobs,
    interpreters,
    options,
    repeated_runs,
    resolution,
    timed_runs,
)
from harness.commands.option_groups import FLAG, JUDGED, SEVERAL, TIMED, WHAT, WRITTEN
from harness.errors import UsageError
from harness.evaluation import speed_rows
from harness.execution import host, progress, runner
from harness.experiments import speed_rounds
from harness.records import runs, store
from harness.report.repeats import RepeatReport, RepeatRow, exit_code
from harness.results.verdicts import Repeat

if TYPE_CHECKING:
    from harness.context import Context
    from harness.results.model import SpeedRow

SCHEMA = 1
#: More processes than anybody waits for.
MOST_RUNS = 10_000


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class RepeatOptions:
    """Options of `repeat`.

    Parameters
    ----------
    backends
        Builds to run again and again, e.g. `--backends torch tf2`; `torch@FOLDER` takes the ports
        in FOLDER.
    workloads
        Which workloads. E.g. `--workloads cnn`.
    data
        What workloads that take data train on. E.g. `--data daphnet`.
    precision
        Which precisions: fp64 fp32 tf32 bf16 fp16. E.g. `--precision fp64`.
    preset
        tiny, small or paper (else tiny, and small for the price). E.g. `--preset small`.
    device
        cpu, gpu or tpu. E.g. `--device gpu`.
    execution
        default, eager, graph or compiled. E.g. `--execution compiled`.
    steps
        Training steps of each run; the workload's own number, if not given. E.g. `--steps 50`.
    runs
        How many runs, each in a fresh process. E.g. `--runs 5`.
    seed
        Seed of the tape and of the framework's own generators. E.g. `--seed 7`.
    budget
        Seconds for timing the deterministic mode; more than five rounds run only within them. E.g.
        `--budget 120`.
    no_speed
        Do not time the deterministic mode.
    json
        Write the JSON to this file too. E.g. `--json repeat.json`.
    """

    backends: Annotated[tuple[str, ...], SEVERAL, WHAT] = ("torch",)
    workloads: Annotated[tuple[str, ...], SEVERAL, WHAT] = ("linear",)
    data: Annotated[str | None, WHAT] = None
    precision: Annotated[tuple[str, ...], SEVERAL, WHAT] = ("fp32",)
    preset: Annotated[str | None, WHAT] = None
    device: Annotated[str, WHAT] = "cpu"
    execution: Annotated[str, WHAT] = "default"
    steps: Annotated[int | None, JUDGED] = None
    runs: Annotated[int, JUDGED] = 2
    seed: Annotated[int, JUDGED] = 0
    threads: options.Threads = None
    ports: options.Ports = ()
    python: options.Python = ()
    budget: Annotated[float, TIMED] = 60.0
    no_speed: Annotated[bool, FLAG, TIMED] = False
    json: Annotated[Path | None, WRITTEN] = None
    reports: options.Reports = Path("reports")
    limit: options.Limit = 600.0
    pass_env: options.PassEnv = ()


@dataclasses.dataclass(frozen=True)
class RepeatResult:
    """What was found out, and where it lies."""

    report: RepeatReport
    folder: Path


def repeat(chosen: RepeatOptions, context: Context) -> RepeatResult:
    """Run, judge, time and write.

    Args:
        chosen: what to repeat, and how often. context: from outside.

    Raises:
        HarnessError: wrong usage, a build that cannot be had.
    """
    if chosen.runs < 2:
        raise UsageError(f"--runs {chosen.runs}: one run cannot be compared; give at least 2.")
    bounds.count("--runs", chosen.runs, most=MOST_RUNS)
    request = resolution.resolve(_options(chosen))
    located = interpreters.locate(request, context)
    if located.recorded:
        raise UsageError(
            f"--backends: {', '.join(located.recorded)} cannot be had here, and a recorded"
            " reference cannot run again."
        )
    what = "repeat-" + "-".join(side.label.replace("#", "") for side in request.sides)
    key = runs.key(["repeat", dataclasses.asdict(chosen)])
    run = runs.create(chosen.reports, what, key, context.command, context.now)
    with runs.held(run.folder):
        run_context = fidelity_jobs.make_run_context(run.folder, located, request, context)
        rows: list[RepeatRow] = []
        # The others stand behind a lower precision.
        jobs = [job for job in plan.make(request).jobs if job.precision in request.precisions]
        say = progress.counted(2 * len(jobs) * chosen.runs, context.say)
        counting = dataclasses.replace(context, say=say)
        for job, deterministic in itertools.product(jobs, (False, True)):
            rows += repeated_runs.case_rows(run_context, job, deterministic, chosen.runs, counting)
        price: list[SpeedRow] = []
        if not chosen.no_speed:
            timed = dataclasses.replace(request, speed=True, fidelity=False)
            price = _price(run_context, timed, chosen.budget, rows, context)
        report = RepeatReport(run.created, run.command, tuple(rows), tuple(price), exit_code(rows))
        document = {"schema": SCHEMA, **dataclasses.asdict(report)}
        store.write_json(run.folder / "repeat.json", document)
        if chosen.json is not None:
            store.write_json(chosen.json, document)
        runs.drop_tensors(run.folder, frozenset())
    run.mark(finished=True)
    return RepeatResult(report, run.folder)


def _options(chosen: RepeatOptions) -> options.Options:
    """Return what a recording of the builds would be asked for."""
    return options.Options(
        backends=chosen.backends,
        workloads=chosen.workloads,
        data=chosen.data,
        precision=chosen.precision,
        preset=chosen.preset,
        device=chosen.device,
        execution=chosen.execution,
        steps=chosen.steps,
        seed=chosen.seed,
        threads=chosen.threads or host.cores(),
        ports=chosen.ports,
        python=chosen.python,
        budget=chosen.budget,
        json=chosen.json,
        reports=chosen.reports,
        limit=chosen.limit,
        pass_env=chosen.pass_env,
        no_speed=True,
    )


def _price(
    run_context: runner.RunContext,
    request: plan.Request,
    budget_s: float,
    rows: Sequence[RepeatRow],
    context: Context,
) -> list[SpeedRow]:
    """Time each build with the deterministic mode against itself without it, where it has one that
    is in effect."""
    able = {
        (row.workload, row.build, row.precision)
        for row in rows
        if row.deterministic and row.verdict not in (Repeat.UNSUPPORTED, Repeat.BROKEN)
    }
    prices: list[SpeedRow] = []
    for side in request.sides:
        label = f"{side.label}-deterministic"
        sides = (side, dataclasses.replace(side, label=label, deterministic=True))
        planned = plan.make(dataclasses.replace(request, sides=sides)).speed
        jobs = tuple(
            job
            for job in planned
            if (job.workload, side.label, job.precision) in able and not job.precisions
        )
        if not jobs:
            continue
        with timed_runs.alone(context):
            measured = speed_rounds.run_speed(run_context, jobs, budget_s, context.say)
        prices += speed_rows.rows(measured, run_context.run)
    return [dataclasses.replace(row, command=context.command) for row in prices]
