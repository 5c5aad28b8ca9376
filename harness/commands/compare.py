"""One comparison from options to a judged report on disk: plan, locate builds, run, judge, write,
tidy.

Prints nothing: it tells its progress through `Context.say`, and returns what `cli` shows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import psutil

from harness import __version__, plan
from harness.commands import export, first_run, options, resolution
from harness.commands.interpreters import Located, locate
from harness.context import Context
from harness.environments import checkout, staging
from harness.errors import CorruptRecord, JobFailed, NewerSchema, RecordError
from harness.evaluation import (
    curves,
    distribution_rows,
    job_rows,
    outcome,
    speed_notes,
    speed_rows,
    stage_rows,
)
from harness.execution import host, progress, runner, samples
from harness.execution.processes import Limits, clean_environment
from harness.execution.rounds import machine_lock
from harness.experiments import first_bad_step, speed_rounds
from harness.fidelity import declarations, traces
from harness.plan import Job, Plan, Request, SampleJob
from harness.records import references, runs, store
from harness.report import rendering
from harness.results.model import BuildRow, JobRow, Report
from harness.results.verdicts import Fidelity

Work = TypeVar("Work", Job, SampleJob)
#: A worker may use this share of the memory that is free when the run starts.
MEMORY_SHARE = 0.9


@dataclasses.dataclass(frozen=True)
class Result:
    """A finished comparison and where it lies."""

    report: Report
    folder: Path


def compare(chosen: options.Options, context: Context, folder: Path | None = None) -> Result:
    """Run a comparison and write its report.

    Args:
        chosen: what to do. context: from outside.
        folder: of the run, if it is not to be made in `chosen.reports`; the same comparison that
            lies there goes on, or is finished.

    Raises:
        HarnessError: wrong usage, a build that cannot be had, a record that cannot be read.
    """
    request = resolution.resolve(chosen)
    for line in request.left_out:
        context.say(line)
    located = locate(request, context)
    asked = identity("compare", request, context)
    if folder is not None:
        run = runs.at(folder, asked, context.command, context.now)
        if runs.is_finished(folder):
            return Result(rendering.load(folder), folder)
    else:
        run = _run(request, asked, chosen, context)
    with runs.held(run.folder):
        return _compare(run, request, located, chosen, context)


def _run(request: Request, asked: str, chosen: options.Options, context: Context) -> runs.Run:
    """Return the run to go on with, or a new one."""
    run = runs.unfinished(chosen.reports, asked) if chosen.resume else None
    if run is not None:
        context.say(f"going on with {run.folder}")
        return run
    if chosen.resume:
        context.say(f"no unfinished run of this comparison in {chosen.reports}; starting a new one")
    what = "-".join(side.label.replace("#", "") for side in request.sides)
    return runs.create(chosen.reports, what, asked, context.command, context.now)


def identity(command: str, request: Request, context: Context) -> str:
    """Return what makes two runs the same work: the request, the code of all ports, and the
    interpreters that the user named."""
    folders = sorted({folder for side in request.sides for folder in side.folders})
    code = [
        staging.prepare(context.environ).name,
        *(staging.content(Path(folder)) for folder in folders),
    ]
    return runs.key([command, plan.identity(request), code])


def _compare(
    run: runs.Run, request: Request, located: Located, chosen: options.Options, context: Context
) -> Result:
    """Run what has not run yet, judge, write and tidy."""
    bench = make_bench(run.folder, located, request, context)
    sifted = first_run.sift(bench, plan.make(request), request, located.recorded, context.say)
    planned = sifted.plan
    ran = _run_jobs(bench, planned, located, context)
    sampled = _run_samples(bench, planned, located, context, ran)
    found = stage_rows.stage_rows(planned, ran.witnesses)
    found = outcome.accept(
        first_bad_step.localise(bench, planned, ran.witnesses, found, context.say), chosen.accept
    )
    measured = _run_speed(bench, planned, located, chosen, context)
    for one in measured:
        if one.records:
            job_rows.note_round(ran.builds, one.job, one.records[0], located.origins, bench.staging)
            if digest := one.records[0].result.get(
                "tape_hash"
            ):  # rounds of an older harness do not tell it
                ran.tapes.setdefault(
                    f"{one.job.workload}/{one.job.preset}/{one.job.seed}", str(digest)
                )
    stages = traces.share([*found, *distribution_rows.stage_rows(planned, sampled, bench)])
    quality = distribution_rows.quality_rows(planned, sampled, bench, context.say)
    speed = speed_rows.rows(measured, bench.run)
    rounds = [
        job_rows.round_row(run.folder, record)
        for one in measured
        for record in [*one.records, *one.failed]
    ]
    jobs = [*first_run.ordered(request, sifted.failed, ran.jobs), *rounds]
    remarks = dict.fromkeys((*sifted.remarks, *ran.remarks))
    notes = (*request.left_out, *_notes(located, planned), *remarks, *speed_notes.notes(measured))
    report = Report(
        title=(
            f"{' '.join(side.label for side in request.sides)} on"
            f" {' '.join(item.name for item in request.workloads)}"
        ),
        created=run.created,
        harness_version=__version__,
        command=run.command,
        fidelity=outcome.fidelity(stages),
        headline=outcome.headline(stages, speed, jobs),
        stages=tuple(stages),
        speed=tuple(speed),
        jobs=tuple(jobs),
        builds=tuple(ran.builds.values()),
        tapes=ran.tapes,
        notes=notes,
        quality=tuple(quality),
        curves=curves.curves(planned, ran.witnesses, sampled),
        spreads=curves.spreads(planned, sampled, bench),
        commit=checkout.commit(context.environ),
        exit_code=outcome.exit_code(
            stages, speed, jobs, request.sides[0].label if chosen.fail_if_slower else None
        ),
    )
    rendering.write(report, run.folder, chosen.json)
    export.write(chosen.export, measured, report)
    finished = all(row.status in ("ok", "unsupported") for row in jobs)
    run.mark(finished)
    if finished and not chosen.keep:  # else --resume needs what the finished jobs left
        runs.drop_tensors(run.folder, _kept(planned, report))
    return Result(report, run.folder)


def make_bench(folder: Path, located: Located, request: Request, context: Context) -> runner.Bench:
    """Return what jobs need to start workers."""
    cores = host.cores() if request.device == "cpu" else 1  # jobs share no accelerator
    lanes = max(1, cores // request.fidelity_threads)
    memory = int(psutil.virtual_memory().available * MEMORY_SHARE / lanes)
    return runner.Bench(
        run=folder.absolute(),
        staging=staging.prepare(context.environ),
        interpreters=located.interpreters,
        environment=clean_environment(context.environ, TF_CPP_MIN_LOG_LEVEL="1"),
        workloads={item.name: item for item in request.workloads},
        limits=Limits(request.limit, memory),
        cores=cores,
    )


@dataclasses.dataclass(frozen=True)
class Ran:
    """What the jobs of the lockstep stages left: witnesses by job, rows of jobs, of builds by side,
    hashes of tapes, lines about ports."""

    witnesses: dict[str, stage_rows.Witness]
    jobs: list[JobRow]
    builds: dict[str, BuildRow]
    tapes: dict[str, str]
    remarks: tuple[str, ...] = ()


def _run_jobs(bench: runner.Bench, planned: Plan, located: Located, context: Context) -> Ran:
    """Run all fidelity jobs, or take recorded references in their place."""
    live = tuple(job for job in planned.jobs if job.build not in located.recorded)
    records = run_jobs(bench, live, context.say, runner.run_job)
    witnesses = {name: _witness(bench.run, record) for name, record in records.items()}
    jobs = [job_rows.job_row(bench.run, job, records[job.name]) for job in live]
    tapes: dict[str, str] = {}
    builds: dict[str, BuildRow] = {}
    for job in live:
        if records[job.name].ok:
            tapes[f"{job.workload}/{job.preset}/{job.seed}"] = str(
                records[job.name].result["tape_hash"]
            )
            job_rows.note_build(builds, job, records[job.name], located.origin(job), bench.staging)
    for job in planned.jobs:
        if job.build in located.recorded:
            witness = _recorded(bench, job)
            witnesses[job.name] = witness
            jobs.append(job_rows.recorded_row(job, witness.status, witness.reason))
            if isinstance(witness.evidence, references.Reference):
                document = witness.evidence.provenance
                builds.setdefault(
                    job.side,
                    job_rows.build_row(
                        job.side, document, f"recorded reference {witness.evidence.path.name}"
                    ),
                )
    remarks = [
        line
        for job in live
        for line in first_run.remarks_of(
            job.side, job.workload, records[job.name].result.get("remarks", ())
        )
    ]
    return Ran(witnesses, jobs, builds, tapes, tuple(remarks))


def run_jobs(
    bench: runner.Bench,
    jobs: Sequence[Work],
    say: Callable[[str], None],
    run: Callable[[runner.Bench, Work], store.Record],
) -> dict[str, store.Record]:
    """Run all jobs that are not finished yet, and tell of each."""
    waiting = sum(runner.existing(bench.run / "jobs" / job.name) is None for job in jobs)
    return runner.run_jobs(bench, jobs, progress.of_jobs(waiting, say), run)


def _run_samples(
    bench: runner.Bench, planned: Plan, located: Located, context: Context, ran: Ran
) -> dict[str, store.Record]:
    """Train from independent seeds; a recorded reference holds no trained models."""
    live = tuple(job for job in planned.samples if job.build not in located.recorded)
    records = run_jobs(bench, live, context.say, samples.run_sample)
    for job in live:
        ran.jobs.append(job_rows.job_row(bench.run, job, records[job.name]))
        if records[job.name].ok:
            job_rows.note_build(
                ran.builds, job, records[job.name], located.origin(job), bench.staging
            )
    reason = "a recorded reference holds no models trained from other seeds"
    for job in planned.samples:
        if job.build in located.recorded:
            ran.jobs.append(job_rows.recorded_row(job, "unsupported", reason))
    return records


def _recorded(bench: runner.Bench, job: Job) -> stage_rows.Witness:
    try:
        files = runner.inputs(bench, job.workload, job.preset, job.seed, job.steps)
        found = references.find(job, references.shipped(), files.tape_hash, files.data_hash)
    except JobFailed as error:
        return stage_rows.Witness(None, error.status, error.reason, (), "")
    except (CorruptRecord, NewerSchema) as error:
        return stage_rows.Witness(None, "corrupt", str(error), (), "")
    except RecordError as error:
        return stage_rows.Witness(None, "unsupported", str(error), (), "")
    return stage_rows.Witness(found, "ok", "", found.abilities, "")


def _witness(run: Path, record: store.Record) -> stage_rows.Witness:
    evidence = store.RecordEvidence(record) if record.ok else None
    abilities, log = (
        tuple(record.result.get("abilities", ())),
        job_rows.relative(run, record.folder / job_rows.LOG),
    )
    scales = record.result.get("loss_scale", {})
    return stage_rows.Witness(
        evidence,
        record.status,
        record.reason,
        abilities,
        log,
        scales,
        declarations.read(record.result),
    )


def _run_speed(
    bench: runner.Bench, planned: Plan, located: Located, chosen: options.Options, context: Context
) -> list[speed_rows.Timed]:
    """Run the timed part under the machine's lock. A recorded reference has no speed."""
    jobs = []
    for job in planned.speed:
        sides = tuple(side for side in job.sides if side.build not in located.recorded)
        if len(sides) >= 2:
            jobs.append(dataclasses.replace(job, sides=sides))
    if not jobs:
        return []
    lock = staging.cache(context.environ) / "timed.lock"
    with machine_lock(
        lock, lambda: context.say(f"another timed run holds {lock}; waiting for it to end")
    ):
        return speed_rounds.run_speed(bench, jobs, chosen.budget, context.say)


def _notes(located: Located, planned: Plan) -> tuple[str, ...]:
    notes = [
        f"{build} is represented by its recorded references, because: {why}"
        for build, why in located.recorded.items()
    ]
    if located.recorded and planned.speed:
        notes.append("a recorded reference has no speed; it was left out of the timing")
    return tuple(notes)


def _kept(planned: Plan, report: Report) -> frozenset[str]:
    """Return the jobs whose tensors a reader will want: those of pairs that did not pass."""
    doubtful = [
        row for row in report.stages if row.verdict in (Fidelity.FAIL, Fidelity.INCONCLUSIVE)
    ]
    odd = {(row.workload, row.precision, side) for row in doubtful for side in (row.a, row.b)}
    work: tuple[Job | SampleJob, ...] = (*planned.jobs, *planned.samples)
    return frozenset(job.name for job in work if (job.workload, job.precision, job.side) in odd)
