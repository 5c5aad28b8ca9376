"""Workers that misbehave: each ends in its own typed status, within its limit, and takes nobody
with it.

The ports lie in `hostile/`, outside the tree as a user's would, and run in real workers.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from backends.contract import STATUSES
from harness import plan
from harness.commands import options, resolution
from harness.environments import staging
from harness.execution import host, keeper, runner
from harness.execution.logs import LOG_LIMIT_BYTES
from harness.execution.processes import Limits
from harness.execution.worker_environment import clean_environment
from harness.records import store
from harness.workloads import registry

HOSTILE = Path(__file__).parent / "hostile"
LIMIT_S = 4
GRACE_S = 5  # what a job may take beyond its limit
#: What is wrong with a port, the status in which its job ends, and what the reason has to say.
ENDINGS = {
    "segfault": ("crashed", "SIGSEGV"),
    "leaves": ("crashed", "ended itself with code 3 while it was in `forward`"),
    "hangs": ("timeout", "within 4 s"),
    "bad_import": ("error", "a_framework_that_is_not_installed"),
    "greedy": ("out of memory", "MemoryError"),
    "disk_full": ("disk full", "No space left on device"),
    "truncated": ("corrupt", "forward.npz"),
    "altered": ("corrupt", "forward.npz"),
    "broken_file": ("corrupt", "forward.npz"),
    "stateful": ("error", "changed W"),
    "chatter": ("ok", ""),
}
#: A namespace of its own for mounts: the small disk goes with the process, whatever ends it.
UNSHARE = (
    ["unshare", "--mount"]
    if os.geteuid() == 0
    else ["unshare", "--user", "--map-root-user", "--mount"]
)


@pytest.fixture(scope="module")
def everything(new_harness) -> dict[str, Any]:
    """One comparison of all the bad ports, an honest one first and last: exit code, report, and
    each job by its fault."""
    harness = new_harness()
    faults = ["", *ENDINGS, ""]
    done = harness.run(*harness.compare(*faults, options=("--no-speed", "--limit", LIMIT_S)))
    report = harness.report()
    jobs = dict(zip(["first", *ENDINGS, "last"], report["jobs"], strict=True))
    (run,) = harness.folder.glob("reports/*")
    return {
        "done": done,
        "report": report,
        "jobs": jobs,
        "run": run,
        "left": harness.processes(),
    }


@pytest.mark.parametrize("fault", ENDINGS)
def test_ending(everything: dict[str, Any], fault: str) -> None:
    """A job ends in the status that fits, with a reason, within its limit and five seconds."""
    status, reason = ENDINGS[fault]
    job = everything["jobs"][fault]
    assert status == job["status"] and status in STATUSES
    assert reason in job["reason"]
    assert job["duration_s"] < LIMIT_S + GRACE_S
    assert f": {status}," in everything["done"].err


def test_others_finish(everything: dict[str, Any]) -> None:
    """The honest jobs before and after end well and agree, the run exits with 4, and no process
    is left."""
    assert ["ok", "ok"] == [everything["jobs"][name]["status"] for name in ("first", "last")]
    last = everything["jobs"]["last"]["build"]
    rows = [
        row for row in everything["report"]["stages"] if (row["a"], row["b"]) == ("numpy", last)
    ]
    assert {"PASS"} == {row["verdict"] for row in rows} and len(rows) == len(plan.LOCKSTEP_STAGES)
    assert everything["done"].code == 4 == everything["report"]["summary"]["exit_code"]
    assert everything["left"] == []


def test_nothing_to_judge(everything: dict[str, Any]) -> None:
    """A job that did not end well makes its pairs inconclusive, and says why; it never makes them
    pass. What fails its first check is in no pair."""
    checked = {job["build"] for job in everything["jobs"].values() if job["kind"] == "check"}
    assert {
        "numpy@segfault",
        "numpy@leaves",
        "numpy@hangs",
        "numpy@bad_import",
        "numpy@greedy",
    } <= checked
    assert not [row for row in everything["report"]["stages"] if {row["a"], row["b"]} & checked]
    good = {job["build"] for job in everything["jobs"].values() if job["status"] == "ok"} | {
        "numpy@stateful"
    }
    rows = [row for row in everything["report"]["stages"] if {row["a"], row["b"]} - good]
    assert {"INCONCLUSIVE"} == {row["verdict"] for row in rows}
    assert all("left nothing to judge" in row["reason"] for row in rows)


def test_a_look_that_moves_a_weight_costs_its_stage(everything: dict[str, Any]) -> None:
    """The forward stage of such a port is never judged, with every other side; the stages that
    do not look so are."""
    rows = [
        row for row in everything["report"]["stages"] if "numpy@stateful" in (row["a"], row["b"])
    ]
    looked = [row for row in rows if row["stage"] == "forward"]
    left = {job["build"] for job in everything["jobs"].values() if job["status"] == "ok"}
    honest = [row for row in looked if {row["a"], row["b"]} <= left | {"numpy@stateful"}]
    assert honest and {"INCONCLUSIVE"} == {row["verdict"] for row in looked}
    assert all(
        "numpy@stateful raised in this stage" in row["reason"] and "changed W" in row["reason"]
        for row in honest
    )
    assert "PASS" in {row["verdict"] for row in rows if row["stage"] != "forward"}


def test_chatter(everything: dict[str, Any]) -> None:
    """What a worker prints ends in its log, of which beginning and end are kept."""
    log = everything["run"] / everything["jobs"]["chatter"]["log"]
    kept = keeper.HEAD_BYTES + keeper.TAIL_BYTES if sys.platform == "linux" else LOG_LIMIT_BYTES
    assert kept <= log.stat().st_size < kept + 1000
    content = log.read_bytes()
    assert content.startswith(b"chatter") and b"bytes cut here by the harness" in content


@pytest.fixture(scope="module")
def not_numbers(new_harness) -> dict[str, Any]:
    """One comparison of ports that return NaN, with one that crashes among them; verdicts by
    pair of faults and stage."""
    harness = new_harness()
    faults = [
        "honest",
        "nan_loss",
        "nan_look",
        "nan_activation",
        "nan_activation again",
        "segfault",
    ]
    done = harness.run(*harness.compare("", *(fault.split()[0] for fault in faults[1:])))
    report = harness.report()
    name = {job["build"]: fault for job, fault in zip(report["jobs"], faults, strict=True)}
    verdicts = {
        (name[row["a"]], name[row["b"]], row["stage"]): row["verdict"] for row in report["stages"]
    }
    return {
        "done": done,
        "verdicts": verdicts,
        "statuses": {name[job["build"]]: job["status"] for job in report["jobs"]},
    }


@pytest.mark.parametrize(
    ("fault", "stage"), [("nan_loss", "loss"), ("nan_look", "loss"), ("nan_activation", "forward")]
)
def test_not_a_number_on_one_side(not_numbers: dict[str, Any], fault: str, stage: str) -> None:
    """A loss or an activation that is not a number fails where it shows; the job itself has done
    its work."""
    assert not_numbers["verdicts"]["honest", fault, stage] == "FAIL"
    assert not_numbers["statuses"][fault] == "ok"


def test_not_a_number_on_both_sides(not_numbers: dict[str, Any]) -> None:
    """Two ports that are wrong in the same place do not agree: there is nothing in it to
    compare."""
    assert (
        not_numbers["verdicts"]["nan_activation", "nan_activation again", "forward"]
        == "INCONCLUSIVE"
    )


def test_fail_comes_first(not_numbers: dict[str, Any]) -> None:
    """A comparison with a FAIL and a crashed job exits with 1: the verdict matters more."""
    assert not_numbers["statuses"]["segfault"] == "crashed"
    assert not_numbers["done"].code == 1


def on_small_disk(harness, size: str, *faults: str):
    """Compare with `--reports` on a disk of a given size, which goes with the process; one job
    at a time, lest they share its fate."""
    (harness.folder / "small").mkdir()
    mounted = f'mount -t tmpfs -o size={size} tmpfs small || exit 77; exec "$@"'
    words = harness.compare(
        *faults,
        options=(
            "--no-speed",
            "--reports",
            "small",
            "--json",
            "copy.json",
            "--threads",
            host.cores(),
        ),
    )
    done = harness.run(*words, before=[*UNSHARE, "sh", "-c", mounted, "sh"])
    if done.code == 77 or "unshare failed" in done.err:
        pytest.skip(
            "no small disk can be mounted here without more rights; the port `disk_full` writes to"
            " a full device all the same"
        )
    return done


def test_full_disk(harness) -> None:
    """On a disk that tensors fill, that job ends as `disk full`, the others go on, and the report
    is written; a log fills none where there are keepers."""
    done = on_small_disk(harness, "16m", "", "writes_much", "", "chatter", "")
    jobs = json.loads((harness.folder / "copy.json").read_text())["jobs"]
    loud = "ok" if sys.platform == "linux" else "disk full"
    assert ["ok", "disk full", "ok", loud, "ok"] == [job["status"] for job in jobs], done.err
    assert done.code == 4 and "Traceback" not in done.err


def test_no_room_for_the_report(harness) -> None:
    """Where not even the report fits, the command says so in one sentence; its exit code is not
    that of a FAIL."""
    done = on_small_disk(harness, "40k", "", "")
    assert done.code == 4
    assert (
        "No space left on device" in done.err
        and "--resume" in done.err
        and "Traceback" not in done.err
    )


@pytest.fixture
def run_context(tmp_path: Path, cache: Path) -> runner.RunContext:
    """What the harness gives its runner, with limits for a test to tighten."""
    environ = clean_environment({**os.environ, "XDG_CACHE_HOME": str(cache)})
    python = Path(sys.executable)
    return runner.RunContext(
        tmp_path / "run",
        staging.prepare(environ),
        {"numpy": python},
        environ,
        registry.known((HOSTILE,)),
        Limits(request_s=20.0),
    )


def record(run_context: runner.RunContext, fault: str) -> store.Record:
    """Run the job of one port."""
    chosen = options.Options(
        backends=(f"numpy@{HOSTILE / fault}",),
        workloads=("hostile",),
        precision=("fp64",),
        ports=(HOSTILE,),
        no_speed=True,
    )
    (job,) = plan.make(resolution.resolve(chosen)).jobs
    return runner.run_job(run_context, job)


def test_memory_limit(run_context: runner.RunContext) -> None:
    """A worker that grows beyond its limit is ended as `out of memory`, long before the machine
    is."""
    limited = dataclasses.replace(
        run_context, limits=Limits(request_s=20.0, memory_bytes=256 << 20)
    )
    done = record(limited, "grows")
    assert done.status == "out of memory" and "256 MiB" in done.reason
    assert done.duration_s < 20 + GRACE_S


def test_descendants(run_context: runner.RunContext) -> None:
    """What a worker has started ends with it."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    limited = dataclasses.replace(
        run_context,
        environment={**run_context.environment, "PARITY_TEST_MARK": "descendants"},
        limits=Limits(request_s=2.0),
    )
    done = record(limited, "starts_others")
    assert done.status == "timeout"
    left = [process for process in psutil.process_iter() if _marked(process, "descendants")]
    assert left == [] and before >= {
        child.pid for child in psutil.Process().children(recursive=True)
    }


def _marked(process: psutil.Process, mark: str) -> bool:
    try:
        return (
            process.environ().get("PARITY_TEST_MARK") == mark
            and process.status() != psutil.STATUS_ZOMBIE
        )
    except psutil.Error:
        return False
