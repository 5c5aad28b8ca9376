"""Train models from independent seeds and keep what came of them: the jobs of the distribution
stage, and their draws.

Initial weights are drawn from the workload's declared distributions with the job's own seed, which
also starts the framework's generators; from there on the port trains as its users would train it. A
training that diverges is a result like any other.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.contract import Status
from harness.errors import JobFailed
from harness.execution import verbs
from harness.execution.processes import WorkerProcess, ending
from harness.execution.runner import RunContext, ended, fresh, open_port
from harness.execution.tapes import Files, keep
from harness.fidelity.summaries import Draw, series
from harness.plan import SampleJob
from harness.records import archives, checksums, store, tape

#: Training goes in pieces, so that `--limit` bounds a stretch of it and not the whole.
ADVANCE_STEPS = 16
LOSSES, SAMPLES = "losses", "samples"
VALUE, STEP = "value/", "step/"


def run_sample(run_context: RunContext, job: SampleJob) -> store.Record:
    """Train, generate and record one job. A failure inside it becomes the record's status; an
    interrupt is recorded and passes through.

    Args:
        run_context: of the run. job: what an earlier attempt of it left is deleted.
    """
    folder = run_context.run / "jobs" / job.name
    fresh(folder)
    with ended(folder, job.describe(), time.monotonic()) as outcome:
        drawn = _inputs(run_context, job)
        with (
            run_context.worker(job.build, folder / "worker.log", side=job.side) as worker,
            ending([worker]),
        ):
            opened = open_port(worker, run_context, job.opening(), drawn)
            worker.request(verbs.START, seed=job.own_seed, tape=str(drawn.tape))
            drawn.tape.unlink()  # of a large model as large as itself, once a seed
            started = time.monotonic()
            losses = _train(worker, job.steps)
            train_s = time.monotonic() - started
            worker.request(
                verbs.GENERATE, count=job.rows, path=str((folder / f"{SAMPLES}.npz").resolve())
            )
            effective = worker.request(verbs.EFFECTIVE)
        archives.write_arrays(folder / f"{LOSSES}.npz", losses)
        sums = {
            f"{name}.npz": checksums.checksum(folder / f"{name}.npz") for name in (LOSSES, SAMPLES)
        }
        checksums.verify(folder, sums)
        outcome.result = {
            **opened.plain,
            **effective.plain,
            "files": sums,
            "train_s": train_s,
            "terms": sorted(name[len(VALUE) :] for name in losses if name.startswith(VALUE)),
            "tape_hash": drawn.tape_hash,
            "data_hash": drawn.data_hash,
            "peak_bytes": worker.peak_bytes,
        }
    return outcome.record()


def _inputs(run_context: RunContext, job: SampleJob) -> Files:
    """Write the data, once, and this job's initial weights.

    Raises:
        JobFailed: the workload's own code raised.
    """
    spec = run_context.workloads[job.workload]
    config = spec.config(job.preset)
    try:
        data, weights = spec.data(config), tape.initial(spec, config, job.own_seed)
    except Exception as error:
        raise JobFailed(
            Status.ERROR,
            f"the data or the weights of {job.workload} cannot be made: {type(error).__name__}:"
            f" {error}",
        ) from error
    data_hash = tape.content_hash(data)
    shared = run_context.run / "tapes" / f"data-{job.workload}-{job.preset}-{data_hash[:12]}.npz"
    own = run_context.run / "jobs" / job.name / "initial.npz"
    keep(shared, data, data_hash)
    archives.write_arrays(own, weights)
    return Files(shared.resolve(), own.resolve(), data_hash, tape.content_hash(weights))


def _train(worker: WorkerProcess, steps: int) -> dict[str, NDArray[Any]]:
    """Return each loss term's values, and the steps, counted from 0, at which it had one."""
    values: dict[str, list[float]] = {}
    at: dict[str, list[int]] = {}
    done = 0
    while done < steps:
        piece = min(ADVANCE_STEPS, steps - done)
        advanced = worker.request(verbs.ADVANCE, steps=piece).content
        for name, column in advanced.losses.items():
            for index, value in enumerate(column):
                if value is not None:
                    values.setdefault(name, []).append(value)
                    at.setdefault(name, []).append(done + index)
        done += piece
    arrays: dict[str, NDArray[Any]] = {
        VALUE + name: np.array(column, np.float64) for name, column in values.items()
    }
    arrays.update({STEP + name: np.array(column, np.int64) for name, column in at.items()})
    return arrays


def draw(record: store.Record) -> Draw:
    """Return what a finished job left, with the loss terms of the segment in which its training
    ended.

    Raises:
        CorruptRecord: a file is not what the manifest says.
    """
    last = record.described.steps - 1
    ended_with = [
        name for name in record.sampled.terms if record.read(LOSSES, STEP + name)[-1] == last
    ]
    return Draw(
        {name: record.read(LOSSES, VALUE + name) for name in ended_with},
        series(record.read(SAMPLES, SAMPLES)),
    )
