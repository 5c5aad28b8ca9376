"""`harness repeat`: the same build on the same seed again and again, each time in a fresh process,
and what of it is the same.

In lockstep and natively, with the framework's deterministic mode off and on; and what that mode
costs, in paired rounds. `harness.fidelity.repeatability` judges, `harness.report.repeats` holds
what came of it.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from harness import plan
from harness.commands import compare, interpreters, options, resolution
from harness.commands.options import SEVERAL
from harness.environments import staging
from harness.errors import UsageError
from harness.evaluation import job_rows, speed_rows
from harness.execution import host, progress, rounds, runner
from harness.execution.processes import ending
from harness.experiments import speed_rounds
from harness.fidelity import repeatability
from harness.records import runs, store
from harness.report.repeats import RepeatReport, RepeatRow, exit_code
from harness.results.verdicts import Repeat

if TYPE_CHECKING:
    from harness.context import Context
    from harness.results.model import SpeedRow

SCHEMA = 1
LOCKSTEP, NATIVE = "lockstep", "native"
#: What each mode records, in the order of the ladder.
STAGES = {LOCKSTEP: plan.LOCKSTEP_STAGES, NATIVE: ("weights", "trajectory")}
#: The run in which honest variations are measured, where two runs did not agree.
MEASURED = -1


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Repeated:
    """Options of `repeat`.

    Parameters
    ----------
    backends
        Builds to run again and again; `torch@FOLDER` takes the ports in FOLDER.
    workloads
        Which workloads.
    data
        What workloads that take data train on.
    precision
        Which precisions: fp64 fp32 tf32 bf16 fp16.
    preset
        tiny, small or paper (else tiny, and small for the price).
    device
        cpu, gpu or tpu.
    execution
        default, eager, graph or compiled.
    steps
        Training steps of each run; the workload's own number, if not given.
    runs
        How many runs, each in a fresh process.
    seed
        Seed of the tape and of the framework's own generators.
    threads
        Threads of each worker's intra-operation pool; if not given, all cores.
    ports
        Folders with workloads and ports of your own.
    python
        BUILD=PATH, the interpreter of a build.
    budget
        Seconds for timing the deterministic mode; more than five rounds run only within them.
    no_speed
        Do not time the deterministic mode.
    json
        Write the JSON to this file too.
    reports
        Folder in which the run's own folder is made.
    limit
        Longest time that one request to a worker may take, seconds.
    """

    backends: Annotated[tuple[str, ...], SEVERAL] = ("torch",)
    workloads: Annotated[tuple[str, ...], SEVERAL] = ("linear",)
    data: str | None = None
    precision: Annotated[tuple[str, ...], SEVERAL] = ("fp32",)
    preset: str | None = None
    device: str = "cpu"
    execution: str = "default"
    steps: int | None = None
    runs: int = 2
    seed: int = 0
    threads: int | None = None
    ports: Annotated[tuple[Path, ...], SEVERAL] = ()
    python: Annotated[tuple[str, ...], SEVERAL] = ()
    budget: float = 60.0
    no_speed: Annotated[bool, Parameter(negative="")] = False
    json: Path | None = None
    reports: Path = Path("reports")
    limit: float = 600.0


@dataclasses.dataclass(frozen=True)
class Result:
    """What was found out, and where it lies."""

    report: RepeatReport
    folder: Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class RepeatJob(plan.Job):
    """One run of several that have to be the same. `run`: counted from 0, or MEASURED."""

    run: int

    @property
    def name(self) -> str:
        """The folder's name."""
        mode = "deterministic" if self.deterministic else "default"
        return self._named(f"-repeat-{mode}-run{self.run % 1000:03d}")


def repeat(chosen: Repeated, context: Context) -> Result:
    """Run, judge, time and write.

    Raises:
        HarnessError: wrong usage, a build that cannot be had.
    """
    if chosen.runs < 2:
        raise UsageError(f"--runs {chosen.runs}: one run cannot be compared; give at least 2.")
    asked = _options(chosen)
    request = resolution.resolve(asked)
    located = interpreters.locate(request, context)
    if located.recorded:
        raise UsageError(
            f"--backends: {', '.join(located.recorded)} cannot be had here, and a recorded"
            " reference cannot run again."
        )
    what = "repeat-" + "-".join(side.label.replace("#", "") for side in request.sides)
    run = runs.create(
        chosen.reports,
        what,
        runs.key(["repeat", dataclasses.asdict(chosen)]),
        context.command,
        context.now,
    )
    with runs.held(run.folder):
        bench = compare.make_bench(run.folder, located, request, context)
        rows: list[RepeatRow] = []
        jobs = [
            job for job in plan.make(request).jobs if job.precision in request.precisions
        ]  # others stand behind a lower precision
        counting = dataclasses.replace(
            context, say=progress.counted(2 * len(jobs) * chosen.runs, context.say)
        )
        for job, deterministic in itertools.product(jobs, (False, True)):
            rows += _case(bench, job, deterministic, chosen.runs, counting)
        price = (
            []
            if chosen.no_speed
            else _price(
                bench,
                dataclasses.replace(request, speed=True, fidelity=False),
                chosen.budget,
                rows,
                context,
            )
        )
        report = RepeatReport(run.created, run.command, tuple(rows), tuple(price), exit_code(rows))
        document = {"schema": SCHEMA, **dataclasses.asdict(report)}
        store.write_json(run.folder / "repeat.json", document)
        if chosen.json is not None:
            store.write_json(chosen.json, document)
        runs.drop_tensors(run.folder, frozenset())
    run.mark(finished=True)
    return Result(report, run.folder)


def _options(chosen: Repeated) -> options.Options:
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
        no_speed=True,
    )


@dataclasses.dataclass(frozen=True)
class Case:
    """One build on one workload in one precision, with the framework's deterministic mode on or
    off, and its runs."""

    run: Path
    job: plan.Job
    deterministic: bool
    records: tuple[store.Record, ...]

    def row(self, mode: str, verdict: Repeat, reason: str) -> RepeatRow:
        """Return the row of a mode."""
        job, good = self.job, [Repeat.IDENTICAL, Repeat.UNSUPPORTED]
        good += [] if self.deterministic else [Repeat.ROUNDING]
        return RepeatRow(
            job.workload,
            job.side,
            job.precision,
            job.preset,
            mode,
            self.deterministic,
            verdict,
            reason,
            verdict in good,
            len(self.records),
            seed=job.seed,
            threads=job.threads,
            logs=tuple(
                job_rows.relative(self.run, record.folder / job_rows.LOG) for record in self.records
            ),
        )


def _case(
    bench: runner.Bench, job: plan.Job, deterministic: bool, count: int, context: Context
) -> list[RepeatRow]:
    """Run one build on one workload `count` times and judge each mode."""
    given = {field.name: getattr(job, field.name) for field in dataclasses.fields(plan.Job)}

    def run(number: int) -> store.Record:
        variants = (
            tuple(one for one in job.variants if dict(one)["kind"] in ("ulp", "repeat"))
            if number == MEASURED
            else ()
        )
        again = RepeatJob(
            **{**given, "variants": variants, "deterministic": deterministic}, run=number
        )
        mode = "on" if deterministic else "off"
        what = f"{job.workload} {job.side} {job.precision}, deterministic mode {mode}"
        context.say(
            f"{what}: what rounding moves"
            if number == MEASURED
            else progress.Step(f"{what}: run {number + 1} of {count}", what)
        )
        return run_job(bench, again)

    case = Case(bench.run, job, deterministic, tuple(run(number) for number in range(count)))
    ended = next((told for record in case.records if (told := failure(record)) is not None), None)
    if ended is not None:
        status, reason = ended
        verdict, reason = (
            Repeat.UNSUPPORTED if status == "unsupported" else Repeat.BROKEN,
            f"{status}: {reason}",
        )
        return [case.row(mode, verdict, reason) for mode in STAGES]
    told = case.records[0].result["effective"].get("deterministic", "unknown")
    if deterministic and told is not True:
        reason = f"the framework has no deterministic mode that is in effect; it tells `{told}`"
        return [case.row(mode, Repeat.UNSUPPORTED, reason) for mode in STAGES]
    return _judge(case, run)


def _judge(case: Case, run: Callable[[int], store.Record]) -> list[RepeatRow]:
    """Compare every run with the first; `run(MEASURED)` runs once more where they do not agree."""
    measured: store.Record | None = None
    rows = []
    for mode, stages in STAGES.items():
        parts = [part(record, mode) for record in case.records]
        found = []
        for other in parts[1:]:
            bits = repeatability.compare(parts[0], other, stages)
            if not bits.identical and measured is None:
                measured = run(MEASURED)
            noise = part(measured, mode) if measured is not None and measured.ok else None
            found.append(
                repeatability.judge(parts[0], other, bits, noise, stages, case.job.precision)
            )
        worst = repeatability.worst(found)
        row = case.row(mode, worst.verdict, worst.reason)
        first = worst.bits.first
        if first is not None:
            row = dataclasses.replace(
                row,
                stage=first.stage,
                tensor=first.name,
                place=first.place,
                first=first.first,
                second=first.second,
            )
        rows.append(
            dataclasses.replace(row, tensors=worst.bits.tensors, differing=worst.bits.differing)
        )
    return rows


def part(record: store.Record, mode: str) -> store.RecordEvidence:
    """Return what one mode of a finished run left."""
    folder = record.folder.with_name(f"{record.folder.name}-{mode}")
    return store.RecordEvidence(
        dataclasses.replace(record, folder=folder, result=record.result["parts"][mode])
    )


def failure(record: store.Record) -> tuple[str, str] | None:
    """Return the status and the reason of a run that did not come through, or None. A stage in
    which the port raised was not repeated: what the other stages left does not make up for it."""
    if not record.ok:
        return record.status, record.reason
    raised = {
        stage: told
        for mode in STAGES
        for stage, told in record.result["parts"][mode].get("raised", {}).items()
    }
    return ("error", job_rows.by_stage(raised)) if raised else None


def run_job(bench: runner.Bench, job: RepeatJob) -> store.Record:
    """Record both modes in one fresh process. Whatever happens inside it becomes the record's
    status."""
    folder = bench.run / "jobs" / job.name
    runner.fresh(folder)
    with runner.ended(folder, plan.describe(job), time.monotonic()) as outcome:
        files = runner.inputs(bench, job.workload, job.preset, job.seed, job.steps)
        parts = {}
        with bench.worker(job.build, folder / job_rows.LOG) as worker, ending([worker]):
            opened = runner.open_port(worker, bench, job.opening(), files)
            probed = worker.request("probe", tape=str(files.tape))
            for mode, stages in STAGES.items():
                where = folder.with_name(f"{folder.name}-{mode}")
                runner.fresh(where)
                parts[mode] = store.decode(
                    worker.request(
                        "record",
                        tape=str(files.tape),
                        folder=str(where.resolve()),
                        stages=list(stages),
                        steps=job.steps,
                        variants=[dict(variant) for variant in job.variants],
                        seed=job.seed if mode == NATIVE else None,
                    )
                )
                store.verify(where, parts[mode]["files"])
        outcome.result = {
            **opened,
            **probed,
            "parts": parts,
            "tape_hash": files.tape_hash,
            "data_hash": files.data_hash,
        }
    return outcome.record()


def _price(
    bench: runner.Bench,
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
    found: list[SpeedRow] = []
    for side in request.sides:
        sides = (
            side,
            dataclasses.replace(side, label=f"{side.label}-deterministic", deterministic=True),
        )
        jobs = plan.make(dataclasses.replace(request, sides=sides)).speed
        jobs = tuple(
            job
            for job in jobs
            if (job.workload, side.label, job.precision) in able and not job.precisions
        )
        if not jobs:
            continue
        lock = staging.cache(context.environ) / "timed.lock"
        with rounds.machine_lock(
            lock,
            lambda: context.say(f"another timed run holds {lock}; waiting for it to end"),  # noqa: B023
        ):
            measured = speed_rounds.run_speed(bench, jobs, budget_s, context.say)
        found += speed_rows.rows(measured, bench.run)
    return [dataclasses.replace(row, command=context.command) for row in found]
