"""The jobs of fidelity, run: one side each on a tape or from a seed of its own, or a recorded
reference in their place; what they left is what `compare` judges."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import psutil

from backends.contract import Status
from harness.commands import first_run
from harness.commands.interpreters import Located
from harness.context import Context
from harness.environments import staging
from harness.errors import CorruptRecord, JobFailed, NewerSchema, RecordError
from harness.evaluation import job_rows, pair_evidence
from harness.execution import host, progress, runner, samples
from harness.execution.processes import Limits
from harness.execution.worker_environment import clean_environment
from harness.plan import Job, Plan, Request, SampleJob
from harness.records import references, store, tensors
from harness.results.model import BuildRow, JobRow

Work = TypeVar("Work", Job, SampleJob)
#: A worker may use this share of the memory that is free when the run starts.
MEMORY_SHARE = 0.9


def make_run_context(
    folder: Path, located: Located, request: Request, context: Context
) -> runner.RunContext:
    """Return what jobs need to start workers."""
    cores = host.cores() if request.device == "cpu" else 1  # jobs share no accelerator
    lanes = max(1, cores // request.fidelity_threads)
    memory = int(psutil.virtual_memory().available * MEMORY_SHARE / lanes)
    return runner.RunContext(
        run=folder.absolute(),
        staging=staging.prepare(context.environ),
        interpreters=located.interpreters,
        environment=clean_environment(context.environ, request.pass_env, TF_CPP_MIN_LOG_LEVEL="1"),
        workloads={item.name: item for item in request.workloads},
        limits=Limits(request.limit, memory),
        cores=cores,
    )


@dataclasses.dataclass(frozen=True)
class LockstepResults:
    """What the jobs of the lockstep stages left: evidences by job, rows of jobs, of builds by side,
    hashes of tapes, lines about ports."""

    evidences: dict[str, pair_evidence.JobEvidence]
    jobs: list[JobRow]
    builds: dict[str, BuildRow]
    tapes: dict[str, str]
    remarks: tuple[str, ...] = ()


def run_lockstep(
    run_context: runner.RunContext, planned: Plan, located: Located, context: Context
) -> LockstepResults:
    """Run all fidelity jobs, or take recorded references in their place."""
    live = tuple(job for job in planned.jobs if job.build not in located.recorded)
    records = run_jobs(run_context, live, context.say, runner.run_job)
    evidences = {name: _job_evidence(run_context.run, record) for name, record in records.items()}
    jobs = [job_rows.job_row(run_context.run, job, records[job.name]) for job in live]
    tapes: dict[str, str] = {}
    builds: dict[str, BuildRow] = {}
    remarks: list[str] = []
    for job in live:
        if records[job.name].ok:
            left = records[job.name].recorded
            tapes[f"{job.workload}/{job.preset}/{job.seed}"] = left.tape_hash
            job_rows.note_build(builds, job, left, located.origin(job), run_context.staging)
            remarks += first_run.remarks_of(job.side, job.workload, left.remarks)
    for job in planned.jobs:
        if job.build in located.recorded:
            shown = _recorded(run_context, job)
            evidences[job.name] = shown
            jobs.append(job_rows.recorded_row(job, shown.status, shown.reason))
            if isinstance(shown.evidence, references.Reference):
                origin = f"recorded reference {shown.evidence.path.name}"
                tf1 = shown.evidence.provenance
                builds.setdefault(
                    job.side, job_rows.build_row(job.side, tf1.identity, tf1.effective, origin)
                )
    return LockstepResults(evidences, jobs, builds, tapes, tuple(remarks))


def run_jobs(
    run_context: runner.RunContext,
    jobs: Sequence[Work],
    say: Callable[[str], None],
    run: Callable[[runner.RunContext, Work], store.Record],
) -> dict[str, store.Record]:
    """Run all jobs that are not finished yet, and tell of each."""
    waiting = sum(runner.finished(run_context, job) is None for job in jobs)
    return runner.run_jobs(run_context, jobs, progress.of_jobs(waiting, say), run)


def run_samples(
    run_context: runner.RunContext,
    planned: Plan,
    located: Located,
    context: Context,
    ran: LockstepResults,
) -> dict[str, store.Record]:
    """Train from independent seeds; a recorded reference holds no trained models."""
    live = tuple(job for job in planned.samples if job.build not in located.recorded)
    records = run_jobs(run_context, live, context.say, samples.run_sample)
    for job in live:
        ran.jobs.append(job_rows.job_row(run_context.run, job, records[job.name]))
        if records[job.name].ok:
            left = records[job.name].sampled
            job_rows.note_build(ran.builds, job, left, located.origin(job), run_context.staging)
    reason = "a recorded reference holds no models trained from other seeds"
    for job in planned.samples:
        if job.build in located.recorded:
            ran.jobs.append(job_rows.recorded_row(job, Status.UNSUPPORTED, reason))
    return records


def _recorded(run_context: runner.RunContext, job: Job) -> pair_evidence.JobEvidence:
    try:
        files = runner.inputs(run_context, job.workload, job.preset, job.seed, job.steps)
        reference = references.find(job, references.shipped(), files.tape_hash, files.data_hash)
    except JobFailed as error:
        return pair_evidence.JobEvidence(None, error.status, error.reason, (), "")
    except (CorruptRecord, NewerSchema) as error:
        return pair_evidence.JobEvidence(None, Status.CORRUPT, str(error), (), "")
    except RecordError as error:
        return pair_evidence.JobEvidence(None, Status.UNSUPPORTED, str(error), (), "")
    return pair_evidence.JobEvidence(reference, Status.OK, "", reference.abilities, "")


def _job_evidence(run: Path, record: store.Record) -> pair_evidence.JobEvidence:
    log = job_rows.relative(run, record.folder / job_rows.LOG)
    if not record.ok:
        return pair_evidence.JobEvidence(None, record.status, record.reason, (), log)
    left = record.recorded
    return pair_evidence.JobEvidence(
        evidence=tensors.RecordEvidence(record.folder, left),
        status=record.status,
        reason=record.reason,
        abilities=left.abilities,
        log=log,
        loss_scales=left.loss_scale,
        declared=left.declared,
    )
