"""Jobs that run side by side: in the order asked for, none held up by another's end, all ended
by an interrupt."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from harness import plan
from harness.commands import options, resolution
from harness.environments import staging
from harness.execution import runner
from harness.execution.processes import Limits
from harness.execution.worker_environment import clean_environment
from harness.records import store
from harness.workloads import registry

HOSTILE = Path(__file__).parents[2] / "e2e/hostile"
DEADLINE_S = 60.0


@pytest.fixture
def run_context(tmp_path: Path) -> runner.RunContext:
    """A run_context with cores for two jobs of one thread."""
    environ = clean_environment(
        {
            **os.environ,
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "HOSTILE_GATE": str(tmp_path / "closed"),
        },
        ["HOSTILE_GATE"],
    )
    python = {"numpy": Path(sys.executable)}
    limits = Limits(request_s=DEADLINE_S)
    return runner.RunContext(
        tmp_path / "run",
        staging.prepare(environ),
        python,
        environ,
        registry.known((HOSTILE,)),
        limits,
        cores=2,
    )


def planned(*faults: str, threads: int = 1) -> tuple[plan.Job, ...]:
    """Plan one job of each fault; "" is the honest port."""
    chosen = options.Options(
        backends=tuple(f"numpy@{HOSTILE / fault}" if fault else "numpy" for fault in faults),
        workloads=("hostile",),
        precision=("fp64",),
        ports=(HOSTILE,),
        no_speed=True,
        threads=threads,
    )
    return plan.make(resolution.resolve(chosen)).jobs


def quiet(_job: plan.Job, _record: store.Record | None) -> None:
    """Tell nobody."""


def finished(run_context: runner.RunContext, job: plan.Job) -> store.Record:
    """Return a record as `run_job` leaves it."""
    return store.write_record(
        run_context.run / "jobs" / job.name, job.describe(), "ok", "", {}, 1.0
    )


def test_as_many_run_as_there_are_cores(run_context: runner.RunContext) -> None:
    """Two jobs that wait for each other both end, and the records keep the order of the jobs
    whichever ended first."""
    jobs = planned("", "")
    together, second_done = threading.Barrier(2, timeout=DEADLINE_S), threading.Event()

    def run(run_context: runner.RunContext, job: plan.Job) -> store.Record:
        together.wait()
        if job == jobs[0]:
            assert second_done.wait(DEADLINE_S)
        record = finished(run_context, job)
        if job == jobs[1]:
            second_done.set()
        return record

    assert [job.name for job in jobs] == list(runner.run_jobs(run_context, jobs, quiet, run))


@pytest.mark.parametrize(("cores", "threads", "most"), [(1, 1, 1), (2, 2, 1), (2, 1, 2), (3, 2, 1)])
def test_jobs_share_the_cores(
    run_context: runner.RunContext, cores: int, threads: int, most: int
) -> None:
    """No more threads at work than cores, and one job at least."""
    jobs = planned("", "", "", "", threads=threads)
    lock, at_work, seen = threading.Lock(), 0, []

    def run(run_context: runner.RunContext, job: plan.Job) -> store.Record:
        nonlocal at_work
        with lock:
            at_work += 1
            seen.append(at_work)
        record = finished(run_context, job)
        with lock:
            at_work -= 1
        return record

    runner.run_jobs(dataclasses.replace(run_context, cores=cores), jobs, quiet, run)
    assert len(jobs) == len(seen) and max(seen) <= most


def test_a_job_that_fails_stops_no_other(run_context: runner.RunContext) -> None:
    """Each end is its own; progress is told of one job at a time."""
    jobs = planned("", "leaves", "bad_import", "")
    told: list[str] = []
    at_work = threading.Lock()

    def progress(job: plan.Job, record: store.Record | None) -> None:
        assert at_work.acquire(blocking=False)
        told.append(f"{job.side} {record.status if record else 'starts'}")
        at_work.release()

    records = runner.run_jobs(run_context, jobs, progress, runner.run_job)
    statuses = [records[job.name].status for job in jobs]
    assert ["ok", "crashed", "error", "ok"] == statuses
    assert 2 * len(jobs) == len(told)
    assert all(
        told.index(f"{job.side} starts") < told.index(f"{job.side} {status}")
        for job, status in zip(jobs, statuses, strict=True)
    )


@pytest.fixture
def interruptible() -> Iterator[None]:
    """The handler of a terminal: a test run that was started in the background ignores
    interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_what_is_at_work(run_context: runner.RunContext, children) -> None:
    """The main thread waits for the jobs; those at work end as `interrupted`, the others never
    start, no process is left.

    The signal goes to a thread that is not the main one, as the system may choose to.
    """
    jobs = planned("hangs", "hangs", "", "")
    started: list[str] = []

    def run(run_context: runner.RunContext, job: plan.Job) -> store.Record:
        if job == jobs[1]:
            _wait_for_worker(children)
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        return runner.run_job(run_context, job)

    with pytest.raises(KeyboardInterrupt):
        runner.run_jobs(
            run_context,
            jobs,
            lambda job, record: started.append(job.side) if record is None else None,
            run,
        )
    assert ["numpy@hangs", "numpy@hangs#2"] == sorted(started)
    assert {job.name: "interrupted" for job in jobs[:2]} == {
        path.name: store.read_record(path).status for path in (run_context.run / "jobs").iterdir()
    }
    assert children() == []


def _wait_for_worker(children: Callable[[], list[psutil.Process]]) -> None:
    ticks = threading.Event()
    for _ in range(int(DEADLINE_S / 0.02)):
        if children():
            return
        ticks.wait(0.02)
    raise AssertionError("no worker was started")


def test_a_defect_of_the_harness_passes_through(run_context: runner.RunContext) -> None:
    """An exception that no job may raise is no status: it stops the run."""
    jobs = planned("", "")

    def run(run_context: runner.RunContext, job: plan.Job) -> store.Record:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        runner.run_jobs(run_context, jobs, quiet, run)
    assert run_context.limits.stop.is_set()
