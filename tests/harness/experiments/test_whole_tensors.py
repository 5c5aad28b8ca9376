"""What is recorded again with whole tensors, and what is said where that cannot be done."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.contract import Stage
from harness.experiments import whole_tensors
from harness.records import store
from tests.harness.evaluation.test_stage_rows import TF1, TF2, TORCH, Evidence, judge, make, witness


class Sketched(Evidence):
    """A side that says of all its tensors that they are sketches."""

    def entries(self, stage: str) -> list[Any]:
        """As they are, and marked."""
        return [
            dataclasses.replace(entry, sketched=True) for entry in Evidence.entries(self, stage)
        ]


OFF = {
    ("forward", "generate"): np.full(32, 2.0),
    ("update", "step 1/train/parameter/w"): np.full(3, 2.0),
}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every job that is asked for ends in an error; they are noted."""
    asked: list[Any] = []

    def run_jobs(_context: Any, jobs: Any, *_: Any) -> dict[str, store.Record]:
        asked.extend(jobs)
        return {job.name: store.Record(Path(), {}, "error", "no memory", {}, 1.0) for job in jobs}

    monkeypatch.setattr(whole_tensors.runner, "run_jobs", run_jobs)
    return asked


def looked(
    kind: type[Evidence], changed: Any, **other: Any
) -> tuple[Any, whole_tensors.Judged, list[str]]:
    """Judge a pair whose second side is changed; return the plan, what is known, what was told."""
    planned, told = make(), []
    torch = dataclasses.replace(witness(kind(changed)), **other)
    sides = {"tf2": witness(kind()), "torch": torch}
    evidences = {job.name: sides[job.side] for job in planned.jobs}
    return planned, whole_tensors.judged(None, planned, evidences, told.append), told


@pytest.mark.parametrize(("kind", "changed"), [(Evidence, OFF), (Sketched, {})])
def test_nothing_runs_again_for_what_is_whole_or_agrees(ran: list[Any], kind: Any, changed: Any):
    planned, known, told = looked(kind, changed)
    assert (planned, [], []) == (known.plan, ran, told)


def test_what_runs_again_is_whole_and_what_cannot_stays_as_it_was(ran: list[Any]):
    """A forward pass that fails, and what updates are made of."""
    planned, known, told = looked(Sketched, OFF)
    assert 2 == len(ran) == len(known.again)
    for job in ran:
        assert (0, ("weights", "forward", "gradients", "update")) == (job.sketch_from, job.stages)
    assert planned.pairs == known.plan.pairs
    sides = {"tf2": witness(Sketched()), "torch": witness(Sketched(OFF))}
    assert judge(planned, **sides) == known.rows
    assert told[0].endswith("weights, forward, gradients, update again, with whole tensors")


def test_nothing_runs_again_beside_a_side_that_left_nothing(ran: list[Any]):
    """Its job has ended in another status, and would again."""
    planned, known, told = looked(Sketched, {}, evidence=None, status="timeout", reason="late")
    assert (planned, [], []) == (known.plan, ran, told)


def test_a_trajectory_runs_again_where_it_departs_first(ran: list[Any]):
    """And not where something before it does."""
    late = {("trajectory", "step 1/train/parameter/w"): np.full(3, 2.0)}
    looked(Sketched, late)
    assert {("trajectory",)} == {job.stages for job in ran}
    ran.clear()
    looked(Sketched, {**late, **OFF})
    assert {("weights", "forward", "gradients", "update")} == {job.stages for job in ran}


def test_jobs_that_may_be_laid_beside_each_other_hold_the_same_stages():
    """Of three sides, two pairs need other stages."""
    first, _, third = make(TF2, TORCH, TF1).pairs
    whole = {first: frozenset({Stage.UPDATE}), third: frozenset({Stage.TRAJECTORY})}
    jobs = whole_tensors._jobs(whole)
    assert {job.name for pair in (first, third) for job in (pair.a, pair.b)} == {*jobs}
    assert {("update", "trajectory")} == {job.stages for job in jobs.values()}
