"""The honest sides' records, made once and kept: only a mutated port has to run again.

A record is kept under everything that decides what is in it: the job, the workload's configuration,
the port's sources and those of the recorder, the build's identity as its worker reports it, the
data and the tape. Whatever of these changes, another record is made beside the old one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

from backends.protocol import loading
from harness.execution import runner, tapes
from harness.fidelity.evidence import Evidence
from harness.plan import Job, Pair
from harness.records import tensors
from tests.evaluation.laboratory import STEPS, Laboratory

#: What records a port, in its worker.
RECORDER = [
    path
    for room in ("", "diagnosis", "protocol", "recording")
    for path in sorted(Path(loading.PACKAGE, room).glob("*.py"))
]


@dataclasses.dataclass(frozen=True)
class Honest:
    """The two honest sides of a pair: the original, and the port that is going to be mutated.

    Attributes:
        key: a digest of everything that decides what both recorded.
        files: the data and the tape that both were given.
        original_base, port_base: their float64 records, which are the same ones in float64 itself.
    """

    pair: Pair
    key: str
    files: tapes.Files
    original: Evidence
    port: Evidence
    original_base: Evidence
    port_base: Evidence

    def __str__(self) -> str:
        return f"{self.pair.workload} {self.pair.precision}"


@dataclasses.dataclass(frozen=True)
class Circumstances:
    """In what a port is judged.

    Attributes:
        precisions: float64 first. original: the build that it is judged against.
    """

    workload: str
    precisions: tuple[str, ...] = ("fp64",)
    original: str = "tf2"


def honest(laboratory: Laboratory, asked: Circumstances, cache: Path) -> list[Honest]:
    """Return both sides' records in each of the precisions; record what `cache` does not hold.

    Raises:
        RuntimeError: an honest side did not end ok.
    """
    sides = [
        dataclasses.replace(laboratory.side(asked.original), label="original"),
        laboratory.side("torch"),
    ]
    planned = laboratory.plan(asked.workload, sides, precisions=asked.precisions)
    keys = {job.name: key(laboratory, job) for job in planned.jobs}
    found = {
        job.name: _record(laboratory, job, cache / f"{job.name}-{keys[job.name]}")
        for job in planned.jobs
    }
    files = runner.inputs(
        laboratory.stand, asked.workload, planned.jobs[0].preset, planned.jobs[0].seed, STEPS
    )
    made = []
    for pair in planned.pairs:
        names = [job.name for job in (pair.a, pair.b, pair.base_a or pair.a, pair.base_b or pair.b)]
        made.append(
            Honest(
                pair,
                " ".join(keys[name] for name in names),
                files,
                *(found[name] for name in names),
            )
        )
    return made


def _record(laboratory: Laboratory, job: Job, folder: Path) -> Evidence:
    run_context = dataclasses.replace(laboratory.stand, run=folder)
    record = runner.finished(run_context, job) or runner.run_job(run_context, job)
    if not record.ok:
        raise RuntimeError(
            f"the honest side {job.side} of {job.workload} in {job.precision} ended in"
            f" {record.status}: {record.reason}"
        )
    return tensors.RecordEvidence(record.folder, record.recorded)


def key(laboratory: Laboratory, job: Job) -> str:
    """Return a digest of everything that decides what a job records."""
    stand = laboratory.stand
    spec = stand.workloads[job.workload]
    files = runner.inputs(stand, job.workload, job.preset, job.seed, STEPS)
    port = loading.locate(job.backend, spec.port or spec.name, job.folders, job.only)
    content = {
        "job": job.describe(),
        "config": spec.config(job.preset, job.powers),
        "source": loading.source_hash(port, job.backend),
        "recorder": _hash(RECORDER),
        "identity": (
            stand.worker(job.build, stand.run / f"{job.build}.log").request(
                "describe", backend=job.backend
            )
        ),
        "data": files.data_hash,
        "tape": files.tape_hash,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _hash(paths: list[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
