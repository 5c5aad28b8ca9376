"""The rows of a report about the work itself: how each job ended, and what each build turned out to
be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backends.contract import Status
from harness.plan import Job, SampleJob, SpeedJob
from harness.records import store
from harness.records.contents import Identity, Opened, Recorded, Round, Sampled
from harness.results import outcome
from harness.results.model import BuildRow, JobRow

LOG = "worker.log"
RECORDED = "recorded"


def relative(run: Path, path: Path) -> str:
    """Return a path as it is named in a report: below the run's folder."""
    return (
        path.relative_to(run.absolute()).as_posix()
        if path.is_absolute()
        else path.relative_to(run).as_posix()
    )


def job_row(run: Path, job: Job | SampleJob, record: store.Record) -> JobRow:
    """Return how a job of the fidelity part ended.

    Args:
        run: the run's folder; the log is named relative to it. job: what was asked.
        record: what it left.
    """
    kind = "distribution" if isinstance(job, SampleJob) else "fidelity"
    log = relative(run, record.folder / LOG)
    status, reason = record.status, record.reason
    raised = record.recorded.raised if record.ok and isinstance(job, Job) else {}
    if raised:  # the other stages were recorded, and are judged
        status, reason = Status.ERROR, by_stage(raised)
    return JobRow(
        job=job.name,
        build=job.side,
        workload=job.workload,
        kind=kind,
        precision=job.precision,
        status=status,
        reason=reason,
        duration_s=record.duration_s,
        log=log,
        seed=_seed(job),
    )


def by_stage(raised: Mapping[str, str]) -> str:
    """Return what a port raised, once for all stages in which it raised the same."""
    stages: dict[str, list[str]] = {}
    for stage, reason in raised.items():
        stages.setdefault(reason, []).append(stage)
    return "; ".join(f"in {', '.join(names)}: {reason}" for reason, names in stages.items())


def recorded_row(job: Job | SampleJob, status: Status, reason: str) -> JobRow:
    """Return how a job ended that a recorded reference stands for.

    Args:
        job: that did not run. status, reason: whether the reference stands for it, and why not.
    """
    return JobRow(
        job=job.name,
        build=job.side,
        workload=job.workload,
        kind=RECORDED,
        precision=job.precision,
        status=status,
        reason=reason,
        duration_s=0.0,
        log="",
        seed=_seed(job),
    )


def _seed(job: Job | SampleJob) -> int:
    """Return the seed that its draws start from: of models trained independently, each one's
    own."""
    return job.own_seed if isinstance(job, SampleJob) else job.seed


def round_row(run: Path, record: store.Record) -> JobRow:
    """Return how a round of the timed part ended.

    Args:
        run: the run's folder; the round's is named relative to it, for the log.
        record: its description names the side that failed, or else all sides that took part.
    """
    job = record.described
    sides = (job.side,) if job.side else tuple(job.labels or ())
    return JobRow(
        job=record.folder.name,
        build=" ".join(sides),
        sides=sides if len(sides) > 1 else (),
        workload=job.workload,
        kind=outcome.SPEED,
        precision=job.precision,
        status=record.status,
        reason=record.reason,
        duration_s=record.duration_s,
        log=relative(run, record.folder),
        seed=job.seed,
    )


def build_row(side: str, identity: Identity, effective: dict[str, Any], origin: str) -> BuildRow:
    """Return what a build says of itself.

    Args:
        side: its label. identity: as its worker tells. effective: the settings in effect.
        origin: where its interpreter came from.
    """
    return BuildRow(
        side, identity.python, identity.platform, dict(identity.versions), origin, dict(effective)
    )


def note_build(
    builds: dict[str, BuildRow],
    job: Job | SampleJob,
    left: Recorded | Sampled,
    origin: str,
    staging: Path,
) -> None:
    """Add what a finished job tells of its build, and which port it used.

    Args:
        builds: by the side's label; added to in place. To a side that stands there already, only
            the port is added.
        job, left: what was asked, and what it left.
        origin: where the side's interpreter came from.
        staging: the folder of the shipped code; a port in it is named relative to it.
    """
    row = builds.setdefault(job.side, build_row(job.side, left.identity, left.effective, origin))
    _note_port(row, job.workload, left, staging)


def note_round(
    builds: dict[str, BuildRow],
    job: SpeedJob,
    measured: Round,
    origins: Mapping[str, str],
    staging: Path,
) -> None:
    """Add what the first round of a timed job tells of its builds: which ports they used, and the
    settings in effect while they were timed. Where only speed was asked for, nothing else tells
    what a build is.

    Args:
        builds: by the side's label; added to in place. A side that was prepared for no action is
            left out.
        job, measured: what was asked, and what the round measured.
        origins: where interpreters came from: by build, or by the label of a side that has its own.
        staging: the folder of the shipped code; a port in it is named relative to it.
    """
    for side in job.sides:
        settings = {
            action: timed.prepared[side.label].effective
            for action, timed in measured.actions.items()
            if side.label in timed.prepared
        }
        if not settings:
            continue
        opened = measured.opened[side.label]
        origin = origins.get(side.label) or origins[side.build]
        first = next(iter(settings.values()))
        row = builds.setdefault(side.label, build_row(side.label, opened.identity, first, origin))
        _note_port(row, job.workload, opened, staging)
        precision = job.precision_of(side.label)
        for action, effective in settings.items():
            row.timed[f"{job.workload} {action} {precision}"] = dict(effective)


def _note_port(row: BuildRow, workload: str, opened: Opened, staging: Path) -> None:
    port = Path(opened.port)
    name = port.relative_to(staging) if port.is_relative_to(staging) else port
    row.port[workload] = f"{name}, sha256 {opened.source_hash[:12]}"
