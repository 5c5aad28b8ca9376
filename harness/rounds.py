"""Measure builds in turns: rounds of fresh processes, blocks in a palindrome, one timed run at a time on a machine.

Runs what `harness.speed.schedule` orders; the estimate and the verdict are made elsewhere from what is recorded here. A
round is a job of its own with a record of its own, so an interrupted measurement goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import filelock

from backends.contract import ACTIONS
from harness import memory, runner, store
from harness.errors import JobFailed
from harness.plan import SpeedJob, describe
from harness.processes import WorkerProcess, ending
from harness.speed import estimate, schedule

WARMUP_S = 0.2
#: A sample lasts about this long. Reading the clock (0.1 us) and the call cost nothing beside it, and turns are so short that a change
#: of the machine's speed cuts few palindromes in two: with samples of 2 ms rounds scatter about twice as much.
SAMPLE_S = 0.0005
#: On other devices each sample ends with a synchronisation, which costs some 10 us, and clocks take long to rise.
DEVICE_WARMUP_S, DEVICE_SAMPLE_S = 1.0, 0.005
#: What all turns of one action in one round take together, seconds.
MEASURE_S = 1.0
#: A phase gets this share of both times: it informs and decides nothing, and a GAN has a dozen.
PHASE_SHARE = 0.25


class SideFailed(Exception):
    """One side of a round ended in another status than ok."""

    def __init__(self, side: str, status: str, reason: str) -> None:
        self.side, self.status, self.reason = side, status, reason
        super().__init__(f"{side}: {status}: {reason}")


@contextlib.contextmanager
def machine_lock(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the machine's lock for timed runs; if another run holds it, say so once and wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        waiting()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def round_folder(bench: runner.Bench, job: SpeedJob, labels: Sequence[str], number: int) -> Path:
    """Return where a round lies. Rounds without a side that had to leave are other rounds, beside the one in which it failed."""
    missing = "".join(f"-without-{_safe(side.label)}" for side in job.sides if side.label not in labels)
    return bench.run / "jobs" / f"{job.name}-round{number:03d}{missing}"


def run_round(bench: runner.Bench, job: SpeedJob, labels: Sequence[str], number: int, files: runner.Files) -> store.Record:
    """Run one round of all sides named and return its record.

    Raises:
        SideFailed: a side cannot take part; the record says so.
    """
    folder = round_folder(bench, job, labels, number)
    runner.fresh(folder)
    sides = {side.label: side for side in job.sides if side.label in labels}
    started = time.monotonic()
    failed: list[SideFailed] = []
    with runner.ended(folder, {**describe(job), "round": number, "labels": list(labels)}, started) as outcome:
        workers: dict[str, WorkerProcess] = {}
        before = machine_state()
        try:
            for label in schedule.plan_round(labels, 1, job.seed, number).spawn:
                with _named(label, failed):
                    log = folder / f"{_safe(label)}.log"
                    workers[label] = bench.worker(sides[label].build, log, cold=number == 0, side=label)
                    workers[label].send("describe", backend=sides[label].backend)
            opened, imported_s = _open(bench, job, workers, files, failed)
            baseline = {label: worker.memory.begin() for label, worker in workers.items()}
            actions = {}
            for action in job.actions:
                taking = {label: worker for label, worker in workers.items() if takes(action, opened[label])}
                if len(taking) >= 2:
                    actions[action] = _measure(job, taking, number, action, files, failed)
            spent = _spend(workers, actions, failed) if number == 0 else {}
        except BaseException:
            for worker in workers.values():
                worker.kill()
            raise
        with ending(list(workers.values())):
            pass
        spec = bench.workloads[job.workload]
        outcome.result = {
            "actions": actions, "opened": opened, "machine": [before, machine_state()], "labels": list(labels),
            "peak_bytes": {label: worker.peak_bytes for label, worker in workers.items()}, "baseline_bytes": baseline, "spent": spent,
            "operations": {action: spec.operations(spec.hyperparameters(job.preset), action) for action in ACTIONS},
            "rows_a_step": spec.config(job.preset)["batch"], "imported_s": imported_s, "tape_hash": files.tape_hash,
        }
    if failed:
        raise failed[0]
    return outcome.record()


def _safe(label: str) -> str:
    return label.replace("#", "-")


def _open(
    bench: runner.Bench, job: SpeedJob, workers: dict[str, WorkerProcess], files: runner.Files, failed: list[SideFailed]
) -> tuple[dict[str, Any], float]:
    """Wait until all have imported their frameworks, which takes seconds; then open the ports one by one, which is timed.

    Returns what each port told, and how long all waited for the imports, seconds.
    """
    started = time.monotonic()
    for label, worker in workers.items():
        with _named(label, failed):
            worker.receive()
    imported_s = time.monotonic() - started
    opened = {}
    for label, worker in workers.items():
        with _named(label, failed):
            opened[label] = runner.open_port(worker, bench, job.opening(label), files)
    return opened, imported_s


def takes(action: str, opened: Mapping[str, Any]) -> bool:
    """Whether a side takes part in an action: a phase is timed by an optional method of the port."""
    return action in ACTIONS or "train_step" in opened["abilities"]


@dataclasses.dataclass
class Peaks:
    """What the blocks of one side tell beside their times: peaks of memory, and how many calls of `generate` took how long."""

    bytes_: int = 0
    own_bytes: int = 0
    ended_bytes: int = 0
    device: tuple[int | None, str] = (None, "it was not told")
    calls: dict[str, int] = dataclasses.field(default_factory=dict)
    calls_base: float = 0.0

    def take(self, done: Mapping[str, Any]) -> None:
        """Take in a block's answer."""
        self.own_bytes, self.ended_bytes = max(self.own_bytes, int(done["peak_bytes"])), int(done["ended_bytes"])
        self.device = done["device_peak_bytes"], str(done.get("device_peak_missing", ""))
        self.calls_base = float(done["calls_base"])
        for place, count in done["calls"].items():
            self.calls[place] = self.calls.get(place, 0) + int(count)

    def look(self, tree: memory.Tree) -> None:
        """Look at the worker's processes while it waits; marks keep, so that once a palindrome is enough."""
        self.bytes_ = max(self.bytes_, tree.peak(self.own_bytes, self.ended_bytes))

    def close(self, tree: memory.Tree) -> dict[str, Any]:
        """Look once more, for descendants that have come since, and return all of it for the round's record."""
        self.bytes_ = max(self.bytes_, tree.peak(0, self.ended_bytes, scan=True))
        tree.end(self.ended_bytes)
        return {
            "peak_bytes": self.bytes_, "mapped_bytes": tree.mapped(), "marks_set_back": tree.set_back, "device_peak_bytes": self.device[0],
            "device_peak_missing": self.device[1], "calls": self.calls, "calls_base": self.calls_base,
        }


@contextlib.contextmanager
def _named(label: str, failed: list[SideFailed]) -> Iterator[None]:
    """Remember which side a failure belongs to, and pass it on as the round's own."""
    try:
        yield
    except JobFailed as error:
        failed.append(SideFailed(label, error.status, error.reason))
        raise JobFailed(error.status, f"{label}: {error.reason}") from error


def _measure(
    job: SpeedJob, workers: dict[str, WorkerProcess], number: int, action: str, files: runner.Files, failed: list[SideFailed]
) -> dict[str, Any]:
    """Warm every side up, then run the blocks in a palindrome, one side at a time while the others sleep."""
    labels, share = list(workers), 1.0 if action in ACTIONS else PHASE_SHARE
    warmup_s, sample_s = (WARMUP_S, SAMPLE_S) if job.device == "cpu" else (DEVICE_WARMUP_S, DEVICE_SAMPLE_S)
    prepared, peaks = {}, {label: Peaks() for label in labels}
    for label in labels:
        with _named(label, failed):
            workers[label].request("load", tape=str(files.tape), action=action, seed=job.seed + number, slowdown=job.slowdown_of(label))
            workers[label].memory.begin()  # after loading, which is no part of the action
            prepared[label] = workers[label].request("prepare", warmup_s=share * warmup_s, sample_s=sample_s)
    size = schedule.size_round([float(done["sample_s"]) for done in prepared.values()], share * MEASURE_S)
    planned = schedule.plan_round(labels, size.palindromes, job.seed, number)
    palindromes = []
    for turns in planned.palindromes:
        steps: dict[str, list[float]] = {label: [] for label in labels}
        for label in turns:
            with _named(label, failed):
                done = workers[label].request("block", samples=size.steps)
            steps[label] += [float(value) for value in done["step_s"]]
            peaks[label].take(done)
        for label in labels:
            peaks[label].look(workers[label].memory)
        palindromes.append(steps)
    told = {label: peaks[label].close(workers[label].memory) for label in labels}
    named = {name: {label: one[name] for label, one in told.items()} for name in told[labels[0]]}
    for label in labels:  # after the work, which may have changed it
        with _named(label, failed):
            prepared[label].update(workers[label].request("effective", watch=number == 0))
    return {"prepared": prepared, "spawn": planned.spawn, "palindromes": palindromes, **named}


def _spend(workers: Mapping[str, WorkerProcess], actions: Mapping[str, Any], failed: list[SideFailed]) -> dict[str, Any]:
    """Ask, after all that is timed, what a step of each whole action costs beside time; a side that cannot tell says why."""
    found: dict[str, Any] = {}
    for action in (name for name in ACTIONS if name in actions):
        found[action] = {}
        for label in actions[action]["prepared"]:
            try:
                with _named(label, failed):
                    found[action][label] = workers[label].request("spend", action=action)
            except JobFailed as error:
                if not workers[label].alive:
                    raise
                failed.pop()
                found[action][label] = {"missing": dict.fromkeys(("flops", "rate", "energy_j"), error.reason)}
    return found


def machine_state() -> dict[str, Any]:
    """Return what the machine is doing besides: load averages, cores this process may use, CPU quota of its group."""
    quota = None
    with contextlib.suppress(OSError):
        quota = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").strip()
    affinity = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return {"load": list(os.getloadavg()), "affinity": affinity, "cpu_max": quota}


def as_round(record: store.Record, action: str) -> estimate.Round:
    """Return one action of a recorded round for `harness.speed.estimate`."""
    return estimate.Round(tuple(
        estimate.Palindrome(steps) for steps in record.result["actions"][action]["palindromes"]
    ))
