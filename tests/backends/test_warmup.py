"""When steps are warm, however they get there."""

from __future__ import annotations

import math

import pytest

from backends.measuring import timer as timing
from backends.measuring import warmup
from backends.source import NativeSource


def test_long_steps_warm_up_fewer_times():
    """Ten of short ones; one of what takes seconds."""
    assert [10, 10, 4, 1, 1] == [
        warmup.least_steps(step_s) for step_s in (0.0, 0.2, 0.5, 5.0, 60.0)
    ]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([1.0] * 400, 0),
        ([6.0] * 300 + [1.0] * 300, 300),
        ([1.0] * 300 + [6.0] * 300, 300),  # slower is no less of a change
        ([6.0] * 100 + [3.0] * 100 + [1.0] * 200, 200),
        ([6.0] * 500 + [1.0] * 50, None),  # it has just changed, and nobody knows to what
        ([1.1] * 300 + [1.0] * 300, 0),  # the machine's own changes
        ([6.0] * 10 + [1.0] * 10, 0),  # too few steps for parts
    ],
)
def test_a_plateau_that_ends_is_found(steps, expected):
    """To two twelfths of the steps; slow single steps, which other programs make, are none."""
    noisy = [
        step * (20.0 if place % 5 == 0 else 1.0 + 0.02 * math.sin(place))
        for place, step in enumerate(steps)
    ]
    found = warmup.settled_after(noisy)
    assert (
        found is None
        if expected is None
        else expected <= found <= expected + 2 * len(steps) / warmup.PARTS
    )


class Plateau:
    """A clock that moves when somebody works, and a port whose first steps are slow."""

    def __init__(self, slow, slow_s=0.006, fast_s=0.001):
        self.config = {"phases": []}
        self.now, self.steps, self.slow, self.slow_s, self.fast_s = 0.0, 0, slow, slow_s, fast_s

    def perf_counter(self):
        self.now += 1e-7
        return self.now

    def train(self, source, steps):
        for _ in range(steps):
            self.now += self.slow_s if self.steps < self.slow else self.fast_s
            self.steps += 1


def prepared(monkeypatch, port, **how):
    """Warm a port up, by its own clock."""
    monkeypatch.setattr(timing, "time", port)
    timer = timing.Timer(port, NativeSource({"x": [0.0] * 8}, 0, 4), "train", 4)
    return timer.prepare(**dict({"warmup_s": 0.2, "sample_s": 0.0005}, **how))


@pytest.mark.parametrize(("slow", "settled"), [(0, 0), (300, 300), (480, 480)])
def test_the_first_round_looks_for_a_late_change(monkeypatch, slow, settled):
    """And the steps that are measured come after it."""
    done = prepared(monkeypatch, Plateau(slow), probe_s=3.0)
    assert done["sample_s"] / done["steps_a_sample"] == pytest.approx(0.001, rel=0.01)
    assert (
        settled - 1 <= done["settled_steps"] <= 1.1 * settled + 180
        if settled
        else done["settled_steps"] == 0
    )
    assert done["warmup_steps"] > slow


def test_without_looking_it_is_not_found(monkeypatch):
    """Steps are as steady as can be before it ends: this is why the first round looks."""
    done = prepared(monkeypatch, Plateau(300))
    assert done["steady"] and done["sample_s"] / done["steps_a_sample"] == pytest.approx(
        0.006, rel=0.01
    )
    longer = prepared(monkeypatch, Plateau(300), least_steps=375)
    assert (
        longer["sample_s"] / longer["steps_a_sample"] == pytest.approx(0.001, rel=0.01)
        and longer["warmup_steps"] >= 375
    )


def test_what_the_user_asks_for_is_what_is_run(monkeypatch):
    """In steps, and in seconds: no more, though steps still get faster."""
    assert (
        501
        == prepared(monkeypatch, Plateau(0), warmup_s=0.0, least_steps=500, exactly=True)[
            "warmup_steps"
        ]
    )
    assert (
        2.0
        < prepared(monkeypatch, Plateau(150), warmup_s=2.0, least_steps=1, exactly=True)["warmup_s"]
        < 2.1
    )


def test_of_long_steps_as_few_run_as_can_be(monkeypatch):
    """The first, and one that tells how long they are; a sample is a step."""
    port = Plateau(0, fast_s=60.0)
    done = prepared(monkeypatch, port, probe_s=3.0)
    assert (2, 2, 1) == (port.steps, done["warmup_steps"], done["steps_a_sample"]) and done[
        "sample_s"
    ] == pytest.approx(60.0)
