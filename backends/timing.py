"""Time a port's steady steps in blocks, in native mode.

A sample is the mean time of a few consecutive steps, so many that the clock and the call cost nothing beside them.
`Port.train` and `Port.generate` return when the device has finished; a port of a user's that forgets it is waited for all the same.
"""

from __future__ import annotations

import gc
import math
import resource
import sys
import time
from typing import Any, Callable, Dict, List, Optional

from backends.contract import ACTIONS
from backends.source import Batch

MINIMUM_WARMUP_STEPS = 10
MINIMUM_SAMPLES = 3
#: Warmed up: the lower quartile of the last third of the steps is below that of the third before by no more than this share.
STEADY = 0.02
#: A process that never gets steady, because the machine does not, stops warming up after so many times the wanted time.
LONGEST_WARMUP = 5.0
MAXIMUM_STEPS_A_SAMPLE = 256
#: Latencies of single calls are counted in classes whose bounds have this ratio: a percentile is exact to half of 2 %.
LATENCY_BASE = 1.02


class Timer(object):
    """One action of one port.

    Args:
        port, source: an open port and a `NativeSource`.
        action: `train`, `generate`, or a phase: single updates of that phase alone, on one batch, with the framework's own noise.
        count: rows that one `generate` step returns.
        slowdown: how much slower to be than the port, as a share of its own time, e.g. 0.05. A change of known size, by which a
            verdict on speed is tested: after a sample's steps the worker keeps the core busy for that share of what they took.
        wait: returns when the device has finished all work; None where work is done when a call returns.

    Attributes:
        output_dtype: of what the last call of `generate` returned, "unknown" before.
    """

    def __init__(
        self, port: Any, source: Any, action: str, count: int, slowdown: float = 0.0, wait: Optional[Callable[[], Any]] = None
    ) -> None:
        actions = list(ACTIONS) + list(port.config["phases"])
        if action not in actions:
            raise ValueError("action '%s' is not one of %s" % (action, ", ".join(actions)))
        if not (math.isfinite(slowdown) and slowdown >= 0.0):
            raise ValueError("a slow-down is a share of a step's time, 0 or more, and not %r" % slowdown)
        self.slowdown, self.wait, self.output_dtype = slowdown, wait, "unknown"
        self.port, self.source, self.action, self.count = port, source, action, count
        self.batch = Batch({name: array[:count] for name, array in source.training_rows().items()}, None)
        self.steps_a_sample = 1
        self._calls = []  # type: List[float]

    def _run(self, steps: int) -> float:
        """Run consecutive steps and return how long they took, seconds."""
        started = time.perf_counter()
        if self.action == "train":
            self.port.train(self.source, steps)
        elif self.action != "generate":
            for _ in range(steps):
                self.port.train_step(self.action, self.batch)
        else:
            for _ in range(steps):
                called = time.perf_counter()
                output = self.port.generate(self.source, self.count)
                if self.wait is not None:
                    self.wait()
                self._calls.append(time.perf_counter() - called)
            self.output_dtype = str(getattr(output, "dtype", "unknown"))
        if self.wait is not None:
            self.wait()
        if self.slowdown:
            _keep_busy(started, 1.0 + self.slowdown)
        return time.perf_counter() - started

    def prepare(self, warmup_s: float, sample_s: float) -> Dict[str, Any]:
        """Run one step, warm up for `warmup_s` seconds and until steps get no faster, choose how many make about `sample_s` seconds."""
        first_s = self._run(1)
        started = time.perf_counter()
        steps_s = [self._run(1)]
        while len(steps_s) < MINIMUM_WARMUP_STEPS or time.perf_counter() - started < warmup_s:
            steps_s.append(self._run(1))
        limit = started + LONGEST_WARMUP * warmup_s
        while not steady(steps_s) and time.perf_counter() < limit:
            steps_s += [self._run(1) for _ in range(len(steps_s) // 2)]
        # Of the last ones: a single step that the machine interrupts would give this process shorter samples than the others have.
        last_s = steps_s[-MINIMUM_WARMUP_STEPS:]
        step_s = sorted(last_s)[len(last_s) // 4]
        self.steps_a_sample = max(1, min(MAXIMUM_STEPS_A_SAMPLE, round(sample_s / max(step_s, 1e-7))))
        sample_s = sorted(self._run(self.steps_a_sample) for _ in range(MINIMUM_SAMPLES))[0]
        # What the framework's import left is never garbage; without this, each block's collection walks it for 0.1 s.
        gc.collect()
        gc.freeze()
        return {
            "sample_s": sample_s,
            "first_step_s": first_s,
            "warmup_s": first_s + time.perf_counter() - started,
            "warmup_steps": 1 + len(steps_s),
            "steady": steady(steps_s),
            "steps_a_sample": self.steps_a_sample,
            "rows_a_step": self.count,
        }

    def block(self, samples: int) -> Dict[str, Any]:
        """Return `samples` step times in seconds; the garbage collector waits until the block is over.

        With them: how many calls of `generate` took how long (see `latencies`), and the kernel's marks of memory, bytes.
        """
        gc.collect()
        self._calls = []
        gc.disable()
        try:
            times = [self._run(self.steps_a_sample) / self.steps_a_sample for _ in range(samples)]
        finally:
            gc.enable()
        return {
            "step_s": times, "peak_bytes": peak_bytes(), "ended_bytes": ended_bytes(), "calls": latencies(self._calls),
            "calls_base": LATENCY_BASE,
        }

    def run(self, steps: int) -> float:
        """Run steps that belong to no sample and return how long they took, seconds."""
        return self._run(steps)


def steady(steps_s: List[float]) -> bool:
    """Whether steps have stopped getting faster: what is compiled or tuned on first use has been, clocks have risen."""
    third = len(steps_s) // 3
    if not third:
        return False
    last, before = (sorted(part)[third // 4] for part in (steps_s[-third:], steps_s[-2 * third : -third]))
    return last >= (1.0 - STEADY) * before


def _keep_busy(started: float, factor: float) -> None:
    """Run on until `factor` times as long has passed since `started` as has now: not asleep, as slower code is not."""
    until = started + factor * (time.perf_counter() - started)
    while time.perf_counter() < until:
        pass


def latencies(calls_s: List[float]) -> Dict[int, int]:
    """Return how many calls fall into each class: class n holds times around LATENCY_BASE ** n seconds."""
    found = {}  # type: Dict[int, int]
    for call_s in calls_s:
        place = round(math.log(max(call_s, 1e-9), LATENCY_BASE))
        found[place] = found.get(place, 0) + 1
    return found


def peak_bytes() -> int:
    """Return the kernel's own high-water mark of this process' resident memory, bytes; the harness may have set it back."""
    try:
        with open("/proc/self/status", "rb") as told:
            return next(int(line.split()[1]) << 10 for line in told if line.startswith(b"VmHWM:"))
    except (OSError, StopIteration):  # not Linux; on Linux rusage would also hold what the harness had when it started this process
        return _bytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def ended_bytes() -> int:
    """Return the largest high-water mark of the children that have ended and been waited for, bytes.

    Linux hands a mark on through fork and exec: a child's is never less than what its parent held when it was started.
    """
    return _bytes(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


def _bytes(maxrss: int) -> int:
    return maxrss if sys.platform == "darwin" else maxrss * 1024
