"""One comparison from options to a judged report on disk: plan, locate builds, run, judge, write,
tidy.

Prints nothing: it tells its progress through `Context.say`, and returns what `cli` shows.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from backends.contract import Status
from harness import plan
from harness.commands import (
    export,
    fidelity_jobs,
    first_run,
    options,
    pair_notes,
    pairs,
    resolution,
    timed_runs,
)
from harness.commands.interpreters import Located, locate
from harness.context import Context
from harness.environments import checkout, staging
from harness.errors import UsageError
from harness.evaluation import (
    curves,
    distribution_rows,
    job_rows,
    speed_notes,
    speed_rows,
)
from harness.execution import runner
from harness.experiments import first_bad_step, speed_rounds, whole_tensors, wrong_updates
from harness.fidelity import plot_series
from harness.pairs import known_differences
from harness.plan import Job, Plan, Request, SampleJob
from harness.records import runs
from harness.report import renderers
from harness.results import outcome
from harness.results.model import Report
from harness.results.verdicts import Fidelity
from harness.results.version import VERSION


@dataclasses.dataclass(frozen=True)
class ComparisonResult:
    """A finished comparison and where it lies. `looked`: the pair, where it is of one."""

    report: Report
    folder: Path
    looked: pairs.Looked | None = None


def check(pair: Path | None, chosen: options.Options) -> None:
    """Refuse options that do not fit what is compared, before anything else is looked at.

    Args:
        pair: a pair file; None for workloads. chosen: the options beside it.

    Raises:
        UsageError: an option is for pair files alone.
    """
    if chosen.path and pair is None:
        raise UsageError("--path: is for pair files. Name one, or drop the option.")


def compare_named(pair: Path | None, chosen: options.Options, context: Context) -> ComparisonResult:
    """Compare the two models of a pair file or, without one, workloads: what the command and the
    Python API both do.

    Args:
        pair: a pair file; None for workloads. chosen: what to do. context: from outside.

    Raises:
        HarnessError: wrong usage, a build that cannot be had, a record that cannot be read.
    """
    check(pair, chosen)
    if pair is None:
        return compare(chosen, context)
    looked = pairs.look(pair, chosen, context)
    result = compare(chosen, context, request=looked.request)
    return dataclasses.replace(result, looked=looked)


def compare(
    chosen: options.Options,
    context: Context,
    folder: Path | None = None,
    request: Request | None = None,
) -> ComparisonResult:
    """Run a comparison and write its report.

    Args:
        chosen: what to do. context: from outside.
        folder: of the run, if it is not to be made in `chosen.reports`; the same comparison that
            lies there goes on, or is finished.
        request: what `chosen` asks for, where that is resolved already: a command that makes
            several comparisons loads a user's folder once for all of them.

    Raises:
        HarnessError: wrong usage, a build that cannot be had, a record that cannot be read.
    """
    request = request or resolution.resolve(chosen)
    for line in request.left_out:
        context.say(line)
    located = locate(request, context)
    key = identity("compare", request, context)
    if folder is not None:
        run = runs.at(folder, key, context.command, context.now)
        if runs.is_finished(folder):
            return ComparisonResult(renderers.load(folder), folder)
    else:
        run = _run(request, key, chosen, context)
    with runs.held(run.folder):
        return _compare(run, request, located, chosen, context)


def _run(request: Request, key: str, chosen: options.Options, context: Context) -> runs.Run:
    """Return the run to go on with, or a new one."""
    run = runs.unfinished(chosen.reports, key) if chosen.resume else None
    if run is not None:
        context.say(f"going on with {run.folder}")
        return run
    if chosen.resume:
        context.say(f"no unfinished run of this comparison in {chosen.reports}; starting a new one")
    what = "-".join(side.label.replace("#", "") for side in request.sides)
    return runs.create(chosen.reports, what, key, context.command, context.now)


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
) -> ComparisonResult:
    """Run what has not run yet, judge, write and tidy."""
    run_context = fidelity_jobs.make_run_context(run.folder, located, request, context)
    sifted = first_run.sift(run_context, plan.make(request), request, located.recorded, context.say)
    planned = sifted.plan
    ran = fidelity_jobs.run_lockstep(run_context, planned, located, context)
    sampled = fidelity_jobs.run_samples(run_context, planned, located, context, ran)
    looked, blamed = _judged(run_context, planned, ran, context)
    planned, judged = looked.plan, looked.rows
    judged = outcome.accept(judged, chosen.accept)
    judged = outcome.neutralised(judged, known_differences.by_workload(request.workloads))
    measured = _run_speed(run_context, planned, located, chosen, context)
    for timed in measured:
        if timed.records:
            job, first = timed.job, timed.records[0].round
            job_rows.note_round(ran.builds, job, first, located.origins, run_context.staging)
            if first.tape_hash:  # rounds of an older harness do not tell it
                tape = f"{job.workload}/{job.preset}/{job.seed}"
                ran.tapes.setdefault(tape, str(first.tape_hash))
    stages = plot_series.share(
        [*judged, *distribution_rows.stage_rows(planned, sampled, run_context)]
    )
    quality = distribution_rows.quality_rows(planned, sampled, run_context, context.say)
    speed = speed_rows.rows(measured, run_context.run)
    rounds = [
        job_rows.round_row(run.folder, record)
        for timed in measured
        for record in [*timed.records, *timed.failed]
    ]
    jobs = [*first_run.ordered(request, sifted.failed, ran.jobs), *rounds]
    remarks = dict.fromkeys((*sifted.remarks, *ran.remarks))
    said = (*context.notes, *pair_notes.after(request, judged))
    notes = (*said, *_notes(located, planned), *remarks, *blamed)
    notes += speed_notes.notes(measured)
    sides = " ".join(side.label for side in request.sides)
    workloads = " ".join(workload.name for workload in request.workloads)
    baseline = request.sides[0].label if chosen.fail_if_slower else None
    report = Report(
        title=f"{sides} on {workloads}",
        created=run.created,
        harness_version=VERSION,
        command=run.command,
        fidelity=outcome.fidelity(stages, jobs),
        headline=outcome.headline(stages, speed, jobs),
        stages=tuple(stages),
        speed=tuple(speed),
        jobs=tuple(jobs),
        builds=tuple(ran.builds.values()),
        tapes=ran.tapes,
        notes=notes,
        quality=tuple(quality),
        curves=curves.curves(sifted.plan, ran.evidences, sampled),
        spreads=curves.spreads(planned, sampled, run_context),
        commit=checkout.commit(context.environ),
        exit_code=outcome.exit_code(stages, speed, jobs, baseline),
    )
    renderers.write(report, run.folder, chosen.json)
    export.write(chosen.export, measured, report)
    finished = all(row.status in (Status.OK, Status.UNSUPPORTED) for row in jobs)
    run.mark(finished)
    if finished and not chosen.keep:  # else --resume needs what the finished jobs left
        runs.drop_tensors(run.folder, _kept(planned, report))
    return ComparisonResult(report, run.folder)


def _judged(
    run_context: runner.RunContext,
    planned: Plan,
    ran: fidelity_jobs.LockstepResults,
    context: Context,
) -> tuple[whole_tensors.Judged, list[str]]:
    """Judge all pairs, and find out more where one fails; return with it lines about optimizers."""
    looked = whole_tensors.judged(run_context, planned, ran.evidences, context.say)
    ran.jobs.extend(job_rows.job_row(run_context.run, job, left) for job, left in looked.again)
    evidences, rows = looked.evidences, looked.rows
    rows = first_bad_step.localise(run_context, looked.plan, evidences, rows, context.say)
    rows, blamed = wrong_updates.localise(run_context, looked.plan, evidences, rows)
    for line in blamed:
        context.say(line)
    return dataclasses.replace(looked, rows=rows), blamed


def _run_speed(
    run_context: runner.RunContext,
    planned: Plan,
    located: Located,
    chosen: options.Options,
    context: Context,
) -> list[speed_rows.Timed]:
    """Run the timed part under the machine's lock. A recorded reference has no speed."""
    jobs = []
    for job in planned.speed:
        sides = tuple(side for side in job.sides if side.build not in located.recorded)
        if len(sides) >= 2:
            jobs.append(dataclasses.replace(job, sides=sides))
    if not jobs:
        return []
    with timed_runs.alone(context):
        return speed_rounds.run_speed(run_context, jobs, chosen.budget, context.say)


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
