"""The harness' worker and a bare script of the same port, in turns, and what that says of the cost
of being watched.

Two bare loops stand against the worker's blocks. One is a script of its own; two processes of the
same work differ by per cents for their whole life, so that it takes a hundred rounds to see half a
per cent. The other runs inside the worker's process while nobody looks at it, which leaves that
difference out: it sees the watching, the timer and nothing else.

The bare script opens the port, warms it up and times its steps with two readings of the clock:
nobody watches it, nothing resets marks of memory, no answer is JSON, no collection of garbage is
held back for it that it does not hold back itself. The worker is watched as in every comparison, in
turns of the same length. Each round starts both afresh, in random order; turns run in a palindrome.
The interval is the one of a comparison.
"""

from __future__ import annotations

import dataclasses
import json
import os
import select
import shutil
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from harness import plan
from harness.commands import options, resolution
from harness.environments import provision, staging
from harness.execution import rounds, runner, tapes, verbs
from harness.execution.processes import Limits, WorkerProcess, ending
from harness.execution.turns import Peaks
from harness.execution.worker_environment import clean_environment
from harness.speed import estimate, schedule

#: A block that lasts so long is looked at while it runs; a turn of a comparison is over before.
BLOCK_S = 3.0
PALINDROMES = 100
SIDES = ("bare", "alone", "harness")
#: What the issue of trust allows: a share of a core, and of a step's time.
PARENT_SHARE, SLOWER = 0.01, 0.005
#: What the copy of the worker that is measured can do besides.
ALONE = """


def _bare(self, samples, steps):
    import gc
    gc.collect()
    gc.disable()
    found = []
    for _ in range(samples):
        before = time.perf_counter()
        self.port.train(self.timer.source, steps)
        found.append((time.perf_counter() - before) / steps)
    gc.enable()
    return {"step_s": found}


Session.do_bare = _bare
"""
BARE = """
import gc, importlib, json, sys, time
from backends import schedule
from backends.contract import Setting
from backends.protocol import loading
from backends.recording import passes, recorder
from backends.source import NativeSource
given = json.loads(sys.stdin.readline())
importlib.import_module("backends.%s.core" % given["backend"])
made = loading.load(loading.locate(given["backend"], given["workload"], []))
port = made(given["config"], Setting(**given["setting"]))
port.load_parameters(passes.weights(recorder.load_arrays(given["tape"])))
source = NativeSource(recorder.load_arrays(given["data"]), 0, given["config"]["batch"])
source.cursor = schedule.last_segment(given["config"])
started = time.perf_counter()
while time.perf_counter() - started < given["warmup_s"]:
    port.train(source, 1)
print("ready", flush=True)
gc.collect()
gc.freeze()
for line in sys.stdin:
    samples, steps = map(int, line.split())
    gc.collect()
    gc.disable()
    found = []
    for _ in range(samples):
        before = time.perf_counter()
        port.train(source, steps)
        found.append((time.perf_counter() - before) / steps)
    gc.enable()
    print(" ".join(map(repr, found)), flush=True)
"""


@dataclasses.dataclass(frozen=True)
class Seen:
    """What one round saw.

    Attributes:
        steps: of all sides. waited_s: how long the parent waited for the long block. busy_s: its
            own time on a core meanwhile.
        turns_share: of a core, what the parent needs for the turns, nearly all of it between them,
            when nothing is timed.
    """

    steps: estimate.RoundTimes
    waited_s: float
    busy_s: float
    turns_share: float


@dataclasses.dataclass(frozen=True)
class Conclusion:
    """What all rounds say, in lines, and whether parent and worker stay within what is allowed
    (None: not to be told yet)."""

    lines: tuple[str, ...]
    parent: bool
    steps: bool | None


class Bare:
    """The bare script of a port, in the worker's folder and environment."""

    def __init__(
        self, run_context: runner.RunContext, job: plan.SpeedJob, files: tapes.Files
    ) -> None:
        self.process = subprocess.Popen(
            [str(run_context.interpreters[job.sides[0].build]), "-c", BARE],
            cwd=run_context.staging,
            env=dict(run_context.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        opening = job.opening(job.sides[0].label)
        spec = run_context.workloads[opening.workload]
        self._say(
            json.dumps(
                {
                    "backend": opening.backend,
                    "workload": spec.port or spec.name,
                    "config": spec.config(opening.preset, opening.powers),
                    "setting": dataclasses.asdict(opening.setting),
                    "tape": str(files.tape),
                    "data": str(files.data),
                    "warmup_s": 0.5,
                }
            )
        )

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def heard(self) -> str:
        """Return the next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the bare script has ended")
        return line

    def block(self, samples: int, steps: int) -> list[float]:
        """Return so many step times, seconds."""
        self._say(f"{samples} {steps}")
        return [float(word) for word in self.heard().split()]

    def end(self) -> None:
        """Close its input and wait for its end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()


def watch(
    run_context: runner.RunContext,
    job: plan.SpeedJob,
    number: int,
    palindromes: int = PALINDROMES,
    block_s: float = BLOCK_S,
) -> Seen:
    """Run one round of the worker and the bare script in turns of a comparison's length; then a
    long block for the parent."""
    files = runner.inputs(run_context, job.workload, job.preset, job.seed, 1)
    planned = schedule.plan_round(SIDES, palindromes, job.seed, number)
    worker: WorkerProcess | None = None
    bare: Bare | None = None
    for name in planned.spawn:
        if name == "bare":
            bare = Bare(run_context, job, files)
        elif name == "harness":
            worker = run_context.worker(
                job.sides[0].build, run_context.run / f"observer{number}.log"
            )
    assert worker is not None
    assert bare is not None
    with ending([worker]):
        runner.open_port(worker, run_context, job.opening(job.sides[0].label), files)
        bare.heard()
        worker.request(verbs.LOAD, tape=str(files.tape), action="train", seed=0)
        worker.memory.begin()
        ready = worker.request(verbs.PREPARE, warmup_s=0.5, sample_s=rounds.SAMPLE_S).content
        steps, peaks, found = ready.steps_a_sample, Peaks(), []
        started, spent = time.perf_counter(), time.process_time()
        for turns in planned.palindromes:
            times: dict[str, list[float]] = {name: [] for name in SIDES}
            for name in turns:
                if name == "bare":
                    times[name] += bare.block(schedule.WANTED_STEPS, steps)
                elif name == "alone":
                    times[name] += _unwatched(worker, schedule.WANTED_STEPS, steps)
                else:
                    done = worker.request(verbs.BLOCK, samples=schedule.WANTED_STEPS).content
                    peaks.take(done)
                    times[name] += done.step_s
            peaks.look(worker.memory)
            found.append(estimate.Palindrome(times))
        turns_share = (time.process_time() - spent) / (time.perf_counter() - started)
        started, spent = time.perf_counter(), time.process_time()
        worker.request(
            verbs.BLOCK, samples=max(estimate.MIN_SAMPLES, round(block_s / ready.sample_s))
        )
        waited_s, busy_s = time.perf_counter() - started, time.process_time() - spent
    bare.end()
    return Seen(estimate.RoundTimes(tuple(found)), waited_s, busy_s, turns_share)


def _unwatched(worker: WorkerProcess, samples: int, steps: int) -> list[float]:
    """Return step times of a bare loop in the worker, which nobody looks at until it is over."""
    worker.send("bare", samples=samples, steps=steps)
    select.select([worker._answers], [], [])
    return [float(value) for value in worker.receive().plain["step_s"]]


def run_context_of(build: str, folder: Path) -> runner.RunContext:
    """Return what rounds of one build need."""
    found = provision.locate(
        build, "cpu", overrides={}, environ=os.environ, progress=lambda line: None
    )
    environ = clean_environment(os.environ, TF_CPP_MIN_LOG_LEVEL="2")
    workloads = resolution.known_workloads(options.Options(backends=(build, build)))
    copy = folder / "staging"
    shutil.copytree(staging.prepare(environ), copy)
    with (copy / "backends/protocol/session.py").open("a", encoding="utf-8") as session:
        session.write(ALONE)
    return runner.RunContext(folder, copy, {build: found.path}, environ, workloads, Limits())


def job_of(build: str, workload: str, preset: str) -> plan.SpeedJob:
    """Return the job whose first side is observed."""
    chosen = options.Options(
        backends=(build, build),
        workloads=(workload,),
        precision=("fp32",),
        preset=preset,
        no_fidelity=True,
        threads=1,
    )
    (job,) = plan.make(resolution.resolve(chosen)).speed
    return job


def conclude(seen: Sequence[Seen]) -> Conclusion:
    """Judge rounds as a comparison does, one ratio a round: the worker's blocks against both bare
    loops.

    Slower, if either shows it; not slower, if the loop in the same process does.
    """
    share = sum(one.busy_s for one in seen) / sum(one.waited_s for one in seen)
    steps = [one.steps for one in seen]
    found = {name: estimate.estimate(steps, name, "harness", final=True) for name in SIDES[:2]}
    times = ", ".join(
        f"{name} {1e6 * (estimate.step_time(steps, name) or 0.0):.1f} us" for name in SIDES
    )
    between = statistics.mean(one.turns_share for one in seen)
    lines = [
        (
            f"parent: {100 * share:.2f} % of a core while it waits (allowed: less than"
            f" {100 * PARENT_SHARE:g} %)"
        ),
        (
            f"parent, over short turns: {100 * between:.2f} % of a core, nearly all of it between"
            " them, when nothing is timed"
        ),
        f"steps: {times}",
    ]
    for name, words in (
        ("bare", "in the worker / in a bare script"),
        ("alone", "watched / unwatched in the same process"),
    ):
        one = found[name]
        told = (
            one.reason
            if one.low is None
            else f"{one.ratio:.4f} [{one.low:.4f}, {one.high:.4f}] at 99 %, {len(seen)} rounds"
        )
        lines.append(f"{words}: {told}")
    lows = [one.low for one in found.values() if one.low is not None]
    high = found["alone"].high
    within = (
        False
        if any(low > 1 + SLOWER for low in lows)
        else True
        if high is not None and high <= 1 + SLOWER
        else None
    )
    answer = {True: "yes", False: "no", None: "not to be told from so many rounds"}[within]
    lines.append(f"less than {100 * SLOWER:g} % slower for being watched: {answer}")
    return Conclusion(tuple(lines), share < PARENT_SHARE, within)
