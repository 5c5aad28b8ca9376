"""Runs of one build on one seed, each in a fresh process, and what of them is the same: in lockstep
and natively."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.contract import Stage, Status
from harness import plan
from harness.evaluation import job_rows
from harness.execution import progress, runner, verbs
from harness.execution.processes import ending
from harness.fidelity import repeatability
from harness.records import checksums, store, tensors
from harness.report.repeats import RepeatRow
from harness.results.verdicts import Repeat

if TYPE_CHECKING:
    from harness.context import Context

LOCKSTEP, NATIVE = "lockstep", "native"
#: What each mode records, in the order of the ladder.
STAGES = {LOCKSTEP: plan.LOCKSTEP_STAGES, NATIVE: (Stage.WEIGHTS, Stage.TRAJECTORY)}
#: The run in which honest variations are measured, where two runs did not agree.
MEASURED = -1


@dataclasses.dataclass(frozen=True, kw_only=True)
class RepeatJob(plan.Job):
    """One run of several that have to be the same. `run`: counted from 0, or MEASURED."""

    run: int

    @property
    def name(self) -> str:
        """The folder's name."""
        mode = "deterministic" if self.deterministic else "default"
        return self._named(f"-repeat-{mode}-run{self.run % 1000:03d}")


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
        logs = [record.folder / job_rows.LOG for record in self.records]
        return RepeatRow(
            workload=job.workload,
            build=job.side,
            precision=job.precision,
            preset=job.preset,
            mode=mode,
            deterministic=self.deterministic,
            verdict=verdict,
            reason=reason,
            ok=verdict in good,
            runs=len(self.records),
            seed=job.seed,
            threads=job.threads,
            logs=tuple(job_rows.relative(self.run, log) for log in logs),
        )


def case_rows(
    run_context: runner.RunContext, job: plan.Job, deterministic: bool, count: int, context: Context
) -> list[RepeatRow]:
    """Run one build on one workload `count` times and judge each mode."""
    fields = {field.name: getattr(job, field.name) for field in dataclasses.fields(plan.Job)}
    rounding = tuple(item for item in job.variants if dict(item)["kind"] in ("ulp", "repeat"))
    mode = "on" if deterministic else "off"
    what = f"{job.workload} {job.side} {job.precision}, deterministic mode {mode}"

    def run(number: int) -> store.Record:
        own: dict[str, Any] = {"variants": (), "deterministic": deterministic}
        if number == MEASURED:
            own["variants"] = rounding
            context.say(f"{what}: what rounding moves")
        else:
            context.say(progress.ProgressStep(f"{what}: run {number + 1} of {count}", what))
        return run_job(run_context, RepeatJob(**{**fields, **own}, run=number))

    case = Case(run_context.run, job, deterministic, tuple(run(number) for number in range(count)))
    failures = [failure(record) for record in case.records]
    ended = next((item for item in failures if item is not None), None)
    if ended is not None:
        status, reason = ended
        verdict = Repeat.UNSUPPORTED if status == Status.UNSUPPORTED else Repeat.BROKEN
        return [case.row(mode, verdict, f"{status}: {reason}") for mode in STAGES]
    in_effect = case.records[0].repeated.effective.get("deterministic", "unknown")
    if deterministic and in_effect is not True:
        reason = (
            f"the framework has no deterministic mode that is in effect; it tells `{in_effect}`"
        )
        return [case.row(mode, Repeat.UNSUPPORTED, reason) for mode in STAGES]
    return _judge(case, run)


def _judge(case: Case, run: Callable[[int], store.Record]) -> list[RepeatRow]:
    """Compare every run with the first; `run(MEASURED)` runs once more where they do not agree."""
    measured: store.Record | None = None
    rows = []
    for mode, stages in STAGES.items():
        parts = [part(record, mode) for record in case.records]
        verdicts = []
        for other in parts[1:]:
            bits = repeatability.compare(parts[0], other, stages)
            if not bits.identical and measured is None:
                measured = run(MEASURED)
            noise = part(measured, mode) if measured is not None and measured.ok else None
            verdict = repeatability.judge(parts[0], other, bits, noise, stages, case.job.precision)
            verdicts.append(verdict)
        worst = repeatability.worst(verdicts)
        row = case.row(mode, worst.verdict, worst.reason)
        first = worst.bits.first
        if first is not None:
            row = dataclasses.replace(
                row,
                stage=first.stage,
                tensor=first.name,
                place=first.index,
                first=first.first,
                second=first.second,
            )
        bits = worst.bits
        rows.append(dataclasses.replace(row, tensors=bits.tensors, differing=bits.differing))
    return rows


def part(record: store.Record, mode: str) -> tensors.RecordEvidence:
    """Return what one mode of a finished run left."""
    folder = record.folder.with_name(f"{record.folder.name}-{mode}")
    return tensors.RecordEvidence(folder, record.repeated.parts[mode])


def failure(record: store.Record) -> tuple[str, str] | None:
    """Return the status and the reason of a run that did not come through, or None. A stage in
    which the port raised was not repeated: what the other stages left does not make up for it."""
    if not record.ok:
        return record.status, record.reason
    raised = {}
    for mode in STAGES:
        raised.update(record.repeated.parts[mode].raised)
    return (Status.ERROR, job_rows.by_stage(raised)) if raised else None


def run_job(run_context: runner.RunContext, job: RepeatJob) -> store.Record:
    """Record both modes in one fresh process. Whatever happens inside it becomes the record's
    status."""
    folder = run_context.run / "jobs" / job.name
    runner.fresh(folder)
    with runner.ended(folder, job.describe(), time.monotonic()) as outcome:
        files = runner.inputs(
            run_context, job.workload, job.preset, job.seed, job.tape_steps or job.steps
        )
        parts = {}
        with run_context.worker(job.build, folder / job_rows.LOG) as worker, ending([worker]):
            opened = runner.open_port(worker, run_context, job.opening(), files)
            probed = worker.request(verbs.PROBE, tape=str(files.tape))
            for mode, stages in STAGES.items():
                where = folder.with_name(f"{folder.name}-{mode}")
                runner.fresh(where)
                recorded = worker.request(
                    verbs.RECORD,
                    tape=str(files.tape),
                    folder=str(where.resolve()),
                    what={
                        "stages": list(stages),
                        "steps": job.steps,
                        "variants": [dict(variant) for variant in job.variants],
                    },
                    seed=job.seed if mode == NATIVE else None,
                )
                checksums.verify(where, recorded.content.files)
                parts[mode] = store.decode(recorded.plain)
        outcome.result = {
            **opened.plain,
            **probed.plain,
            "parts": parts,
            "tape_hash": files.tape_hash,
            "data_hash": files.data_hash,
        }
    return outcome.record()
