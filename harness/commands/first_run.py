"""A first short run of the user's own ports, before anything long begins: what dies on its first
step costs seconds.

Each side tries all its workloads in one worker: it builds the port, loads the parameters and takes
one step of each stage asked for. A side that fails is not compared, and what only it was needed for
does not run. Shipped ports are left out: the project's own tests run them, and to import and trace
every framework twice would cost the ordinary comparison a tenth of its time.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from backends.contract import Status
from harness.commands.own_ports import own_port
from harness.errors import JobFailed
from harness.evaluation.job_rows import LOG, relative
from harness.execution import runner, verbs
from harness.execution.processes import WorkerProcess
from harness.plan import DISTRIBUTION, Job, Opening, Plan, Request, SampleJob, SpeedJob
from harness.records import runs, store
from harness.records.contents import Attempted, FirstRun
from harness.results.model import JobRow

KIND = "check"


@dataclasses.dataclass(frozen=True)
class Attempt:
    """One way to try a workload: a precision that may not be supported, and its inputs. `stages`:
    None for training and inference."""

    opening: Opening
    seed: int
    steps: int
    stages: tuple[str, ...] | None


@dataclasses.dataclass(frozen=True)
class CheckJob:
    """One side tries its workloads. `attempts`: by workload, in the order in which they are made
    until one is supported."""

    side: str
    build: str
    threads: int
    attempts: tuple[tuple[str, tuple[Attempt, ...]], ...]

    @property
    def name(self) -> str:
        """The folder's name."""
        side = self.side.replace("@", "-").replace("#", "-")
        return f"{KIND}-{side}-{self._key()[:8]}"

    def describe(self) -> dict[str, Any]:
        """Return the job as plain JSON, for its record."""
        return {
            "side": self.side,
            "build": self.build,
            "workload": " ".join(name for name, _ in self.attempts),
            "key": self._key(),
            KIND: True,
        }

    def _key(self) -> str:
        return runs.key(dataclasses.asdict(self))


@dataclasses.dataclass(frozen=True)
class Sifted:
    """What is left to do, a row for each side that failed on a workload, and what else was seen of
    ports, in lines."""

    plan: Plan
    failed: tuple[JobRow, ...]
    remarks: tuple[str, ...]


def sift(
    run_context: runner.RunContext,
    planned: Plan,
    request: Request,
    without: Collection[str],
    say: Callable[[str], None],
) -> Sifted:
    """Try all ports of the user's and return the plan without what failed.

    Args:
        without: builds that recorded references stand for.
    """
    checks = [job for job in jobs(planned, request) if job.build not in without]
    for job in checks:
        folder = run_context.run / "jobs" / job.name
        before = runner.finished(run_context, job)
        if before is not None and any(
            attempt.status not in (Status.OK, Status.UNSUPPORTED)
            for attempt in before.first_run.workloads.values()
        ):
            shutil.rmtree(folder)  # an interrupted run goes on because something has been mended

    def progress(job: CheckJob, record: store.Record | None) -> None:
        if record is None:
            say(f"first check of {job.side}: {', '.join(name for name, _ in job.attempts)}")

    records = runner.run_jobs(run_context, checks, progress, run_check)
    failed: list[JobRow] = []
    remarks: list[str] = []
    for job in checks:
        record = records[job.name]
        log = relative(run_context.run, record.folder / LOG)
        for name, attempts in job.attempts:
            # Without a result the check itself came to no end, e.g. on a full disk.
            tried = record.first_run.workloads if record.ok else {}
            attempt = tried.get(name) or Attempted(record.status, record.reason)
            remarks += remarks_of(job.side, name, attempt.remarks)
            if attempt.status not in (Status.OK, Status.UNSUPPORTED):
                row = JobRow(
                    job=job.name,
                    build=job.side,
                    workload=name,
                    kind=KIND,
                    precision=attempts[0].opening.setting.precision,
                    status=attempt.status,
                    reason=attempt.reason,
                    duration_s=record.duration_s,
                    log=log,
                    seed=attempts[0].seed,
                )
                failed.append(row)
                say(f"{name} {job.side}: {attempt.status}, first check: {attempt.reason}")
    left = reduced(planned, {(row.build, row.workload) for row in failed})
    return Sifted(left, tuple(failed), tuple(remarks))


def ordered(request: Request, failed: Sequence[JobRow], rows: Sequence[JobRow]) -> list[JobRow]:
    """Return the rows of jobs, those of failed checks where the jobs of the same workload and side
    would stand."""
    if not failed:
        return list(rows)
    workloads = [item.name for item in request.workloads]
    sides = [side.label for side in request.sides]

    def position(row: JobRow) -> tuple[int, int]:
        return workloads.index(row.workload), sides.index(row.build)

    return sorted([*failed, *rows], key=position)


def remarks_of(side: str, workload: str, remarks: Sequence[str]) -> list[str]:
    """Return what a worker has remarked about a port, as lines for a report."""
    return [f"{side}, port of {workload}: {remark}" for remark in remarks]


def jobs(planned: Plan, request: Request) -> list[CheckJob]:
    """Return the checks of a plan: one for each side that has a port in a folder of the user's."""
    checks = []
    for side in request.sides:
        attempts = []
        for workload in request.workloads:
            ways = tuple(_attempts(planned, side.label, workload.name))
            if ways and own_port(side, workload):
                attempts.append((workload.name, ways))
        if attempts:
            threads = request.fidelity_threads
            checks.append(CheckJob(side.label, side.build, threads, tuple(attempts)))
    return checks


def _attempts(planned: Plan, label: str, workload: str) -> Iterator[Attempt]:
    """Yield what to try, in the order of the plan, each setting once."""
    sampled = any((job.side, job.workload) == (label, workload) for job in planned.samples)
    seen: set[str] = set()
    work: tuple[Job | SampleJob | SpeedJob, ...] = (*planned.jobs, *planned.samples, *planned.speed)
    for job in work:
        if job.workload != workload or label not in _labels(job):
            continue
        if isinstance(job, Job):
            stages = (*job.stages, DISTRIBUTION) if sampled else job.stages
            attempt = Attempt(job.opening(), job.seed, job.tape_steps or job.steps, stages)
        elif isinstance(job, SampleJob):
            attempt = Attempt(job.opening(), job.seed, 1, (DISTRIBUTION,))
        else:
            attempt = Attempt(job.opening(label), job.seed, 1, None)
        if attempt.opening.setting.precision not in seen:
            seen.add(attempt.opening.setting.precision)
            yield attempt


def _labels(job: Job | SampleJob | SpeedJob) -> Collection[str]:
    return [side.label for side in job.sides] if isinstance(job, SpeedJob) else (job.side,)


def run_check(run_context: runner.RunContext, job: CheckJob) -> store.Record:
    """Try all workloads of a side. What happens to one of them is in the result, and stops no
    other."""
    folder = run_context.run / "jobs" / job.name
    runner.fresh(folder)
    with runner.ended(folder, job.describe(), time.monotonic()) as outcome:
        worker: WorkerProcess | None = None
        results: dict[str, Attempted] = {}
        try:
            for name, attempts in job.attempts:
                used = worker is not None
                worker = worker or run_context.worker(job.build, folder / LOG, side=job.side)
                results[name] = _try(run_context, worker, attempts)
                if used and results[name].status not in (Status.OK, Status.UNSUPPORTED):
                    # what an earlier port has left in the process is no fault of this one
                    worker.close()
                    worker = run_context.worker(job.build, folder / LOG, side=job.side)
                    results[name] = _try(run_context, worker, attempts)
                if not worker.alive:
                    worker = None
        finally:
            if worker is not None:
                worker.close()
        outcome.result = dataclasses.asdict(FirstRun(results))
    return outcome.record()


def _try(
    run_context: runner.RunContext, worker: WorkerProcess, attempts: Sequence[Attempt]
) -> Attempted:
    """Return how the first attempt ended that is supported, or the last one."""
    for attempt in attempts[:-1]:
        ended = _attempted(run_context, worker, attempt)
        if ended.status != Status.UNSUPPORTED:
            return ended
    return _attempted(run_context, worker, attempts[-1])


def _attempted(
    run_context: runner.RunContext, worker: WorkerProcess, attempt: Attempt
) -> Attempted:
    opening, stages = attempt.opening, None if attempt.stages is None else list(attempt.stages)
    try:
        workload, preset = opening.workload, opening.preset
        files = runner.inputs(run_context, workload, preset, attempt.seed, attempt.steps)
        runner.open_port(worker, run_context, opening, files)
        probed = worker.request(verbs.PROBE, tape=str(files.tape), stages=stages, brief=False)
    except JobFailed as error:
        return Attempted(error.status, error.reason)
    return Attempted(Status.OK, "", probed.content.remarks)


def reduced(planned: Plan, failed: Collection[tuple[str, str]]) -> Plan:
    """Return a plan without the sides that failed, by label and workload, and without what nothing
    is left to be compared with."""
    if not failed:
        return planned

    def well(*work: Job | SampleJob) -> bool:
        return not any((job.side, job.workload) in failed for job in work)

    pairs = tuple(pair for pair in planned.pairs if well(pair.a, pair.b))
    distributions = tuple(
        models for models in planned.distributions if well(models.a[0], models.b[0])
    )
    compared = {pair.workload for pair in planned.pairs}
    compared |= {models.workload for models in planned.distributions}
    left = {pair.workload for pair in pairs} | {models.workload for models in distributions}
    done = compared - left  # nothing is left that would be judged

    def needed(*work: Job | SampleJob) -> bool:
        return well(*work) and work[0].workload not in done

    return Plan(
        jobs=tuple(job for job in planned.jobs if needed(job)),
        pairs=pairs,
        chains=tuple(
            cost for cost in planned.chains if needed(cost.chain, cost.plain, cost.beside)
        ),
        speed=_timed(planned.speed, failed),
        bounds=tuple(both for both in planned.bounds if needed(*both)),
        samples=tuple(job for job in planned.samples if needed(job)),
        distributions=distributions,
    )


def _timed(speed: Sequence[SpeedJob], failed: Collection[tuple[str, str]]) -> tuple[SpeedJob, ...]:
    """Return what can still be timed. Where a side of a workload has failed and no others are left
    to be timed against each other, a build's precisions are not timed either."""
    shortened = [_sides_left(job, failed) for job in speed]
    comparable = [job for job in shortened if len(job.sides) >= 2]
    harmed = {workload for _, workload in failed}
    return tuple(
        job
        for job in comparable
        if not job.precisions or job.workload not in harmed or _others(job, comparable)
    )


def _sides_left(job: SpeedJob, failed: Collection[tuple[str, str]]) -> SpeedJob:
    """Return a timed job without the sides that failed; the precisions of one side are all of that
    side."""
    names = {name for name, workload in failed if workload == job.workload}
    if job.precisions:
        gone = any(
            side.label == f"{name}-{precision}"
            for side in job.sides
            for name in names
            for precision in job.precisions
        )
        return dataclasses.replace(job, sides=()) if gone else job
    left = tuple(side for side in job.sides if side.label not in names)
    return dataclasses.replace(job, sides=left)


def _others(job: SpeedJob, speed: Sequence[SpeedJob]) -> bool:
    """Whether sides of a workload are still timed against each other."""
    return any(other.workload == job.workload and not other.precisions for other in speed)
