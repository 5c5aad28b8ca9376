"""What a timer times: the action of its name and nothing else, until the device has done it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backends.measuring import timer as timing
from backends.source import NativeSource

PHASES = ("early/slope", "late/intercept")
WHOLE = ("train", "generate")


class Counting:
    """A port that notes what it is asked to do."""

    def __init__(self):
        self.config, self.asked = {"phases": list(PHASES)}, []

    def train(self, source, steps):
        self.asked += ["train"] * steps

    def generate(self, source, count):
        self.asked.append("generate")

    def train_step(self, phase, batch):
        assert batch.noise is None and (4, 1) == batch.arrays["x"].shape
        self.asked.append(phase)


@pytest.mark.parametrize("action", [*WHOLE, *PHASES])
def test_an_action_is_what_its_name_says(action):
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

    def __init__(self):
        self.config, self.now = {"phases": []}, 0.0

    def perf_counter(self):
        self.now += 1e-6
        return self.now

    def train(self, source, steps):
        self.now += 0.1 * steps

    def generate(self, source, count):
        self.now += 0.1


class Launching(Ticking):
    """A port that only launches: the device works on while its calls return at once, until
    somebody waits."""

    def __init__(self):
        super(Launching, self).__init__()
        self.launched = 0

    def train(self, source, steps):
        self.launched += steps

    def generate(self, source, count):
        self.launched += 1

    def wait(self):
        self.now, self.launched = self.now + 0.1 * self.launched, 0


@pytest.mark.parametrize("action", WHOLE)
def test_the_device_is_waited_for(action, monkeypatch):
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

    def __init__(self, cold):
        super(Warming, self).__init__()
        self.cold, self.steps = cold, 0

    def train(self, source, steps):
        for _ in range(steps):
            self.now += 0.02 / (1.0 + min(self.steps, self.cold) / 10.0) if self.steps else 10.0
            self.steps += 1


@pytest.mark.parametrize(("cold", "steady"), [(0, True), (40, True), (math.inf, False)])
def test_warming_up_ends_when_steps_get_no_faster(cold, steady, monkeypatch):
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
def test_a_slow_down_that_is_asked_for_is_in_every_sample(action, monkeypatch):
    """By the share that was asked for, of one step a sample as of several."""
    port = Ticking()
    monkeypatch.setattr(timing, "time", port)
    for steps, slowdown in ((1, 0.0), (1, 0.05), (7, 0.02)):
        timer = timing.Timer(port, NativeSource({"x": np.zeros((8, 1))}, 0, 4), action, 4, slowdown)
        timer.steps_a_sample = steps
        assert timer.block(3)["step_s"] == pytest.approx([0.1 * (1.0 + slowdown)] * 3, rel=1e-4)


@pytest.mark.parametrize("slowdown", [-0.01, float("nan"), float("inf")])
def test_a_slow_down_is_a_share(slowdown):
    """Nobody can be made faster than the port is."""
    with pytest.raises(ValueError, match="is a share of a step's time"):
        timing.Timer(Counting(), NativeSource({"x": np.zeros((8, 1))}, 0, 4), "train", 4, slowdown)
