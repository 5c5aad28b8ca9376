"""Time a port's steady steps in blocks, in native mode.

A sample is the mean time of a few consecutive steps, so many that the clock and the call cost
nothing beside them. `Port.train` and `Port.generate` return when the device has finished; a port of
a user's that forgets it is waited for all the same.
"""

from __future__ import annotations

import gc
import math
import resource
import sys
import time
from typing import Any, Callable, Dict, List, Optional

from backends.contract import ACTIONS
from backends.measuring import processor_waits, warmup
from backends.source import Batch

MINIMUM_SAMPLES = 3
#: A process that never gets steady, because the machine does not, stops warming up after so many
#: times the wanted time.
LONGEST_WARMUP = 5.0
#: A warm-up that looks for a late change of speed ends after a share of its time where so many
#: steps have run; without an end in sight, after twice its time.
PROBED_STEPS = 1000
PROBED_SHARE = 1.0 / 3.0
LONGEST_PROBE = 2.0
#: A single step that takes this long is a sample; none are run to find out how long one is.
LONG_STEP_S = 0.05
MAXIMUM_STEPS_A_SAMPLE = 256
#: Latencies of single calls are counted in classes whose bounds have this ratio: a percentile is
#: exact to half of 2 %.
LATENCY_BASE = 1.02


class Timer:
    """One action of one port.

    Args:
        port, source: an open port and a `NativeSource`.
        action: `train`, `generate`, or a phase: single updates of that phase alone, on one batch,
            with the framework's own noise.
        count: rows that one `generate` step returns.
        slowdown: how much slower to be than the port, as a share of its own time, e.g. 0.05. A
            change of known size, by which a verdict on speed is tested: after a sample's steps the
            worker keeps the core busy for that share of what they took.
        wait: returns when the device has finished all work; None where work is done when a call
            returns.

    Attributes:
        output_dtype: of what the last call of `generate` returned, "unknown" before.
    """

    def __init__(
        self,
        port: Any,
        source: Any,
        action: str,
        count: int,
        slowdown: float = 0.0,
        wait: Optional[Callable[[], Any]] = None,
    ) -> None:
        actions = list(ACTIONS) + list(port.config["phases"])
        if action not in actions:
            raise ValueError(f"action '{action}' is not one of {', '.join(actions)}")
        if not (math.isfinite(slowdown) and slowdown >= 0.0):
            raise ValueError(
                f"a slow-down is a share of a step's time, 0 or more, and not {slowdown!r}"
            )
        self.slowdown, self.wait, self.output_dtype = slowdown, wait, "unknown"
        self.port, self.source, self.action, self.count = port, source, action, count
        self.batch = Batch(
            {name: array[:count] for name, array in source.training_rows().items()}, None
        )
        self.steps_a_sample = 1
        self._calls: List[float] = []
        self.waits = processor_waits.Waits()

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

    def prepare(
        self,
        warmup_s: float,
        sample_s: float,
        least_steps: Optional[int] = None,
        probe_s: float = 0.0,
        exactly: bool = False,
    ) -> Dict[str, Any]:
        """Run one step, warm up, choose how many steps make about `sample_s` seconds.

        Args:
            warmup_s: at the least, seconds, and until they get no faster.
            sample_s: how long a sample takes, seconds.
            least_steps: of warm-up; `warmup.least_steps` if None.
            probe_s: go on for so long, of short steps a third of it, and look for steps that
                suddenly take another time. 0: do not look.
            exactly: the user has said how long, so that steps which still get faster are no reason
                to go on.

        Returns:
            Times and counts; `settled_steps`: of warm-up, before the last sudden change (0: there
            was none; None: it goes on changing).
        """
        first_s = self._run(1)
        self.waits = processor_waits.Waits()
        self.waits.begin()
        started = time.perf_counter()
        steps_s = [self._run(1)]
        least = warmup.least_steps(steps_s[0]) if least_steps is None else least_steps
        while len(steps_s) < least or time.perf_counter() - started < warmup_s:
            steps_s.append(self._run(1))
        while time.perf_counter() - started < _probe_length_s(len(steps_s), probe_s):
            steps_s.append(self._run(1))
        if not exactly:
            self._go_on(
                steps_s, started + LONGEST_WARMUP * warmup_s, started + LONGEST_PROBE * probe_s
            )
        # Of the last ones: a single step that the machine interrupts would give this process
        # shorter samples than the others have.
        step_s = warmup.quartile(steps_s[-warmup.MINIMUM_STEPS :])
        wanted_steps = round(sample_s / max(step_s, 1e-7))
        self.steps_a_sample = max(1, min(MAXIMUM_STEPS_A_SAMPLE, wanted_steps))
        waited = self.waits.end()
        if step_s < LONG_STEP_S:
            fastest_s = min(self._run(self.steps_a_sample) for _ in range(MINIMUM_SAMPLES))
            step_s = fastest_s / self.steps_a_sample
        # What the framework's import left is never garbage; without this, each block's collection
        # walks it for 0.1 s.
        gc.collect()
        gc.freeze()
        self.waits = processor_waits.Waits()
        return {
            "sample_s": step_s * self.steps_a_sample,
            "first_step_s": first_s,
            "warmup_s": first_s + time.perf_counter() - started,
            "warmup_steps": 1 + len(steps_s),
            "steady": warmup.steady(steps_s) or len(steps_s) < warmup.MINIMUM_STEPS,
            "settled_steps": warmup.settled_after(steps_s),
            "steps_a_sample": self.steps_a_sample,
            "rows_a_step": self.count,
            "waits": waited,
        }

    def _go_on(self, steps_s: List[float], until: float, probed_until: float) -> None:
        """Warm up further while steps get faster, or have just changed, to those times by the clock
        at the most.
        """
        while not warmup.steady(steps_s) and time.perf_counter() < until:
            steps_s += [self._run(1) for _ in range(max(1, len(steps_s) // 2))]
        while warmup.settled_after(steps_s) is None and time.perf_counter() < probed_until:
            steps_s += [self._run(1) for _ in range(max(1, len(steps_s) // 8))]

    def block(self, samples: int) -> Dict[str, Any]:
        """Return `samples` step times in seconds; the garbage collector waits until the block is
        over.

        With them: how many calls of `generate` took how long (see `latencies`), the kernel's marks
        of memory and what is held now, bytes, and how long threads ran and waited for a processor
        while it was timed (`waiting`); `used_s`: of the processor, for all of this.
        """
        used_s = processor_waits.used_s()
        gc.collect()
        self._calls = []
        gc.disable()
        self.waits.begin()
        try:
            times = [self._run(self.steps_a_sample) / self.steps_a_sample for _ in range(samples)]
            waited = self.waits.end()
        finally:
            gc.enable()
        return {
            "step_s": times,
            "peak_bytes": peak_bytes(),
            "ended_bytes": ended_bytes(),
            "calls": latencies(self._calls),
            "calls_base": LATENCY_BASE,
            "resident_bytes": resident_bytes(),
            "steps": samples * self.steps_a_sample,
            "waits": waited,
            "used_s": processor_waits.used_s() - used_s,
        }

    def run(self, steps: int) -> float:
        """Run steps that belong to no sample and return how long they took, seconds."""
        return self._run(steps)


def _probe_length_s(steps: int, probe_s: float) -> float:
    """Return how long a warm-up of so many steps looks for a late change of speed."""
    return probe_s if steps < PROBED_STEPS else PROBED_SHARE * probe_s


def _keep_busy(started: float, factor: float) -> None:
    """Run on until `factor` times as long has passed since `started` as has now: not asleep, as
    slower code is not.
    """
    until = started + factor * (time.perf_counter() - started)
    while time.perf_counter() < until:
        pass


def latencies(calls_s: List[float]) -> Dict[int, int]:
    """Return how many calls fall into each class: class n holds times around LATENCY_BASE ** n
    seconds.
    """
    calls: Dict[int, int] = {}
    for call_s in calls_s:
        exponent = round(math.log(max(call_s, 1e-9), LATENCY_BASE))
        calls[exponent] = calls.get(exponent, 0) + 1
    return calls


def peak_bytes() -> int:
    """Return the kernel's own high-water mark of this process' resident memory, bytes; the harness
    may have set it back.
    """
    try:
        with open("/proc/self/status", "rb") as status:
            return next(int(line.split()[1]) << 10 for line in status if line.startswith(b"VmHWM:"))
    # Not Linux. On Linux rusage would also hold what the harness had when it started this process.
    except (OSError, StopIteration):
        return _bytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def resident_bytes() -> Optional[int]:
    """Return what this process holds now, bytes; None where the kernel does not tell."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:  # not Linux
        return None


def ended_bytes() -> int:
    """Return the largest high-water mark of the children that have ended and been waited for,
    bytes.

    Linux hands a mark on through fork and exec: a child's is never less than what its parent held
    when it was started.
    """
    return _bytes(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


def _bytes(maxrss: int) -> int:
    return maxrss if sys.platform == "darwin" else maxrss * 1024
