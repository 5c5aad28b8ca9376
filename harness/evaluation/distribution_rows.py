"""The distribution stage and the quality of what is generated: from the records of trained models
to rows of a report."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from backends.contract import Status
from harness.errors import CorruptRecord
from harness.evaluation import job_rows
from harness.evaluation import stage_rows as judging
from harness.execution import samples as sampling
from harness.execution.runner import RunContext
from harness.fidelity.distribution import STAGE, JudgedDistribution, judge_distribution
from harness.fidelity.summaries import Draw
from harness.fidelity.verdict import StageVerdict
from harness.plan import Distribution, Plan, SampleJob
from harness.quality.table import tabulate
from harness.records import store
from harness.results.model import QualityRow, StageRow
from harness.results.verdicts import Fidelity
from harness.workloads.spec import HeldOut

Records = Mapping[str, store.Record]


def stage_rows(planned: Plan, records: Records, run_context: RunContext) -> list[StageRow]:
    """Return one row for each pair of sides; what is unsupported has none, it is listed with the
    jobs.

    Args:
        planned: its distributions are judged.
        records: of the training jobs, by name; where one of a pair is missing, the pair has no row.
        run_context: its folder is what the paths of logs are relative to, its workloads name the
            channels.
    """
    rows = []
    for pair in planned.distributions:
        jobs = (*pair.a, *pair.b)
        if any(
            job.name not in records or records[job.name].status == Status.UNSUPPORTED
            for job in jobs
        ):
            continue
        logs = tuple(
            job_rows.relative(run_context.run, records[side[0].name].folder / job_rows.LOG)
            for side in (pair.a, pair.b)
        )
        rows.append(judging.distribution_row(pair, _judge(pair, records, run_context), logs))
    return rows


def _judge(pair: Distribution, records: Records, run_context: RunContext) -> JudgedDistribution:
    try:
        a, b = (_draws(side, records) for side in (pair.a, pair.b))
    except CorruptRecord as error:
        return JudgedDistribution(
            StageVerdict(STAGE, Fidelity.INCONCLUSIVE, str(error), None, ()), (0, 0)
        )
    real = _held_out(run_context, pair.a[0])
    judged = judge_distribution(a, b, len(pair.a), real.channels if real else ())
    lost = next((job for job in (*pair.a, *pair.b) if not records[job.name].ok), None)
    if lost is None:
        return judged
    reason = (
        f"{judged.verdict.reason}; {lost.side} seed {lost.number}: {records[lost.name].status}:"
        f" {records[lost.name].reason}"
    )
    return dataclasses.replace(judged, verdict=dataclasses.replace(judged.verdict, reason=reason))


def _draws(side: tuple[SampleJob, ...], records: Records) -> list[Draw]:
    return [sampling.draw(records[job.name]) for job in side if records[job.name].ok]


def _held_out(run_context: RunContext, job: SampleJob) -> HeldOut | None:
    workload = run_context.workloads[job.workload]
    return workload.held_out(workload.config(job.preset))


def quality_rows(
    planned: Plan, records: Records, run_context: RunContext, say: Callable[[str], None]
) -> list[QualityRow]:
    """Return every metric of every side that left trained models of a workload with held-out rows.

    Args:
        planned: its training jobs tell which models are of one side.
        records: of those jobs, by name; those that did not end well are left out, and a side of
            which an array cannot be read.
        run_context: its workloads have the held-out rows.
        say: told of each side before it is measured.
    """
    sides: dict[tuple[str, str, str], list[SampleJob]] = {}
    for job in planned.samples:
        if job.name in records and records[job.name].ok:
            sides.setdefault((job.workload, job.precision, job.side), []).append(job)
    rows = []
    for (workload, precision, side), jobs in sides.items():
        real = _held_out(run_context, jobs[0])
        if real is None:
            continue
        say(f"{workload} {side} {precision}: quality of what {len(jobs)} models generate")
        try:
            samples = [
                draw.samples for draw in _draws(tuple(jobs), records) if draw.samples is not None
            ]
        except CorruptRecord:
            continue  # the stage's own row says which file
        preset = jobs[0].preset
        rows += [
            QualityRow(workload, side, precision, preset, **dataclasses.asdict(line))
            for line in tabulate(samples, real)
        ]
    return rows
