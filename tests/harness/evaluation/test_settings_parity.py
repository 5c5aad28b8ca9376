"""A speed job's settings, over all its rounds: refused, labelled, insisted on."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.contract import ACTIONS
from harness.evaluation import settings_parity, speed_rows
from harness.experiments import speed_rounds
from harness.plan import Side, SpeedJob, command
from harness.records import store
from harness.results.verdicts import Speed
from harness.speed.verdict import SpeedVerdict
from tests.harness import contents
from tests.harness.speed.test_settings import EFFECTIVE

JOB = {
    "workload": "linear",
    "preset": "tiny",
    "precision": "fp32",
    "device": "cpu",
    "execution": "default",
    "threads": 2,
    "seed": 0,
    "sides": (Side("a", "torch", "torch"), Side("b", "torch", "torch")),
    "actions": ACTIONS,
}
STEPS = {"a": [1.0, 1.0], "b": [1.0, 1.0]}


def record(b):
    """Return a round in which side b told `b`."""
    prepared = {
        "a": {"effective": EFFECTIVE, "first_step_s": 1.0},
        "b": {"effective": b, "first_step_s": 1.0},
    }
    actions = {
        name: {"prepared": prepared, "palindromes": [STEPS, STEPS], "peak_bytes": {"a": 1, "b": 1}}
        for name in ACTIONS
    }
    return store.Record(Path("x"), {}, "ok", "", contents.round_of(actions, "a", "b"), 1.0)


ODD = {**EFFECTIVE, "denormals": "flushed", "execution": "eager"}


def test_what_differs_in_one_round_of_many_counts():
    """A port may change a switch in the middle."""
    records = [record(EFFECTIVE), record(ODD), record(EFFECTIVE)]
    assert ["denormals", "execution"] == [
        one.name for one in settings_parity.differences(records, "train", "a", "b")
    ]
    assert "denormals: a kept, b flushed" in settings_parity.refusal(
        SpeedJob(**JOB), records, "train", "a", "b"
    )
    assert settings_parity.refusal(SpeedJob(**JOB), records[:1], "train", "a", "b") == ""


def test_a_refused_pair_has_no_verdict_unless_the_user_insists():
    """And then it keeps its label."""
    same = SpeedVerdict(Speed.SAME, False, "inside")
    sides = ("train", "a", "b")
    assert (
        settings_parity.judge(SpeedJob(**JOB), [record(ODD)], sides, same).verdict == Speed.REFUSED
    )
    assert (
        settings_parity.judge(SpeedJob(**JOB, allow_settings=True), [record(ODD)], sides, same)
        == same
    )
    assert settings_parity.judge(SpeedJob(**JOB), [record(EFFECTIVE)], sides, same) == same


@pytest.mark.parametrize(("effective", "settled"), [(ODD, True), (EFFECTIVE, False)])
def test_rounds_end_where_every_pair_is_refused(effective, settled):
    """More of them would not make the settings equal."""
    one = speed_rows.Timed(SpeedJob(**JOB), ["a", "b"], [record(effective)])
    assert settled == speed_rounds._settled(one)
    assert "--allow-settings" in command.of_speed(SpeedJob(**JOB, allow_settings=True))
    assert "--allow-settings" not in command.of_speed(SpeedJob(**JOB))
