"""Reports of several machines as one: what belongs together, what stays apart, and every conflict
refused by name."""

from __future__ import annotations

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from harness.commands import diff, merge
from harness.context import Context
from harness.errors import MergeConflict, UsageError
from harness.history import open_history
from harness.records import files
from harness.report import json_format, renderers, speed_blocks, tables
from harness.results import merged
from harness.results.model import QualityRow, Report
from harness.sinks import delivery
from tests.harness import contents
from tests.harness.commands.stored_runs import report, written

STAGE, SPEED, JOB, BUILD = (
    getattr(report(), name)[0] for name in ("stages", "speed", "jobs", "builds")
)
TAPE = {"cnn/tiny/0": "ab" * 32}


def run(folder: Path, **more: Any) -> Path:
    """A stored run."""
    return written(folder, json_format.derived(report(**{"tapes": TAPE, **more})))


def context() -> Context:
    now = datetime.datetime(2026, 11, 23, tzinfo=datetime.timezone.utc)
    return Context({}, now, "harness merge a b --out both", print)


def together(tmp_path: Path, *runs: Path, machines: tuple[str, ...] = ("left", "right")) -> Report:
    return merge.merge(runs, tmp_path / "both", machines, context()).report


def test_different_work_becomes_one_report(tmp_path: Path):
    """Rows of both in the reports' order; the answer follows from all of them; what is in both is
    there once; it is written in every format, and read back the same."""
    wrong = dataclasses.replace(STAGE, workload="linear", verdict="FAIL", error=1.0)
    left = run(tmp_path / "a", speed=())
    right = run(tmp_path / "b", speed=(), stages=(STAGE, wrong), created="2026-11-22")
    found = together(tmp_path, left, right)
    assert [("cnn", "PASS"), ("linear", "FAIL")] == [
        (row.workload, row.verdict) for row in found.stages
    ]
    assert ("FAIL", 1, "2026-11-22") == (found.fidelity, found.exit_code, found.created)
    assert ["left/j", "right/j"] == [row.job for row in found.jobs]
    assert found == renderers.load(tmp_path / "both")
    for name in ("report.md", "report.html", "report.xml"):
        assert (tmp_path / "both" / name).is_file()


def test_times_keep_their_machine(tmp_path: Path):
    """Two rows of one thing, told apart in every format."""
    left = run(tmp_path / "a")
    right = run(tmp_path / "b", speed=(dataclasses.replace(SPEED, ratio=2.0, high=2.1),))
    found = together(tmp_path, left, right)
    assert [("left", 1.0), ("right", 2.0)] == [(row.machine, row.ratio) for row in found.speed]
    for kind in ("markdown", "html", "junit"):
        text = renderers.render(found, kind)
        assert "fp32 on left" in text and "fp32 on right" in text, kind


def test_where_the_machine_is_not_known_times_are_refused(tmp_path: Path):
    """Their records are gone; without times nobody needs to know."""
    runs = [run(tmp_path / name) for name in "ab"]
    with pytest.raises(UsageError, match=r"do not say on which machine.*--machines"):
        merge.merge(runs, tmp_path / "both", (), context())
    runs = [run(tmp_path / name, speed=()) for name in "cd"]
    assert ["report1/j", "report2/j"] == [
        row.job for row in merge.merge(runs, tmp_path / "both", (), context()).report.jobs
    ]


def test_the_records_say_which_machine_it_was(tmp_path: Path):
    """Its fingerprint."""
    runs = []
    for processor in ("Xeon", "EPYC"):
        identity = {**contents.IDENTITY, "processor": processor, "cpus": 4}
        opened = {"torch": {"identity": identity}}
        runs.append(written(tmp_path / processor, report(), shift=0.0, opened=opened))
    found = merge.merge(runs, tmp_path / "both", (), context()).report
    assert 2 == len({row.machine for row in found.speed} - {""})


#: What is planted in the second report, and how it is called.
CONFLICTS = {
    "stage cnn loss": {"stages": (dataclasses.replace(STAGE, error=3e-15),)},
    "torch of torch is 2.13.0": {
        "builds": (dataclasses.replace(BUILD, versions={"torch": "2.14.0"}),)
    },
    "the tape cnn/tiny/0 is abab": {"tapes": {"cnn/tiny/0": "cd" * 32}},
    "the harness is 0.1.0": {"harness_version": "0.2.0"},
    "the harness' commit is 01": {"commit": "02"},
    "the port of cnn on torch is sha256 0a": {
        "builds": (dataclasses.replace(BUILD, port={"cnn": "/elsewhere/cnn.py, sha256 0b"}),)
    },
    "quality cnn torch": {
        "quality": (QualityRow("cnn", "torch", "fp32", "tiny", "MMD", "lower", mean=0.5),)
    },
}


@pytest.mark.parametrize("said", CONFLICTS)
def test_a_conflict_is_named_and_refused(tmp_path: Path, said: str):
    """Other numbers of one row, other releases, tapes, code; nothing is written."""
    port = dataclasses.replace(BUILD, port={"cnn": "/here/cnn.py, sha256 0a"})
    quality = QualityRow("cnn", "torch", "fp32", "tiny", "MMD", "lower", mean=0.4)
    base: dict[str, Any] = {"builds": (port,), "commit": "01", "quality": (quality,)}
    left = run(tmp_path / "a", **base)
    right = run(tmp_path / "b", **{**base, **CONFLICTS[said]})
    with pytest.raises(MergeConflict, match="the reports cannot be one") as error:
        together(tmp_path, left, right)
    words = said.split(maxsplit=1)[0]
    assert words in str(error.value) and str(left) in str(error.value)
    assert str(right) in str(error.value) and said in str(error.value)
    assert not (tmp_path / "both").exists()


def test_one_machine_may_not_time_a_thing_twice(tmp_path: Path):
    """Nobody can tell which is right; of another thing it may."""
    left = run(tmp_path / "a")
    again = run(tmp_path / "b", speed=(dataclasses.replace(SPEED, ratio=1.01),))
    with pytest.raises(MergeConflict, match="speed cnn train fp32"):
        together(tmp_path, left, again, machines=("left", "left"))
    other = run(tmp_path / "c", speed=(dataclasses.replace(SPEED, action="generate"),))
    found = together(tmp_path, left, other, machines=("left", "left"))
    assert ["left/j", "left_2/j"] == [row.job for row in found.jobs]


def test_nan_is_no_conflict_with_itself(tmp_path: Path):
    """An error that is not finite."""
    row = dataclasses.replace(STAGE, verdict="FAIL", error=float("nan"))
    runs = [run(tmp_path / name, speed=(), stages=(row,)) for name in "ab"]
    assert 1 == len(together(tmp_path, *runs).stages)


def test_what_differs_without_a_conflict_is_noted(tmp_path: Path):
    """Another kernel, another Python, other settings, notes of each."""
    build = dataclasses.replace(BUILD, platform="Linux-6.2", effective={"threads": 4})
    left = run(tmp_path / "a", notes=("said",))
    right = run(tmp_path / "b", builds=(build,))
    notes = together(tmp_path, left, right).notes
    said = "right: torch has other platform (Linux-6.2), settings in effect (threads)"
    assert said in notes and "left: said" in notes


def test_logs_come_along_and_nothing_else(tmp_path: Path):
    """Those that rows name, below their machine; a path that leads out of the run is not
    followed."""
    (tmp_path / "secret").write_text("secret")
    job = dataclasses.replace(JOB, log="jobs/j/worker.log")
    out = dataclasses.replace(JOB, job="k", log="../secret")
    left = run(tmp_path / "a", jobs=(job, out))
    files.write_text(left / "jobs/j/worker.log", "line\n")
    together(tmp_path, left, run(tmp_path / "b"))
    assert "line\n" == (tmp_path / "both/left/jobs/j/worker.log").read_text()
    assert not [path for path in tmp_path.rglob("secret") if path.parent != tmp_path]


def test_a_merged_report_is_nowhere_taken_for_one_machines(tmp_path: Path):
    """Not merged again, not held against a run, not added to a history, not sent."""
    left, right = run(tmp_path / "a"), run(tmp_path / "b")
    found = together(tmp_path, left, right)
    both = tmp_path / "both"
    with pytest.raises(UsageError, match="merged of runs on left, right"):
        merge.merge([both, left], tmp_path / "more", ("x", "y"), context())
    with pytest.raises(UsageError, match="merged"):
        diff.compare(left, both)
    with open_history(tmp_path / "h.sqlite") as history, pytest.raises(UsageError, match="merged"):
        history.add(found, both)
    sinks = delivery.Sinks(tensorboard=tmp_path / "events")
    with pytest.raises(UsageError, match="merged"):
        delivery.send(found, both, sinks, {}, print)
    merged.refuse(renderers.load(left), "a run of one machine")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("a", "--out", "new"), "Give two or more"),
        (("a", "b", "--out", "a"), "there is something already"),
        (("a", "nowhere", "--out", "new"), "there is no report"),
        (("a", "b", "--out", "new", "--machines", "one"), "1 names for 2 reports"),
        (("a", "b", "--out", "new", "--machines", "../x", "y"), "a plain word"),
        (("a", "b"), "--out"),
    ],
)
def test_wrong_usage_writes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    says: str,
):
    """One report, a folder that is taken, names that do not fit."""
    for name in "ab":
        run(tmp_path / name, speed=())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        cli.main(["merge", *words])
    assert 2 == ended.value.code and says in " ".join(capsys.readouterr().err.split())
    assert ["a", "b"] == sorted(path.name for path in tmp_path.iterdir())


def test_the_command_ends_with_the_merged_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """The exit code of the rows together, and where the report lies."""
    wrong = dataclasses.replace(STAGE, verdict="FAIL", workload="linear", error=1.0)
    run(tmp_path / "a", speed=()), run(tmp_path / "b", speed=(), stages=(wrong,))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        cli.main(["merge", "a", "b", "--out", "both"])
    assert 1 == ended.value.code and "both/report.md" in capsys.readouterr().out
    assert "FAIL" == json.loads(Path("both/report.json").read_text())["summary"]["fidelity"]


def test_machines_are_apart_in_blocks_and_tables(tmp_path: Path):
    """A build timed on two machines is two blocks, and its rounds and costs name the machine."""
    found = together(tmp_path, run(tmp_path / "a"), run(tmp_path / "b"))
    assert [1, 1] == [len(block.sides) - 1 for block in speed_blocks.blocks(found.speed)]
    assert "machine" in tables.OF_SPEED
