"""What is timed beside whole steps: single phases, in the same rounds, which decide about no
further ones."""

from __future__ import annotations

import copy
import dataclasses
import math
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.measuring import timer as timing
from backends.source import NativeSource
from harness import plan
from harness.commands import options, resolution
from harness.environments import staging
from harness.evaluation import speed_notes, speed_rows
from harness.execution import rounds, runner
from harness.execution.processes import Limits, WorkerProcess
from harness.execution.worker_environment import clean_environment
from harness.experiments import speed_rounds
from harness.records import store
from harness.report import costs
from harness.speed import disturbance, schedule, steadiness
from harness.workloads import registry
from tests.harness import contents

TURNS = Path(__file__).parents[2] / "e2e/turns"
PHASES = ("early/slope", "late/intercept")
WHOLE = ("train", "generate")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> runner.Bench:
    """What rounds need, and rounds too short to be precise."""
    monkeypatch.setattr(rounds, "WARMUP_S", 0.01)
    monkeypatch.setattr(rounds, "MEASURE_S", 0.02)
    monkeypatch.setattr(rounds, "PROBE_S", 0.03)
    monkeypatch.setattr(schedule, "MIN_ROUNDS", 2)
    # What other programs do to so short rounds while the tests run is no part of them.
    monkeypatch.setattr(disturbance, "WAITED", 2.0)
    monkeypatch.setattr(disturbance, "LOST", math.inf)
    monkeypatch.setattr(steadiness, "CHANGE", math.inf)
    environ = clean_environment({**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")})
    python = {"numpy": Path(sys.executable)}
    return runner.Bench(
        tmp_path / "run",
        staging.prepare(environ),
        python,
        environ,
        registry.known((TURNS,)),
        Limits(request_s=20.0),
    )


def planned(*places: str) -> plan.SpeedJob:
    """Plan the timing of ports of `turns`, phase by phase; "" is the honest one."""
    chosen = options.Options(
        backends=tuple(f"numpy@{TURNS / place}" if place else "numpy" for place in places),
        workloads=("turns",),
        precision=("fp64",),
        preset="tiny",
        ports=(TURNS,),
        no_fidelity=True,
        threads=1,
        per_phase=True,
    )
    (job,) = plan.make(resolution.resolve(chosen)).speed
    return job


def test_every_phase_is_timed_on_every_side_that_can(bench: runner.Bench) -> None:
    """In the same rounds as whole steps; a port without `train_step` stays in the rest, and the
    report says so."""
    (one,) = speed_rounds.run_speed(bench, (planned("", "", "lacking"),), 0.0, lambda _: None)
    assert (
        ["numpy", "numpy#2", "numpy@lacking"] == one.labels
        and 2 == len(one.records)
        and [] == one.failed
    )
    found = speed_rows.rows([one], bench.run)
    pairs = [("numpy", "numpy#2"), ("numpy", "numpy@lacking"), ("numpy#2", "numpy@lacking")]
    assert [
        *[(action, *pair) for action in WHOLE for pair in pairs],
        *[(phase, *pairs[0]) for phase in PHASES],
    ] == [(row.action, row.a, row.b) for row in found]
    assert [False] * 6 + [True] * 2 == [row.by_phase for row in found] and all(
        row.a_step_s and row.a_step_s > 0.0 for row in found
    )
    assert {"train": "late", "generate": "", "early/slope": "", "late/intercept": ""} == {
        row.action: row.segment for row in found
    }
    lacking = "turns: single phases were not timed on numpy@lacking: the port has no `train_step`"
    assert lacking in speed_notes.notes([one])
    (honest,) = speed_rounds.run_speed(bench, (planned("", ""),), 0.0, lambda _: None)
    assert lacking not in speed_notes.notes([honest])
    taken = speed_notes.notes([honest])[0]
    told = [float(number) for number in re.findall(r"([\d.]+) s\b", taken)]
    assert taken.startswith("turns fp64: a round of numpy and numpy#2 takes ") and told[
        0
    ] == pytest.approx(sum(told[1:]), abs=0.2)
    for record in honest.records:
        record.result["actions"]["train"]["prepared"]["numpy#2"]["steady"] = False
    honest.records = [dataclasses.replace(record) for record in honest.records]
    count = len(honest.records)
    assert speed_notes.notes([honest])[1:] == (
        (
            "turns fp64 train: steps of numpy#2 were still getting faster when they were measured,"
            f" in {count} of {count} rounds"
        ),
    )


def test_what_ended_a_run_is_shown_as_it_was_seen(
    bench: runner.Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that its budget ends spends all that is left of the error rate on its last look; one
    that a look ends shows that look's own, wider interval: else a finding that did not end it could
    appear after it."""
    monkeypatch.setattr(schedule, "MIN_ROUNDS", 5)
    (one,) = speed_rounds.run_speed(bench, (planned("", ""),), 0.0, lambda _: None)
    one.final = True
    narrow = speed_rows.rows([one], bench.run)[0]
    one.final = False
    wide = speed_rows.rows([one], bench.run)[0]
    assert (
        narrow.low is not None
        and narrow.high is not None
        and wide.low is not None
        and wide.high is not None
    )
    assert wide.low < narrow.low <= narrow.high < wide.high


@pytest.mark.parametrize(("execution", "expected"), [("compiled", 30.0), ("eager", 0.5)])
def test_what_compiling_takes_is_part_of_the_first_step(
    bench: runner.Bench, execution: str, expected: float
) -> None:
    """Both come from the same rounds, and so does the warm-up that holds them: of what is
    compiled, from the one with no cache."""
    (one,) = speed_rounds.run_speed(bench, (planned("", ""),), 0.0, lambda _: None)
    one.records = [*one.records, *copy.deepcopy(one.records)][:3]
    for number, record in enumerate(one.records):
        for label, side in record.result["actions"]["train"]["prepared"].items():
            side["first_step_s"] = 30.0 if number == 0 else 0.5
            side["effective"]["execution"] = execution
            record.result["opened"][label]["build_s"] = 0.25
    one.records = [dataclasses.replace(record) for record in one.records]
    row = speed_rows.rows([one], bench.run)[0]
    assert (expected + 0.25, expected + 0.25) == (
        row.a_warmup_s,
        row.b_warmup_s,
    ) and row.a_step_s is not None
    for line, step_s in zip(costs.lines([row]), (row.a_step_s, row.b_step_s), strict=True):
        assert line.first_s == expected and line.cost.trace_s == pytest.approx(expected - step_s)


def recorded(steps_s: Mapping[str, float], duration_s: float = 1.0) -> store.Record:
    """Return a round in which side b took so much of side a's time, by action."""
    generator = np.random.RandomState(len(steps_s))
    actions = {}
    for action, ratio in steps_s.items():
        noise = 1.0 + 0.001 * generator.uniform(size=(2, 6))
        actions[action] = {
            "palindromes": [{"numpy": list(noise[0]), "numpy#2": list(ratio * noise[1])}],
            "prepared": {"numpy": {}, "numpy#2": {}},
        }
    result = contents.round_of(actions, "numpy", "numpy#2")
    return store.Record(Path("nowhere"), {}, "ok", "", result, duration_s)


@pytest.mark.parametrize(
    ("noisy", "settled"), [("train", False), ("generate", False), ("early/slope", True)]
)
def test_only_whole_steps_ask_for_more_rounds(noisy: str, settled: bool) -> None:
    """A phase that is unclear does not lengthen the run; whole steps that are, do."""
    job = planned("", "")
    one = speed_rows.Timed(job, ["numpy", "numpy#2"])
    for number in range(schedule.MIN_ROUNDS):
        told = dict.fromkeys(job.actions, 2.0 + 0.01 * number)
        one.records.append(recorded({**told, noisy: 2.0 ** (-1) ** number}))
    assert settled == speed_rounds._settled(one)


@pytest.mark.parametrize(
    ("budget_s", "rounds_each"),
    [
        (0.0, [5, 5]),
        (100.0, [5, 5]),
        (109.0, [5, 5]),
        (110.0, [6, 5]),
        (119.0, [6, 5]),
        (120.0, [6, 6]),
        (139.0, [6, 6]),
        (140.0, [8, 6]),
        (300.0, [15, 15]),
    ],
)
def test_the_budget_is_for_all_rounds_together(
    monkeypatch: pytest.MonkeyPatch, budget_s: float, rounds_each: list[int]
) -> None:
    """The first five of each workload run whatever they take; no further ones are begun that would
    not fit as far as the next look. Rounds of ten seconds that an interrupted run left count like
    those that run now."""

    def from_disk(bench: object, one: speed_rows.Timed, *_: object) -> None:
        one.records.append(
            recorded(
                dict.fromkeys(one.job.actions, 2.0 ** (-1) ** len(one.records)), duration_s=10.0
            )
        )

    monkeypatch.setattr(speed_rounds, "_add_round", from_disk)
    measured = speed_rounds.run_speed(
        None, (planned("", ""), planned("", "")), budget_s, lambda _: None
    )  # type: ignore[arg-type]
    assert rounds_each == [len(one.records) for one in measured]


def test_frameworks_are_imported_side_by_side_and_nothing_else_is(
    bench: runner.Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every worker has its import to do before the first is waited for; from then on one is at
    work at a time."""
    asked: list[tuple[str, str]] = []
    send, receive = WorkerProcess.send, WorkerProcess.receive

    def sending(worker: WorkerProcess, verb: str, *arguments: Any, **named: Any) -> None:
        asked.append(("send", verb))
        send(worker, verb, *arguments, **named)

    def receiving(worker: WorkerProcess) -> dict[str, Any]:
        asked.append(("receive", ""))
        return receive(worker)

    monkeypatch.setattr(WorkerProcess, "send", sending)
    monkeypatch.setattr(WorkerProcess, "receive", receiving)
    job = planned("", "", "")
    rounds.run_round(
        bench,
        job,
        [side.label for side in job.sides],
        0,
        runner.inputs(bench, "turns", "tiny", 0, 1),
    )
    assert [("send", "describe")] * 3 + [("receive", "")] * 3 == asked[:6]
    assert {"send"} == {what for what, _ in asked[6::2]} and {"receive"} == {
        what for what, _ in asked[7::2]
    }
    assert ["open"] * 3 == [verb for what, verb in asked[6:12] if what == "send"]


class Counting:
    """A port that notes what it is asked to do."""

    config: Mapping[str, Any] = {"phases": list(PHASES)}

    def __init__(self) -> None:
        self.asked: list[str] = []

    def train(self, source: NativeSource, steps: int) -> None:
        self.asked += ["train"] * steps

    def generate(self, source: NativeSource, count: int) -> None:
        self.asked.append("generate")

    def train_step(self, phase: str, batch: Any) -> None:
        assert batch.noise is None and (4, 1) == batch.arrays["x"].shape
        self.asked.append(phase)


@pytest.mark.parametrize("action", [*WHOLE, *PHASES])
def test_an_action_is_what_its_name_says(action: str) -> None:
    """And nothing beside it is timed."""
    port = Counting()
    timer = timing.Timer(port, NativeSource({"x": np.zeros((8, 1))}, 0, 4), action, 4)
    timer.prepare(0.0, 0.0)
    port.asked.clear()
    assert 3 == len(timer.block(3)["step_s"])
    assert {action} == {*port.asked} and 3 == len(port.asked)
    with pytest.raises(
        ValueError, match="'late' is not one of train, generate, early/slope, late/intercept"
    ):
        timing.Timer(port, NativeSource({"x": np.zeros((8, 1))}, 0, 4), "late", 4)


class Ticking:
    """A clock that moves only when somebody works or looks at it, and a port that takes a tenth
    of a second a step."""

    config: Mapping[str, Any] = {"phases": []}

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        self.now += 1e-6
        return self.now

    def train(self, source: NativeSource, steps: int) -> None:
        self.now += 0.1 * steps

    def generate(self, source: NativeSource, count: int) -> None:
        self.now += 0.1


class Launching(Ticking):
    """A port that only launches: the device works on while its calls return at once, until
    somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.launched = 0

    def train(self, source: NativeSource, steps: int) -> None:
        self.launched += steps

    def generate(self, source: NativeSource, count: int) -> None:
        self.launched += 1

    def wait(self) -> None:
        self.now, self.launched = self.now + 0.1 * self.launched, 0


@pytest.mark.parametrize("action", WHOLE)
def test_the_device_is_waited_for(action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the port forgets to: else the time would be that of launching."""
    port = Launching()
    monkeypatch.setattr(timing, "time", port)
    source = NativeSource({"x": np.zeros((8, 1))}, 0, 4)
    timer = timing.Timer(port, source, action, 4, wait=port.wait)
    timer.steps_a_sample = 3
    done = timer.block(3)
    assert done["step_s"] == pytest.approx([0.1] * 3, rel=1e-4)
    if action == "generate":
        assert [9] == list(done["calls"].values()) and math.log(
            0.1, timing.LATENCY_BASE
        ) == pytest.approx(next(iter(done["calls"])), abs=1)
    forgotten = timing.Timer(port, source, action, 4).block(3)["step_s"]
    assert max(forgotten) < 1e-3


class Warming(Ticking):
    """Its steps get faster and faster, the first ones of them or all; the very first one
    compiles for ten seconds."""

    def __init__(self, cold: float) -> None:
        super().__init__()
        self.cold, self.steps = cold, 0

    def train(self, source: NativeSource, steps: int) -> None:
        for _ in range(steps):
            self.now += 0.02 / (1.0 + min(self.steps, self.cold) / 10.0) if self.steps else 10.0
            self.steps += 1


@pytest.mark.parametrize(("cold", "steady"), [(0, True), (40, True), (math.inf, False)])
def test_warming_up_ends_when_steps_get_no_faster(
    cold: float, steady: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never before the wanted time, to which the first step does not count; nor much later than
    five times that."""
    port = Warming(cold)
    monkeypatch.setattr(timing, "time", port)
    done = timing.Timer(port, NativeSource({"x": np.zeros((8, 1))}, 0, 4), "train", 4).prepare(
        0.2, 0.0
    )
    assert done["first_step_s"] == pytest.approx(10.0, rel=1e-3)
    assert 10.2 <= done["warmup_s"] <= 11.1 if cold else 10.2 <= done["warmup_s"] <= 10.3
    assert done["steady"] == steady


@pytest.mark.parametrize("action", WHOLE)
def test_a_slow_down_that_is_asked_for_is_in_every_sample(
    action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the share that was asked for, of one step a sample as of several."""
    port = Ticking()
    monkeypatch.setattr(timing, "time", port)
    for steps, slowdown in ((1, 0.0), (1, 0.05), (7, 0.02)):
        timer = timing.Timer(port, NativeSource({"x": np.zeros((8, 1))}, 0, 4), action, 4, slowdown)
        timer.steps_a_sample = steps
        assert timer.block(3)["step_s"] == pytest.approx([0.1 * (1.0 + slowdown)] * 3, rel=1e-4)


@pytest.mark.parametrize("slowdown", [-0.01, float("nan"), float("inf")])
def test_a_slow_down_is_a_share(slowdown: float) -> None:
    """Nobody can be made faster than the port is."""
    with pytest.raises(ValueError, match="is a share of a step's time"):
        timing.Timer(Counting(), NativeSource({"x": np.zeros((8, 1))}, 0, 4), "train", 4, slowdown)
