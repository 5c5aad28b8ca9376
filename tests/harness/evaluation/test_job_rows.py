"""The rows about the work itself say which seed it was, so that a job that failed can be told
from its siblings."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness import plan
from harness.commands import options, resolution
from harness.errors import JobFailed
from harness.evaluation import job_rows
from harness.evaluation.speed_rows import Timed
from harness.execution.turns import SideFailed
from harness.experiments.speed_rounds import _add_round
from harness.records import store
from tests.harness import contents

RUN = Path("/run")


@pytest.fixture(scope="module")
def planned() -> plan.Plan:
    """Two seeds of one pair, trained models and timing with them."""
    chosen = options.Options(
        backends=("tf2", "torch"),
        workloads=("ehr_mgan",),
        precision=("fp32",),
        stages=("W", "D"),
        seed=3,
        seeds=2,
    )
    return plan.make(resolution.resolve(chosen))


def record(job: plan.Job | plan.SampleJob | plan.SpeedJob) -> store.Record:
    return store.Record(RUN / "jobs" / job.name, job.describe(), "crashed", "because", {}, 1.5)


def test_jobs_of_two_seeds_are_told_apart(planned: plan.Plan) -> None:
    """Of a recorded reference too."""
    jobs = [job for job in planned.jobs if job.side == "torch" and job.precision == "fp32"]
    assert [3, 4] == [job_rows.job_row(RUN, job, record(job)).seed for job in jobs]
    first, *_ = jobs
    row = job_rows.recorded_row(first, "unsupported", "no such reference")
    assert ("recorded", "unsupported", 3) == (row.kind, row.status, row.seed)
    ended = {
        "kind": "fidelity",
        "status": "crashed",
        "reason": "because",
        "duration_s": 1.5,
        "log": f"jobs/{first.name}/worker.log",
    }
    assert dataclasses.replace(row, **ended) == job_rows.job_row(RUN, first, record(first))


def test_a_trained_model_has_a_seed_of_its_own(planned: plan.Plan) -> None:
    """Not the one that the run was asked with, which all of them share."""
    rows = [job_rows.job_row(RUN, job, record(job)) for job in planned.samples]
    assert [job.own_seed for job in planned.samples] == [row.seed for row in rows] and 4 == len(
        {row.seed for row in rows}
    )
    assert {"distribution"} == {row.kind for row in rows}


def test_a_round_has_the_seed_of_its_run(planned: plan.Plan) -> None:
    """One that ended, one that a side had to leave, and one that could not begin."""
    (job,) = planned.speed
    ended = record(job)
    ended.job["labels"] = ["tf2", "torch"]
    row = job_rows.round_row(RUN, ended)
    assert (3, "tf2 torch", ("tf2", "torch")) == (row.seed, row.build, row.builds)


@pytest.mark.parametrize(
    "failure", [SideFailed("torch", "crashed", "because"), JobFailed("error", "because")]
)
def test_a_round_that_failed_has_it_too(
    planned: plan.Plan, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """Whatever ended it."""

    def fail(*_: object) -> None:
        raise failure

    one = Timed(planned.speed[0], ["tf2", "torch"])
    monkeypatch.setattr("harness.experiments.speed_rounds.runner.inputs", fail)
    monkeypatch.setattr(
        "harness.experiments.speed_rounds.rounds.round_folder", lambda *_: RUN / "jobs/round"
    )
    _add_round(None, one, lambda _: None, 60.0, 60.0)  # type: ignore[arg-type]
    (failed,) = one.failed
    row = job_rows.round_row(RUN, failed)
    assert (3, "ehr_mgan", "because") == (row.seed, row.workload, row.reason)
    assert " ".join(row.builds) == row.build


def test_a_round_tells_what_a_build_is(planned: plan.Plan) -> None:
    """Where only speed was asked for: versions, port and settings while it was timed; what a
    lockstep job told stays."""
    (job,) = planned.speed
    opened = contents.opened(
        identity={"python": "3.11.7", "platform": "Linux", "versions": {"torch": "2.13.0"}},
        port="/staging/backends/torch/x.py",
        source_hash="0123456789abcdef",
    )
    side = {"effective": {"threads": 2}}
    result = contents.round_of(
        {"train": {"prepared": {"tf2": side, "torch": side}}},
        opened={"tf2": opened, "torch": opened},
    )
    measured = store.Record(RUN, {}, "ok", "", result, 1.0).round
    identity = measured.opened["tf2"].identity
    builds = {"tf2": job_rows.build_row("tf2", identity, {"threads": 1}, "lockstep")}
    origins = {"tf2": "here", "torch": "there"}
    job_rows.note_round(builds, job, measured, origins, Path("/staging"))
    row = builds["torch"]
    assert ({"torch": "2.13.0"}, "there", {"threads": 2}) == (
        row.versions,
        row.origin,
        row.effective,
    )
    assert (
        {"ehr_mgan": "backends/torch/x.py, sha256 0123456789ab"} == row.port == builds["tf2"].port
    )
    assert ({"threads": 1}, {"ehr_mgan train fp32": {"threads": 2}}) == (
        builds["tf2"].effective,
        builds["tf2"].timed,
    )
