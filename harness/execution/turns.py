"""The turns of a round: each side runs a block while the others sleep, what disturbs it is read,
and what was disturbed is repeated.

Runs what `harness.speed.schedule` orders, and asks `harness.speed.disturbance` what counts; every
sample is kept for the record.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backends.contract import Status
from harness.errors import JobFailed
from harness.execution import machine, memory, verbs
from harness.execution.processes import WorkerProcess
from harness.execution.verbs import Block
from harness.speed import disturbance
from harness.speed.schedule import RoundSize

#: A disturbed palindrome is repeated; in all there are no more than so many times those that were
#: planned.
MOST = 2
#: Where fewer than this share are clean, the machine is not about to calm down; seen after so many,
#: the round ends, for it will not count.
HOPELESS = 0.25
EARLY = 10


class SideFailed(Exception):
    """One side of a round ended in another status than ok."""

    def __init__(self, side: str, status: Status, reason: str) -> None:
        self.side, self.status, self.reason = side, status, reason
        super().__init__(f"{side}: {status}: {reason}")


@contextlib.contextmanager
def named(label: str, failed: list[SideFailed]) -> Iterator[None]:
    """Remember which side a failure belongs to, and pass it on as the round's own."""
    try:
        yield
    except JobFailed as error:
        failed.append(SideFailed(label, error.status, error.reason))
        raise JobFailed(error.status, f"{label}: {error.reason}") from error


@dataclasses.dataclass
class Peaks:
    """What the blocks of one side tell beside their times: peaks of memory, and how many calls of
    `generate` took how long."""

    bytes_: int = 0
    own_bytes: int = 0
    ended_bytes: int = 0
    device: tuple[int | None, str] = (None, "it was not told")
    calls: dict[int, int] = dataclasses.field(default_factory=dict)
    calls_base: float = 0.0

    def take(self, done: Block) -> None:
        """Take in a block's answer."""
        self.own_bytes = max(self.own_bytes, done.peak_bytes)
        self.ended_bytes = done.ended_bytes
        self.device = done.device_peak_bytes, done.device_peak_missing
        self.calls_base = done.calls_base
        for place, count in done.calls.items():
            self.calls[place] = self.calls.get(place, 0) + count

    def look(self, tree: memory.Tree) -> None:
        """Look at the worker's processes while it waits; marks keep, so that once a palindrome is
        enough."""
        self.bytes_ = max(self.bytes_, tree.peak(self.own_bytes, self.ended_bytes))

    def close(self, tree: memory.Tree) -> dict[str, Any]:
        """Look once more, for descendants that have come since, and return all of it for the
        round's record."""
        self.bytes_ = max(self.bytes_, tree.peak(0, self.ended_bytes, scan=True))
        tree.end(self.ended_bytes)
        return {
            "peak_bytes": self.bytes_,
            "mapped_bytes": tree.mapped(),
            "marks_set_back": tree.set_back,
            "device_peak_bytes": self.device[0],
            "device_peak_missing": self.device[1],
            "calls": {str(place): count for place, count in self.calls.items()},
            "calls_base": self.calls_base,
        }


@dataclasses.dataclass
class MeasuredTurns:
    """What the palindromes of one action in one round have measured.

    Attributes:
        steps: step times by side, a palindrome each; turns: what disturbed them, likewise. clean:
            which palindromes nothing disturbed.
        held: by side, number of steps so far and resident bytes, a turn each.
    """

    steps: list[dict[str, list[float]]] = dataclasses.field(default_factory=list)
    turns: list[dict[str, disturbance.Turn]] = dataclasses.field(default_factory=list)
    clean: list[bool] = dataclasses.field(default_factory=list)
    held: dict[str, list[tuple[int, int]]] = dataclasses.field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it for the round's record: clean palindromes alone, unless too few are for the
        rest to be trusted."""
        disturbed = not disturbance.enough(self.clean)
        kept = [disturbed or clean for clean in self.clean]
        turns = itertools.chain.from_iterable(by_side.values() for by_side in self.turns)
        return {
            "palindromes": [steps for steps, keep in zip(self.steps, kept, strict=True) if keep],
            "left_out": [steps for steps, keep in zip(self.steps, kept, strict=True) if not keep],
            "turns": [_as_json(by_side) for by_side in self.turns],
            "clean": self.clean,
            "disturbed": disturbed,
            "met": dataclasses.asdict(disturbance.together(turns)),
            "resident_bytes": {label: [*map(list, held)] for label, held in self.held.items()},
        }


def _as_json(by_side: Mapping[str, disturbance.Turn]) -> dict[str, Any]:
    return {label: dataclasses.asdict(turn) for label, turn in by_side.items()}


def run(
    workers: Mapping[str, WorkerProcess],
    planned: Sequence[Sequence[str]],
    size: RoundSize,
    peaks: Mapping[str, Peaks],
    repeat_s: float,
    failed: list[SideFailed],
) -> MeasuredTurns:
    """Run palindromes until as many as `size` says are clean, or all that are planned have run.

    Args:
        planned: palindromes in running order: more than are wanted, for those that have to be
            repeated.
        repeat_s: how long repetitions may take, seconds.
    """
    measured = MeasuredTurns(held={label: [] for label in workers})
    until = float("inf")
    for palindrome in planned:
        if len(measured.steps) == size.palindromes:
            until = time.monotonic() + repeat_s
        if len(measured.steps) >= min(size.palindromes, EARLY) and _hopeless(measured.clean):
            break
        if len(measured.steps) >= size.palindromes and _done(
            measured.clean, size.palindromes, time.monotonic() >= until
        ):
            break
        steps: dict[str, list[float]] = {label: [] for label in workers}
        turns: dict[str, list[disturbance.Turn]] = {label: [] for label in workers}
        for label in palindrome:
            with named(label, failed):
                pids = [worker.pid for other, worker in workers.items() if other != label]
                own_s, before = time.process_time() + machine.ran_s(pids), machine.counters()
                done = workers[label].request(verbs.BLOCK, samples=size.steps).content
                after = machine.counters()
                # Asking is no other program's work, nor are the threads of the side before that
                # spin for a while after their turn.
                used_s = done.used_s + time.process_time() + machine.ran_s(pids) - own_s
            steps[label] += done.step_s
            turns[label].append(_turn(done, used_s, before, after))
            peaks[label].take(done)
            _hold(measured.held[label], done)
        for label in workers:
            peaks[label].look(workers[label].memory)
        measured.steps.append(steps)
        measured.turns.append(
            {label: disturbance.together(several) for label, several in turns.items()}
        )
        measured.clean = disturbance.clean([list(by_side.values()) for by_side in measured.turns])
    return measured


def _hopeless(clean: Sequence[bool]) -> bool:
    """Whether so few palindromes were clean that more of them would not help."""
    return sum(clean) < HOPELESS * len(clean)


def _done(clean: Sequence[bool], wanted: int, late: bool) -> bool:
    """Whether enough palindromes are clean, or repeating the others would take too long."""
    return sum(clean) >= wanted or late


def _turn(
    done: Block, used_s: float, before: machine.Counters, after: machine.Counters
) -> disturbance.Turn:
    """Return what a turn met; `used_s`: of the processor, by the harness and its workers."""
    return dataclasses.replace(
        done.waits.turn,
        stolen_s=after.stolen_s - before.stolen_s,
        throttled_s=after.throttled_s - before.throttled_s,
        others_s=after.worked_s - before.worked_s - used_s if after.worked_s else 0.0,
        load=after.load,
    )


def _hold(points: list[tuple[int, int]], done: Block) -> None:
    if done.resident_bytes:
        steps = (points[-1][0] if points else 0) + done.steps
        points.append((steps, done.resident_bytes))
