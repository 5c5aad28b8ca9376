"""Record without comparing: `harness run`, and the references of the real TF 1.15.5."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path

from backends.contract import Stage, Status
from harness import plan
from harness.commands import compare, fidelity_jobs, interpreters, options, resolution
from harness.context import Context
from harness.errors import HarnessError, JobFailed, UsageError
from harness.evaluation import job_rows
from harness.execution import runner, samples
from harness.records import references, runs, store, tape
from harness.results import outcome
from harness.workloads import registry

Row = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class RecordedRun:
    """What `harness run` did: one row a job, for a table."""

    folder: Path
    rows: list[Row]
    exit_code: int


def run(chosen: options.Options, context: Context) -> RecordedRun:
    """Record every workload on every build, with nothing compared; all tensors are kept.

    Args:
        chosen: of a comparison; nothing is timed.
        context: from outside.

    Raises:
        UsageError: wrong usage. BuildError: a build cannot be had. Busy: another process works in
            the run's folder.
        JobFailed: a build cannot be had, and a recorded reference, which cannot run, would stand
            for it.
    """
    request = requested(chosen)
    planned = plan.make(request)
    located = interpreters.locate(request, context)
    if located.recorded:
        raise JobFailed(Status.UNSUPPORTED, next(iter(located.recorded.values())))
    key = compare.identity("run", request, context)
    made = (runs.unfinished(chosen.reports, key) if chosen.resume else None) or runs.create(
        chosen.reports,
        "run-" + "-".join(side.label.replace("#", "") for side in request.sides),
        key,
        context.command,
        context.now,
    )
    with runs.held(made.folder):
        run_context = fidelity_jobs.make_run_context(made.folder, located, request, context)
        records = fidelity_jobs.run_jobs(run_context, planned.jobs, context.say, runner.run_job)
        records.update(
            fidelity_jobs.run_jobs(run_context, planned.samples, context.say, samples.run_sample)
        )
        work: tuple[plan.Job | plan.SampleJob, ...] = (*planned.jobs, *planned.samples)
        done = [records[job.name] for job in work]
        of_jobs = list(zip(work, done, strict=True))
        jobs = [job_rows.job_row(run_context.run, job, record) for job, record in of_jobs]
        made.mark(finished=all(record.status in (Status.OK, Status.UNSUPPORTED) for record in done))
    rows = [_row(job, record) for job, record in of_jobs]
    wanted = [row for row in jobs if row.precision in request.precisions]
    return RecordedRun(made.folder, rows, outcome.recorded_code(wanted))


def requested(chosen: options.Options) -> plan.Request:
    """Return what is asked of the builds, checked.

    Args:
        chosen: of a comparison; nothing is timed.

    Raises:
        UsageError: wrong usage, or nothing is left to do.
    """
    if chosen.no_fidelity:
        raise UsageError(
            "--no-fidelity: `harness run` records what fidelity is judged by and times nothing, so"
            " nothing is left to do. Drop it, or take `harness compare`."
        )
    return resolution.resolve(dataclasses.replace(chosen, no_speed=True))


def _row(job: plan.Job | plan.SampleJob, record: store.Record) -> Row:
    first, last = _losses(job, record) if record.ok else ("", "")
    status = record.status if record.ok else f"{record.status}: {record.reason}"
    return (job.workload, job.side, job.precision, status, first, last, f"{record.duration_s:.1f}")


def _losses(job: plan.Job | plan.SampleJob, record: store.Record) -> tuple[str, str]:
    """Return the total loss of the first and of the last step; empty where there is none."""
    if isinstance(job, plan.SampleJob):
        if "total" not in record.sampled.terms:
            return "", ""
        values = record.read(samples.LOSSES, f"{samples.VALUE}total")
        return f"{values[0]:.6g}", f"{values[-1]:.6g}"
    totals = [
        item.name
        for item in record.recorded.tensors
        if item.stage == Stage.TRAJECTORY and item.name.endswith("/loss/total")
    ]
    if not totals:
        return "", ""
    ends = (record.read(Stage.TRAJECTORY, name) for name in (totals[0], totals[-1]))
    first, last = (f"{float(value):.6g}" for value in ends)
    return first, last


def record_references(
    folder: Path, workloads: Sequence[str], python: Sequence[str], context: Context
) -> list[Path]:
    """Record the references anew with the real TF 1.15.5 and return the paths of their JSON files.

    Args:
        folder: of all references; those of the same name are replaced. workloads: names.
        python: interpreters, BUILD=PATH; empty for those that are found or made.
        context: from outside.

    Raises:
        JobFailed: a job did not end ok. BuildError: TF 1.15.5 cannot be had.
        UsageError: a workload or an interpreter does not exist.
    """
    chosen = options.Options(
        backends=(references.BUILD,),
        workloads=tuple(workloads),
        precision=references.PRECISIONS,
        preset=references.PRESET,
        seed=references.SEED,
        python=tuple(python),
        no_speed=True,
        threads=1,
    )
    request = resolution.resolve(chosen)
    planned = plan.make(request)
    located = interpreters.locate(request, context)
    if located.recorded:
        raise JobFailed(Status.UNSUPPORTED, next(iter(located.recorded.values())))
    written = []
    with tempfile.TemporaryDirectory(prefix="harness-reference-") as scratch:
        run_context = fidelity_jobs.make_run_context(Path(scratch), located, request, context)
        for job in planned.jobs:
            record = runner.run_job(run_context, job)
            if not record.ok:
                raise JobFailed(record.status, f"{job.name}: {record.reason}")
            written.append(references.write(record, job, folder))
    return written


def verify(folder: Path) -> list[Row]:
    """Check all references of a folder: schema, checksums, and that today's workload draws the same
    data and tape."""
    rows: list[Row] = []
    for path in references.names(folder):
        try:
            reference = references.read(path)
            document, provenance = reference.document, reference.provenance
            workload = registry.get(document.workload)
            config = workload.config(document.preset)
            drawn = tape.draw(workload, config, document.seed, document.steps)
            problem = ""
            if drawn.tape_hash != provenance.tape_hash:
                problem = "today's tape differs: the workload or its draws changed"
            elif drawn.data_hash != provenance.data_hash:
                problem = "today's data differ from the recorded ones"
        except HarnessError as error:
            problem = str(error)
        finding = problem or f"{len(reference.document.tensors)} tensors"
        rows.append((path.stem, "failed" if problem else Status.OK, finding))
    return rows
