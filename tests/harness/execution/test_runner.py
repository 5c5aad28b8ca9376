"""Jobs and rounds on real workers: finished ones are not run again, and a side that fails leaves
the others to go on."""

from __future__ import annotations

import dataclasses
import errno
import json
import math
import os
import sys
from pathlib import Path

import pytest

from harness import plan
from harness.commands import options, resolution
from harness.environments import staging
from harness.errors import JobFailed, NewerSchema
from harness.evaluation import speed_rows
from harness.execution import rounds, runner, turns
from harness.execution.processes import Limits
from harness.execution.worker_environment import clean_environment
from harness.experiments import speed_rounds
from harness.records import files, store
from harness.speed import disturbance, schedule, steadiness
from harness.workloads import registry
from tests.harness import contents

HOSTILE = Path(__file__).parents[2] / "e2e/hostile"


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment with a cache of its own."""
    gate = tmp_path_factory.mktemp("gate") / "closed"
    return clean_environment(
        {
            **os.environ,
            "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache")),
            "HOSTILE_GATE": str(gate),
        },
        ["HOSTILE_GATE"],
    )


@pytest.fixture
def run_context(tmp_path: Path, environ: dict[str, str]) -> runner.RunContext:
    """What the harness gives its runner."""
    python = {"numpy": Path(sys.executable)}
    return runner.RunContext(
        tmp_path / "run",
        staging.prepare(environ),
        python,
        environ,
        registry.known((HOSTILE,)),
        Limits(request_s=20.0),
    )


def planned(*faults: str, fidelity: bool = True) -> plan.Plan:
    """Plan ports of the workload `hostile`; "" is the honest one."""
    chosen = options.Options(
        backends=tuple(f"numpy@{HOSTILE / fault}" if fault else "numpy" for fault in faults),
        workloads=("hostile",),
        precision=("fp64",),
        ports=(HOSTILE,),
        no_speed=fidelity,
        no_fidelity=not fidelity,
        threads=1,
    )
    return plan.make(resolution.resolve(chosen))


def test_finished_jobs_rest(run_context: runner.RunContext) -> None:
    """A second run of the same jobs runs what did not end well, and nothing else."""
    jobs = planned("", "leaves", "").jobs
    told: list[tuple[str, str]] = []

    def progress(job: plan.Job, record: store.Record | None) -> None:
        told.append((job.side, record.status if record else "starts"))

    first = runner.run_jobs(run_context, jobs, progress, runner.run_job)
    assert [(side, "starts") for side in ("numpy", "numpy@leaves", "numpy#2")] == told[::2]
    assert ["ok", "crashed", "ok"] == [status for _, status in told[1::2]]
    told.clear()
    again = runner.run_jobs(run_context, jobs, progress, runner.run_job)
    assert told == [("numpy@leaves", "starts"), ("numpy@leaves", "crashed")]
    assert first[jobs[0].name].result == again[jobs[0].name].result


def test_what_is_finished(run_context: runner.RunContext) -> None:
    """Jobs that ended ok or unsupported are finished; a folder without a manifest, or with a
    damaged one, is not; nor is one of another job, or one that nothing seals."""
    folder = run_context.run / "jobs/one"
    (job,) = (item.describe() for item in planned("").jobs)
    assert runner.existing(folder, job) is None
    for status, finished in (
        ("ok", True),
        ("unsupported", True),
        ("error", False),
        ("timeout", False),
        ("interrupted", False),
    ):
        store.write_record(folder, job, status, "because", contents.recorded(), 1.0)
        assert (runner.existing(folder, job) is not None) == finished
    store.write_record(folder, job, "ok", "", contents.recorded(), 1.0)
    assert runner.existing(folder, {**job, "limit": 1.0}) is not None
    assert runner.existing(folder, {**job, "side": "numpy@ports"}) is None
    document = json.loads((folder / store.MANIFEST).read_text())
    store.write_json(folder / store.MANIFEST, {**document, "schema": 1})
    assert runner.existing(folder, job) is None
    files.write_text(folder / store.MANIFEST, '{"schema": 1, "stat')
    assert runner.existing(folder, job) is None


def test_newer_record_is_kept(run_context: runner.RunContext) -> None:
    """A record of a newer harness is neither used nor overwritten."""
    (job,) = planned("").jobs
    manifest = run_context.run / "jobs" / job.name / store.MANIFEST
    files.write_text(manifest, json.dumps({"schema": 99}))
    with pytest.raises(NewerSchema, match="schema 99"):
        runner.run_jobs(run_context, (job,), lambda *_: None, runner.run_job)
    assert json.loads(manifest.read_text()) == {"schema": 99}


def test_inputs(run_context: runner.RunContext) -> None:
    """Data and tape are written once, under their hashes; another seed has another tape and the
    same data."""
    first = runner.inputs(run_context, "hostile", "tiny", 0, 5)
    written = first.tape.stat().st_mtime_ns
    again, other = (
        runner.inputs(run_context, "hostile", "tiny", 0, 5),
        runner.inputs(run_context, "hostile", "tiny", 1, 5),
    )
    assert first == again and first.tape.stat().st_mtime_ns == written
    assert (
        first.data == other.data
        and first.tape != other.tape
        and first.tape_hash[:12] in first.tape.name
    )


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (JobFailed("timeout", "too long"), "timeout"),
        (OSError(errno.ENOSPC, "full"), "disk full"),
        (OSError(errno.EACCES, "no"), "error"),
    ],
)
def test_ended(tmp_path: Path, raised: Exception, status: str) -> None:
    """What is raised inside a job becomes its status, and its arrays go: they may be what has
    filled the disk."""
    (tmp_path / "forward.npz").write_bytes(b"half")
    with runner.ended(tmp_path, {}, 0.0) as outcome:
        raise raised
    assert outcome.record().status == status == store.read_record(tmp_path).status
    assert not (tmp_path / "forward.npz").exists()


@pytest.mark.parametrize("linked", ["manifest.json", "."])
def test_nothing_is_written_or_deleted_through_a_link(tmp_path: Path, linked: str) -> None:
    """A port may have put one in the place of its manifest, or of its folder: the job is corrupt,
    and what the link leads to is as it was."""
    theirs, folder = tmp_path / "theirs", tmp_path / "job"
    theirs.mkdir()
    for name in ("manifest.json", "forward.npz"):
        (theirs / name).write_text("theirs")
    with runner.ended(folder, {}, 0.0) as outcome:
        if linked == ".":
            folder.symlink_to(theirs)
        else:
            folder.mkdir()
            (folder / linked).symlink_to(theirs / linked)
        raise JobFailed("error", "broken")
    done = outcome.record()
    assert "corrupt" == done.status and "is a symbolic link to" in done.reason
    assert {"theirs"} == {path.read_text() for path in theirs.iterdir()}
    assert 2 == len(list(theirs.iterdir()))


def test_ended_by_interrupt(tmp_path: Path) -> None:
    """An interrupt is recorded and goes on up."""
    with pytest.raises(KeyboardInterrupt), runner.ended(tmp_path, {}, 0.0):
        raise KeyboardInterrupt
    assert store.read_record(tmp_path).status == "interrupted"


@pytest.fixture
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds too short to be precise, long enough to be rounds."""
    monkeypatch.setattr(rounds, "WARMUP_S", 0.01)
    monkeypatch.setattr(rounds, "MEASURE_S", 0.02)
    monkeypatch.setattr(rounds, "PROBE_S", 0.03)
    monkeypatch.setattr(schedule, "MIN_ROUNDS", 2)
    # What other programs do to so short rounds while the tests run is no part of them.
    monkeypatch.setattr(disturbance, "WAITED", 2.0)
    monkeypatch.setattr(disturbance, "LOST", math.inf)
    monkeypatch.setattr(steadiness, "CHANGE", math.inf)


@pytest.mark.usefixtures("short_rounds")
def test_failing_side_leaves(run_context: runner.RunContext, children) -> None:
    """A side that cannot take part is named and left out; the others are timed, and on resuming
    none of their rounds runs again."""
    jobs = planned("", "bad_import", "", fidelity=False).speed
    said: list[str] = []
    (one,) = speed_rounds.run_speed(run_context, jobs, 0.0, said.append)
    assert one.labels == ["numpy", "numpy#2"] and len(one.records) == 2
    (failure,) = one.failed
    assert (failure.status, failure.job["side"]) == (
        "error",
        "numpy@bad_import",
    ) and "a_framework" in failure.reason
    assert {row.a + row.b for row in speed_rows.rows([one], run_context.run)} == {"numpynumpy#2"}
    assert children() == []
    assert [
        "round 1 of numpy numpy@bad_import numpy#2",
        "error",
        "round 1 of numpy numpy#2",
        "round 2 of numpy numpy#2",
    ] == ["error" if "error" in line else line.partition(": ")[2] for line in said]
    said.clear()
    (again,) = speed_rounds.run_speed(run_context, jobs, 0.0, said.append)
    assert (
        len(said) == 2
        and "round 1 of numpy numpy@bad_import numpy#2" in said[0]
        and "error" in said[1]
    )
    assert [(item.folder, item.duration_s) for item in again.records] == [
        (item.folder, item.duration_s) for item in one.records
    ]


@pytest.mark.usefixtures("short_rounds")
def test_interrupted_round(
    run_context: runner.RunContext, children, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in a round ends all its workers; the round is run anew, the ones before it are not."""
    jobs = planned("", "", fidelity=False).speed
    measure = rounds._measure

    def interrupt(bench_job, workers, number, *arguments):
        if number == 1:
            assert len(children()) == (
                6 if sys.platform == "linux" else 2
            )  # keepers and guards too
            raise KeyboardInterrupt
        return measure(bench_job, workers, number, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(rounds, "_measure", interrupt)
        with pytest.raises(KeyboardInterrupt):
            speed_rounds.run_speed(run_context, jobs, 0.0, lambda _: None)
    assert children() == []
    said: list[str] = []
    (one,) = speed_rounds.run_speed(run_context, jobs, 0.0, said.append)
    assert len(said) == 1 and "round 2" in said[0] and len(one.records) == 2


@pytest.mark.usefixtures("short_rounds")
def test_side_that_hangs_in_a_round(run_context: runner.RunContext, children) -> None:
    """A side that never answers is ended with the round's other workers."""
    (job,) = planned("", "hangs_timed", fidelity=False).speed
    limited = dataclasses.replace(run_context, limits=Limits(request_s=3.0))
    files = runner.inputs(run_context, "hostile", "small", 0, 1)
    with pytest.raises(turns.SideFailed, match="numpy@hangs_timed: timeout"):
        rounds.run_round(limited, job, ["numpy", "numpy@hangs_timed"], 0, files)
    assert children() == []
    assert store.read_record(next((run_context.run / "jobs").iterdir())).status == "timeout"
