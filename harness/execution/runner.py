"""Run jobs on workers: the protocol's other end. Every job ends in a typed status and a record;
none takes others down."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import errno
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from backends.contract import Status
from harness.errors import CorruptRecord, JobFailed, RecordError
from harness.execution import answers, verbs
from harness.execution.processes import Limits, WorkerProcess, ending
from harness.execution.tapes import Files, Tapes
from harness.execution.verbs import Said
from harness.plan import Job, Opening, same_work
from harness.records import checksums, contents, files, runs, store
from harness.workloads import registry
from harness.workloads.spec import Workload


class Threaded(Protocol):
    """Work that `run_jobs` can do side by side with other work."""

    @property
    def name(self) -> str:
        """The folder's name."""

    @property
    def threads(self) -> int:
        """How many cores it takes."""

    def describe(self) -> dict[str, Any]:
        """Return it as plain JSON: a record of anything else is none of this work."""


Work = TypeVar("Work", bound=Threaded)
INTERRUPT_INTERVAL_S = 0.2


@dataclasses.dataclass(frozen=True)
class RunContext:
    """What a run needs to start workers.

    Attributes:
        run: the run's folder. staging: the folder that holds only `backends`.
        interpreters: the Python of each build, and of each side, by label, that has another.
            environment: a clean environment for workers.
        workloads: by name. limits: of one request. cores: how many jobs' threads may run at a time.
        tapes: what has been drawn so far.
    """

    run: Path
    staging: Path
    interpreters: Mapping[str, Path]
    environment: Mapping[str, str]
    workloads: Mapping[str, Workload]
    limits: Limits
    cores: int = 1
    tapes: Tapes = dataclasses.field(default_factory=Tapes, compare=False)

    def worker(self, build: str, log: Path, cold: bool = False, side: str = "") -> WorkerProcess:
        """Start a worker of a build.

        Args:
            build: whose interpreter. log: for what it prints. cold: whether it compiles anew.
            side: the label of the side that it is for.
        """
        python = self.interpreters.get(side) or self.interpreters[build]
        return WorkerProcess(python, self.staging, self.environment, log, self.limits, cold)


def inputs(run_context: RunContext, workload: str, preset: str, seed: int, steps: int) -> Files:
    """Write the data and the tape, once, under their hashes, and return where they lie; see
    `harness.execution.tapes`.

    Args:
        run_context: of the run; its folder `tapes` holds them. workload: its name.
        preset: one of its own.
        seed: of the tape. steps: how many batches the tape has.

    Raises:
        JobFailed: the workload's own code raised. OSError: they cannot be written.
    """
    spec = run_context.workloads[workload]
    return run_context.tapes.of(run_context.run / "tapes", spec, (preset, seed, steps))


def existing(folder: Path, job: Mapping[str, Any]) -> store.Record | None:
    """Return a finished job's record, or None if it has to run (again): it has not ended well, it
    is of another job, or it is not what was written.

    Args:
        folder: the job's. job: its description, which the record has to be of.
    """
    try:
        record = store.read_record(folder)
    except (FileNotFoundError, CorruptRecord):
        return None
    same = record.sealed and same_work(record.job, job)
    return record if same and record.status in (Status.OK, Status.UNSUPPORTED) else None


def finished(run_context: RunContext, job: Threaded) -> store.Record | None:
    """Return the record that an interrupted run left of a job, or None if it has to run.

    Args:
        run_context: of the run. job: that it was asked for.
    """
    return existing(run_context.run / "jobs" / job.name, job.describe())


def run_job(run_context: RunContext, job: Job) -> store.Record:
    """Record one job. A failure inside it becomes the record's status; an interrupt is recorded and
    passes through.

    Args:
        run_context: of the run. job: what an earlier attempt of it left is deleted.
    """
    folder = run_context.run / "jobs" / job.name
    fresh(folder)
    started = time.monotonic()
    with ended(folder, job.describe(), started) as outcome:
        files = inputs(run_context, job.workload, job.preset, job.seed, job.tape_steps or job.steps)
        with (
            run_context.worker(job.build, folder / "worker.log", side=job.side) as worker,
            ending([worker]),
        ):
            opened = open_port(worker, run_context, job.opening(), files)
            probed = worker.request(verbs.PROBE, tape=str(files.tape), stages=list(job.stages))
            recorded = worker.request(
                verbs.RECORD,
                tape=str(files.tape),
                folder=str(folder.resolve()),
                what={
                    "stages": list(job.stages),
                    "steps": job.steps,
                    "variants": [_thaw(variant) for variant in job.variants],
                    "sketch_from": job.sketch_from,
                },
            )
        checksums.verify(folder, recorded.content.files)
        outcome.result = {
            **opened.plain,
            **probed.plain,
            **store.decode(recorded.plain),
            "tape_hash": files.tape_hash,
            "data_hash": files.data_hash,
            "peak_bytes": worker.peak_bytes,
        }
    return outcome.record()


def _thaw(variant: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    return dict(variant)


def open_port(
    worker: WorkerProcess, run_context: RunContext, opening: Opening, files: Files
) -> Said[contents.Opened]:
    """Open a port in a worker and return what the worker says of it, and the hash of what it was
    given to compute on.

    Args:
        worker: of the side's build. run_context: of the run.
        opening: which port, and how it is set.
        files: the data, and their hash.

    Raises:
        JobFailed: the port cannot be opened.
    """
    spec = run_context.workloads[opening.workload]
    config = spec.config(opening.preset, opening.powers)
    opened = worker.request(
        verbs.OPEN,
        backend=opening.backend,
        workload=spec.port or spec.name,
        config=config,
        setting=dataclasses.asdict(opening.setting),
        places={
            "folders": list(opening.folders),
            "only": opening.only,
            "side": opening.label,
            "also": registry.sources(spec, opening.folders),
        },
        data=str(files.data),
    )
    spec_hash = runs.key([spec.config(opening.preset), files.data_hash])
    return Said(
        dataclasses.replace(opened.content, spec_hash=spec_hash),
        {**opened.plain, "spec_hash": spec_hash},
    )


@dataclasses.dataclass
class Outcome:
    """How a job is ending; filled in by the block that runs it, written when the block is left."""

    folder: Path
    job: dict[str, Any]
    started: float
    status: Status = Status.OK
    reason: str = ""
    result: dict[str, Any] = dataclasses.field(default_factory=dict)
    written: store.Record | None = None

    def write(self) -> None:
        """Write the manifest; a disk that is full ends the job, not the run.

        What a job that did not end well left of its arrays is worth nothing and goes: it may be
        what has filled the disk. A port may have put a link in the place of the folder or of the
        manifest: nothing is written or deleted through it.
        """
        duration_s = time.monotonic() - self.started
        result = self.result if self.status == Status.OK else {}
        try:
            files.refuse_links([self.folder, self.folder / store.MANIFEST])
            if self.status != Status.OK:
                for path in self.folder.glob("*.npz"):
                    path.unlink()
            self.written = store.write_record(
                self.folder, self.job, self.status, self.reason, result, duration_s
            )
        except RecordError as error:
            self.written = store.Record(
                self.folder, self.job, Status.CORRUPT, str(error), {}, duration_s
            )
        except OSError as error:
            status = (
                Status.DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else Status.ERROR
            )
            reason = f"cannot write {self.folder / store.MANIFEST}: {error.strerror}"
            self.written = store.Record(self.folder, self.job, status, reason, {}, duration_s)
        except RecursionError:  # what a worker has answered is any port's
            reason = "the worker's answer is nested too deeply to be kept"
            self.written = store.write_record(
                self.folder, self.job, Status.CORRUPT, reason, {}, duration_s
            )

    def record(self) -> store.Record:
        """Return the written record."""
        assert self.written is not None
        return self.written


def _check_whole(job: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """Raise CorruptRecord unless a worker's answers make together what such a job leaves."""
    where = "the worker's answers"
    try:
        contents.read(contents.described(job, where), result, where)
    except CorruptRecord as error:
        raise answers.broken(error) from error


@contextlib.contextmanager
def ended(folder: Path, job: dict[str, Any], started: float) -> Iterator[Outcome]:
    """Turn a failure in the block into a status, and write the manifest last.

    A failure is a JobFailed, a CorruptRecord, also for what the worker has answered, or an OSError.
    Anything else is a defect: it passes through, and leaves no manifest.

    Args:
        folder: the job's. job: its description, which decides what the worker has to answer.
        started: when it began, by `time.monotonic`.

    Raises:
        KeyboardInterrupt: as it came, once the manifest says `interrupted`.
    """
    outcome = Outcome(folder, job, started)
    try:
        yield outcome
        _check_whole(job, outcome.result)
    except JobFailed as error:
        outcome.status, outcome.reason = error.status, error.reason
    except CorruptRecord as error:
        outcome.status, outcome.reason = Status.CORRUPT, str(error)
    except RecursionError:  # of what a worker has answered, which is any port's
        outcome.status, outcome.reason = (
            Status.CORRUPT,
            "the worker's answer is nested too deeply to be kept",
        )
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        outcome.status, outcome.reason = (
            (Status.DISK_FULL if full else Status.ERROR),
            f"{type(error).__name__}: {error}",
        )
    except KeyboardInterrupt:
        outcome.status, outcome.reason = Status.INTERRUPTED, "interrupted by the user"
        outcome.write()
        raise
    outcome.write()


def fresh(folder: Path) -> None:
    """Empty a job's folder: what an earlier, unfinished attempt left is not mixed with this one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def run_jobs(
    run_context: RunContext,
    jobs: Sequence[Work],
    progress: Callable[[Work, store.Record | None], None],
    run: Callable[[RunContext, Work], store.Record],
) -> dict[str, store.Record]:
    """Run all jobs that are not finished yet, as many side by side as there are cores for; return
    the records of all by name.

    Args:
        run_context: of the run; its cores decide how many.
        jobs: finished ones that lie in its folder are not run again.
        progress: `progress(job, None)` is called before each and `progress(job, record)` after it,
            one call at a time.
        run: runs one job, in a thread of its own.

    Raises:
        KeyboardInterrupt: the jobs at work have ended in the status `interrupted`.
        NewerSchema: a newer harness has left a record in the folder.
    """
    records = {job.name: finished(run_context, job) for job in jobs}
    waiting = {job.name: job for job in jobs if records[job.name] is None}
    lock = threading.Lock()

    def run_one(job: Work) -> store.Record:
        if run_context.limits.stop.is_set():
            raise KeyboardInterrupt
        with lock:
            progress(job, None)
        done = run(run_context, job)
        with lock:
            progress(job, done)
        return done

    lanes = max(1, run_context.cores // max((job.threads for job in waiting.values()), default=1))
    running: dict[str, concurrent.futures.Future[store.Record]] = {}
    with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
        try:
            running.update((name, pool.submit(run_one, job)) for name, job in waiting.items())
            _wait(running.values())
        except BaseException:
            run_context.limits.stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return {name: record or running[name].result() for name, record in records.items()}


def _wait(running: Iterable[concurrent.futures.Future[store.Record]]) -> None:
    """Wait for all jobs, and raise what the first one that failed has raised.

    In slices: the system may hand a signal to any thread, and Python looks at it only when the main
    thread is awake.
    """
    waiting = set(running)
    while waiting:
        done, waiting = concurrent.futures.wait(
            waiting, INTERRUPT_INTERVAL_S, concurrent.futures.FIRST_EXCEPTION
        )
        for future in done:
            future.result()
