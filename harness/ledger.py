"""The rows of a report about the work itself: how each job ended, and what each build turned out to be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness import store
from harness.plan import Job, SampleJob
from harness.report.model import BuildRow, JobRow

LOG = "worker.log"
RECORDED = "recorded"


def relative(run: Path, path: Path) -> str:
    """Return a path as it is named in a report: below the run's folder."""
    return path.relative_to(run.absolute()).as_posix() if path.is_absolute() else path.relative_to(run).as_posix()


def job_row(run: Path, job: Job | SampleJob, record: store.Record) -> JobRow:
    """Return how a job of the fidelity part ended."""
    kind = "distribution" if isinstance(job, SampleJob) else "fidelity"
    log = relative(run, record.folder / LOG)
    return JobRow(job.name, job.side, job.workload, kind, job.precision, record.status, record.reason, record.duration_s, log, _seed(job))


def recorded_row(job: Job | SampleJob, status: str, reason: str) -> JobRow:
    """Return how a job ended that a recorded reference stands for."""
    return JobRow(job.name, job.side, job.workload, RECORDED, job.precision, status, reason, 0.0, "", _seed(job))


def _seed(job: Job | SampleJob) -> int:
    """Return the seed that its draws start from: of models trained independently, each one's own."""
    return job.own_seed if isinstance(job, SampleJob) else job.seed


def round_row(run: Path, record: store.Record) -> JobRow:
    """Return how a round of the timed part ended."""
    sides = record.job.get("side") or " ".join(record.job.get("labels", ()))
    return JobRow(
        record.folder.name, str(sides), str(record.job["workload"]), "speed", str(record.job["precision"]), record.status,
        record.reason, record.duration_s, relative(run, record.folder), int(record.job["seed"]),
    )


def build_row(side: str, result: Mapping[str, object], origin: str) -> BuildRow:
    """Return what a build says of itself."""
    identity, effective = result["identity"], result["effective"]
    assert isinstance(identity, dict)
    assert isinstance(effective, dict)
    return BuildRow(side, str(identity["python"]), str(identity["platform"]), dict(identity["versions"]), origin, dict(effective))


def note_build(builds: dict[str, BuildRow], job: Job | SampleJob, record: store.Record, origin: str, staging: Path) -> None:
    """Add what a finished job tells of its build, and which port it used."""
    row = builds.setdefault(job.side, build_row(job.side, record.result, origin))
    port = Path(str(record.result["port"]))
    name = port.relative_to(staging) if port.is_relative_to(staging) else port
    row.port[job.workload] = f"{name}, sha256 {str(record.result['source_hash'])[:12]}"
