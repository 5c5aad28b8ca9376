"""What is timed beside whole steps: single phases, in the same rounds, which decide about no
further ones."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.evaluation import speed_notes, speed_rows
from harness.execution import rounds, runner
from harness.execution.processes import WorkerProcess
from harness.execution.verbs import Said, Verb
from harness.experiments import speed_rounds
from harness.records import store
from harness.speed import schedule
from tests.harness import contents, short_rounds
from tests.harness.short_rounds import planned

PHASES = ("early/slope", "late/intercept")
WHOLE = ("train", "generate")


@pytest.fixture
def run_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> runner.RunContext:
    return short_rounds.run_context(tmp_path, monkeypatch)


def test_every_phase_is_timed_on_every_side_that_can(run_context: runner.RunContext) -> None:
    """In the same rounds as whole steps; a port without `train_step` stays in the rest, and the
    report says so."""
    (one,) = speed_rounds.run_speed(run_context, (planned("", "", "lacking"),), 0.0, lambda _: None)
    assert (
        ["numpy", "numpy#2", "numpy@lacking"] == one.labels
        and 2 == len(one.records)
        and [] == one.failed
    )
    found = speed_rows.rows([one], run_context.run)
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
    (honest,) = speed_rounds.run_speed(run_context, (planned("", ""),), 0.0, lambda _: None)
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

    def from_disk(run_context: object, one: speed_rows.Timed, *_: object) -> None:
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
    run_context: runner.RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every worker has its import to do before the first is waited for; from then on one is at
    work at a time."""
    asked: list[tuple[str, str]] = []
    send, receive = WorkerProcess.send, WorkerProcess.receive

    def sending(worker: WorkerProcess, verb: Verb[Any], *arguments: Any, **named: Any) -> None:
        asked.append(("send", verb.name))
        send(worker, verb, *arguments, **named)

    def receiving(worker: WorkerProcess) -> Said[Any]:
        asked.append(("receive", ""))
        return receive(worker)

    monkeypatch.setattr(WorkerProcess, "send", sending)
    monkeypatch.setattr(WorkerProcess, "receive", receiving)
    job = planned("", "", "")
    rounds.run_round(
        run_context,
        job,
        [side.label for side in job.sides],
        0,
        runner.inputs(run_context, "turns", "tiny", 0, 1),
    )
    assert [("send", "describe")] * 3 + [("receive", "")] * 3 == asked[:6]
    assert {"send"} == {what for what, _ in asked[6::2]} and {"receive"} == {
        what for what, _ in asked[7::2]
    }
    assert ["open"] * 3 == [verb for what, verb in asked[6:12] if what == "send"]
