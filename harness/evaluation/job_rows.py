"""The rows of a report about the work itself: how each job ended, and what each build turned out to
be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.plan import Job, SampleJob, SpeedJob
from harness.records import store
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
    """Return how a job of the fidelity part ended."""
    kind = "distribution" if isinstance(job, SampleJob) else "fidelity"
    log = relative(run, record.folder / LOG)
    status, reason = record.status, record.reason
    raised = record.result.get("raised", {}) if record.ok else {}
    if raised:  # the other stages were recorded, and are judged
        status, reason = "error", by_stage(raised)
    return JobRow(
        job.name,
        job.side,
        job.workload,
        kind,
        job.precision,
        status,
        reason,
        record.duration_s,
        log,
        _seed(job),
    )


def by_stage(raised: Mapping[str, str]) -> str:
    """Return what a port raised, once for all stages in which it raised the same."""
    stages: dict[str, list[str]] = {}
    for stage, told in raised.items():
        stages.setdefault(told, []).append(stage)
    return "; ".join(f"in {', '.join(names)}: {told}" for told, names in stages.items())


def recorded_row(job: Job | SampleJob, status: str, reason: str) -> JobRow:
    """Return how a job ended that a recorded reference stands for."""
    return JobRow(
        job.name,
        job.side,
        job.workload,
        RECORDED,
        job.precision,
        status,
        reason,
        0.0,
        "",
        _seed(job),
    )


def _seed(job: Job | SampleJob) -> int:
    """Return the seed that its draws start from: of models trained independently, each one's
    own."""
    return job.own_seed if isinstance(job, SampleJob) else job.seed


def round_row(run: Path, record: store.Record) -> JobRow:
    """Return how a round of the timed part ended."""
    sides = record.job.get("side") or " ".join(record.job.get("labels", ()))
    return JobRow(
        record.folder.name,
        str(sides),
        str(record.job["workload"]),
        "speed",
        str(record.job["precision"]),
        record.status,
        record.reason,
        record.duration_s,
        relative(run, record.folder),
        int(record.job["seed"]),
    )


def build_row(side: str, result: Mapping[str, object], origin: str) -> BuildRow:
    """Return what a build says of itself."""
    identity, effective = result["identity"], result["effective"]
    assert isinstance(identity, dict)
    assert isinstance(effective, dict)
    return BuildRow(
        side,
        str(identity["python"]),
        str(identity["platform"]),
        dict(identity["versions"]),
        origin,
        dict(effective),
    )


def note_build(
    builds: dict[str, BuildRow],
    job: Job | SampleJob,
    record: store.Record,
    origin: str,
    staging: Path,
) -> None:
    """Add what a finished job tells of its build, and which port it used."""
    row = builds.setdefault(job.side, build_row(job.side, record.result, origin))
    _note_port(row, job.workload, record.result, staging)


def note_round(
    builds: dict[str, BuildRow],
    job: SpeedJob,
    record: store.Record,
    origins: Mapping[str, str],
    staging: Path,
) -> None:
    """Add what the first round of a timed job tells of its builds: which ports they used, and the
    settings in effect while they were timed. Where only speed was asked for, nothing else tells
    what a build is."""
    for side in job.sides:
        told = {
            action: measured["prepared"][side.label]["effective"]
            for action, measured in record.result["actions"].items()
            if side.label in measured["prepared"]
        }
        if told:
            opened = record.result["opened"][side.label]
            first = {"identity": opened["identity"], "effective": next(iter(told.values()))}
            row = builds.setdefault(
                side.label,
                build_row(side.label, first, origins.get(side.label) or origins[side.build]),
            )
            _note_port(row, job.workload, opened, staging)
            precision = job.precision_of(side.label)
            row.timed.update(
                {
                    f"{job.workload} {action} {precision}": dict(settings)
                    for action, settings in told.items()
                }
            )


def _note_port(row: BuildRow, workload: str, told: Mapping[str, object], staging: Path) -> None:
    port = Path(str(told["port"]))
    name = port.relative_to(staging) if port.is_relative_to(staging) else port
    row.port[workload] = f"{name}, sha256 {str(told['source_hash'])[:12]}"
