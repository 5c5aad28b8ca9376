"""Measure builds in turns: rounds of fresh processes, blocks in a palindrome, one timed run at a
time on a machine.

Runs what `harness.speed.schedule` orders; the estimate and the verdict are made elsewhere from what
is recorded here. A round is a job of its own with a record of its own, so an interrupted
measurement goes on where it stopped.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from backends.contract import ACTIONS, Status
from harness.errors import JobFailed
from harness.execution import machine, runner, tapes, turns, verbs
from harness.execution.processes import WorkerProcess, ending
from harness.execution.turns import SideFailed, named
from harness.execution.verbs import Said
from harness.plan import SpeedJob, Warmup
from harness.records import store
from harness.records.contents import Opened
from harness.speed import forecast, schedule

WARMUP_S = 0.2
#: A sample lasts about this long. Reading the clock (0.1 us) and the call cost nothing beside it,
#: and turns are so short that a change of the machine's speed cuts few palindromes in two: with
#: samples of 2 ms rounds scatter about twice as much.
SAMPLE_S = 0.0005
#: On other devices each sample ends with a synchronisation, which costs some 10 us, and clocks take
#: long to rise.
DEVICE_WARMUP_S, DEVICE_SAMPLE_S = 1.0, 0.005
#: The first round warms up for so long, a third of it where steps are short, and looks for steps
#: that suddenly take another time, as after a tuner or a compiler's second tier has finished; later
#: rounds warm up as far as that.
PROBE_S = 3.0
#: What long steps warm up for; `backends.measuring.warmup` decides.
LONG_WARMUP_S = 2.0
#: Whatever is left of a budget, first steps have this long, seconds: they trace and compile.
PATIENCE_S = 30.0
#: What all turns of one action in one round take together, seconds.
MEASURE_S = 1.0
#: A phase gets this share of both times: it informs and decides nothing, and a GAN has a dozen.
PHASE_SHARE = 0.25


@dataclasses.dataclass(frozen=True)
class Terms:
    """What a round may take.

    Attributes:
        left_s: of the budget, seconds; only long steps, and repetitions of what was disturbed, are
            held to it.
        warmup: what the user asked for; None for warming up until steps are steady.
        least_steps: of warm-up, by action and side, where an earlier round has found a late change.
            Else nobody has looked yet.
    """

    left_s: float = math.inf
    warmup: Warmup | None = None
    least_steps: Mapping[str, Mapping[str, int]] | None = None


@dataclasses.dataclass(frozen=True)
class Order:
    """One round: which job, on which data, on what terms; when it started, and the sides that have
    failed in it."""

    job: SpeedJob
    files: tapes.Files
    terms: Terms
    started: float
    failed: list[SideFailed] = dataclasses.field(default_factory=list)


def round_folder(
    run_context: runner.RunContext, job: SpeedJob, labels: Sequence[str], number: int
) -> Path:
    """Return where a round lies. Rounds without a side that had to leave are other rounds, beside
    the one in which it failed.

    Args:
        run_context: of the run. job: all sides. labels: those that take part.
        number: of the round, counted from 0.
    """
    missing = "".join(
        f"-without-{_safe(side.label)}" for side in job.sides if side.label not in labels
    )
    return run_context.run / "jobs" / f"{job.name}-round{number:03d}{missing}"


def describe(job: SpeedJob, labels: Sequence[str], number: int) -> dict[str, Any]:
    """Return a round as plain JSON, for its record.

    Args:
        job: all sides. labels: those that take part. number: of the round, counted from 0.
    """
    return {**job.describe(), "round": number, "labels": list(labels)}


def run_round(
    run_context: runner.RunContext,
    job: SpeedJob,
    labels: Sequence[str],
    number: int,
    files: tapes.Files,
    terms: Terms = Terms(),
) -> store.Record:
    """Run one round of all sides named and return its record.

    Args:
        run_context: of the run. job: all sides. labels: those that take part.
        number: of the round, counted from 0. In the first one processes compile anew, and what a
            step costs beside time is measured.
        files: the data and the tape. terms: what the round may take.

    Raises:
        SideFailed: a side cannot take part; the record says so.
        TooLong: steps are so long that the round does not fit into what is left of the budget.
    """
    folder = round_folder(run_context, job, labels, number)
    runner.fresh(folder)
    sides = {side.label: side for side in job.sides if side.label in labels}
    started = time.monotonic()
    order = Order(job, files, terms, started)
    failed = order.failed
    long: list[forecast.TooLong] = []
    with runner.ended(folder, describe(job, labels, number), started) as outcome:
        workers: dict[str, WorkerProcess] = {}
        before = machine.state()
        try:
            for label in schedule.plan_round(labels, 1, job.seed, number).spawn:
                with named(label, failed):
                    log = folder / f"{_safe(label)}.log"
                    workers[label] = run_context.worker(
                        sides[label].build, log, cold=number == 0, side=label
                    )
                    workers[label].send(verbs.DESCRIBE, backend=sides[label].backend)
            opened, imported_s = _open(run_context, job, workers, files, failed)
            baseline = {label: worker.memory.begin() for label, worker in workers.items()}
            taking = _taking(job, workers, opened)
            actions = {
                action: _measure(order, able, number, action) for action, able in taking.items()
            }
            spent = _spend(taking, failed) if number == 0 else {}
        except forecast.TooLong as error:
            long.append(error)
            for worker in workers.values():
                worker.kill()
            raise JobFailed(Status.TIMEOUT, str(error)) from error
        except BaseException:
            for worker in workers.values():
                worker.kill()
            raise
        with ending(list(workers.values())):
            pass
        spec = run_context.workloads[job.workload]
        outcome.result = {
            "actions": actions,
            "opened": {label: said.plain for label, said in opened.items()},
            "machine": [before, machine.state()],
            "labels": list(labels),
            "peak_bytes": {label: worker.peak_bytes for label, worker in workers.items()},
            "baseline_bytes": baseline,
            "spent": spent,
            "operations": {
                action: spec.operations(spec.hyperparameters(job.preset), action)
                for action in ACTIONS
            },
            "rows_a_step": spec.config(job.preset)["batch"],
            "imported_s": imported_s,
            "tape_hash": files.tape_hash,
        }
    if long:
        raise long[0]
    if failed:
        raise failed[0]
    return outcome.record()


def _safe(label: str) -> str:
    return label.replace("#", "-")


def _open(
    run_context: runner.RunContext,
    job: SpeedJob,
    workers: dict[str, WorkerProcess],
    files: tapes.Files,
    failed: list[SideFailed],
) -> tuple[dict[str, Said[Opened]], float]:
    """Wait until all have imported their frameworks, which takes seconds; then open the ports one
    by one, which is timed.

    Returns what each port told, and how long all waited for the imports, seconds.
    """
    started = time.monotonic()
    for label, worker in workers.items():
        with named(label, failed):
            worker.receive()
    imported_s = time.monotonic() - started
    opened = {}
    for label, worker in workers.items():
        with named(label, failed):
            opened[label] = runner.open_port(worker, run_context, job.opening(label), files)
    return opened, imported_s


def _taking(
    job: SpeedJob, workers: Mapping[str, WorkerProcess], opened: Mapping[str, Said[Opened]]
) -> dict[str, dict[str, WorkerProcess]]:
    """Return who takes part in each action of a job; what fewer than two can do is not measured."""
    taking = {}
    for action in job.actions:
        able = {
            label: worker
            for label, worker in workers.items()
            if takes(action, opened[label].content.abilities)
        }
        if len(able) >= 2:
            taking[action] = able
    return taking


def takes(action: str, abilities: Collection[str]) -> bool:
    """Whether a side takes part in an action: a phase is timed by an optional method of the port.

    Args:
        action: one of `contract.ACTIONS`, or a phase.
        abilities: the optional methods that the side's port has.
    """
    return action in ACTIONS or "train_step" in abilities


def _measure(
    order: Order, workers: dict[str, WorkerProcess], number: int, action: str
) -> dict[str, Any]:
    """Warm every side up, then run the blocks in a palindrome, one side at a time while the others
    sleep."""
    job, failed, left_s = order.job, order.failed, order.terms.left_s
    labels, share = list(workers), 1.0 if action in ACTIONS else PHASE_SHARE
    sample_s = SAMPLE_S if job.device == "cpu" else DEVICE_SAMPLE_S
    prepared: dict[str, Said[verbs.PreparedPort]] = {}
    peaks = {label: turns.Peaks() for label in labels}
    pace = forecast.Pace(len(labels), share * MEASURE_S, left_s, order.started)
    for label in labels:
        with named(label, failed):
            share_slower, tape = job.slowdown_of(label), str(order.files.tape)
            seed = job.seed + number
            workers[label].request(
                verbs.LOAD, tape=tape, action=action, seed=seed, slowdown=share_slower
            )
            workers[label].memory.begin()  # after loading, which is no part of the action
        prepared[label] = _prepare(order, workers[label], label, action, sample_s)
        pace.check({name: said.content for name, said in prepared.items()}, time.monotonic())
    size = schedule.size_round(
        [said.content.sample_s for said in prepared.values()], share * MEASURE_S
    )
    planned = schedule.plan_round(labels, turns.MOST * size.palindromes, job.seed, number)
    measured = turns.run(
        workers,
        planned.palindromes,
        size,
        peaks,
        max(0.0, left_s - (time.monotonic() - order.started)),
        failed,
    )
    closed = {label: peaks[label].close(workers[label].memory) for label in labels}
    by_name: dict[str, dict[str, Any]] = {}
    for name in closed[labels[0]]:
        by_name[name] = {label: closed[label][name] for label in labels}
    ready: dict[str, dict[str, Any]] = {}
    for label in labels:  # after the work, which may have changed it
        with named(label, failed):
            effective = workers[label].request(verbs.EFFECTIVE, watch=number == 0)
            ready[label] = {**prepared[label].plain, **effective.plain}
    return {"prepared": ready, "spawn": planned.spawn, **measured.as_json(), **by_name}


def _prepare(
    order: Order, worker: WorkerProcess, label: str, action: str, sample_s: float
) -> Said[verbs.PreparedPort]:
    """Warm one side up.

    Raises:
        TooLong: not even its first steps have ended within the budget.
    """
    job, terms = order.job, order.terms
    share, warmup_s = (
        (1.0, WARMUP_S if job.device == "cpu" else DEVICE_WARMUP_S)
        if action in ACTIONS
        else (PHASE_SHARE, WARMUP_S)
    )
    wanted: dict[str, Any] = {"warmup_s": share * warmup_s, "sample_s": sample_s}
    least = (terms.least_steps or {}).get(action, {}).get(label)
    if terms.warmup is not None:
        wanted.update(warmup_s=terms.warmup.seconds, least_steps=terms.warmup.steps, exactly=True)
    elif terms.least_steps is None and action in ACTIONS:
        wanted.update(probe_s=PROBE_S)
    elif least is not None:
        wanted.update(least_steps=least)
    compiled = job.execution in (
        "compiled",
        "cudagraph",
    )  # a first step compiles for minutes, and that is no long step
    patience_s = math.inf if compiled or math.isinf(terms.left_s) else max(terms.left_s, PATIENCE_S)
    limit_s = min(patience_s, worker.limits.request_s)
    try:
        return worker.request(verbs.PREPARE, timeout_s=limit_s, **wanted)
    except JobFailed as error:
        if error.status == Status.TIMEOUT and limit_s < worker.limits.request_s:
            raise forecast.TooLong(
                f"the first steps of {label} ({action}) had not ended after {limit_s:.0f} s", None
            ) from error
        order.failed.append(SideFailed(label, error.status, error.reason))
        raise JobFailed(error.status, f"{label}: {error.reason}") from error


def _spend(
    taking: Mapping[str, Mapping[str, WorkerProcess]], failed: list[SideFailed]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Ask, after all that is timed, what a step of each whole action costs beside time; a side that
    cannot tell says why."""
    costs: dict[str, dict[str, dict[str, Any]]] = {}
    for action in (name for name in ACTIONS if name in taking):
        costs[action] = {}
        for label, worker in taking[action].items():
            try:
                with named(label, failed):
                    costs[action][label] = worker.request(verbs.SPEND, action=action).plain
            except JobFailed as error:
                if not worker.alive:
                    raise
                failed.pop()
                costs[action][label] = {
                    "missing": dict.fromkeys(("flops", "rate", "energy_j"), error.reason)
                }
    return costs
