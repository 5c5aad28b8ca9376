"""What of a run is stored, and when a run is the same run."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from harness.errors import CorruptRecord
from harness.history import History, SpeedKey, StageKey, Wanted
from harness.history.evidence import gather
from harness.report import json_format
from harness.results.model import JobRow
from harness.results.series import Compared

HOST = ("Some CPU", 4, "x86_64", "Linux", "")


def test_a_report_comes_out_as_it_went_in(history: History, sample):
    """Every row of every kind, with NaN, infinities and what is missing."""
    made = sample.report()
    added = history.add(made)
    assert json_format.to_json(made) == json_format.to_json(history.report(added.id))


def test_what_plots_are_drawn_from_is_left_out(history: History, sample):
    """It would be nine tenths of a long history; the run's report.json has it."""
    plain = sample.stage("loss", workload="history")
    plotted = dataclasses.replace(
        plain, compared=Compared(("a",), ("PASS",), (1.0,), (1.0,), (1.0,))
    )
    added = history.add(sample.report(stages=(plotted,)))
    assert (plain,) == history.report(added.id).stages


def test_adding_twice_changes_nothing(history: History, sample, tmp_path: Path):
    """Nor does adding it from another folder, or from its report alone."""
    made = sample.write(tmp_path / "run", sample.report())
    first = history.add(made, tmp_path / "run")
    before = history.count()
    (tmp_path / "run").rename(tmp_path / "moved")
    again = [
        history.add(made, tmp_path / "run"),
        history.add(made, tmp_path / "moved"),
        history.add(made),
    ]
    assert (
        first.new
        and [first.id] * 3 == [one.id for one in again]
        and not any(one.new or one.replaced for one in again)
    )
    assert before == history.count()


def test_a_run_that_went_on_takes_its_old_place(history: History, sample):
    """It has the same id; the earlier state, added once more, changes nothing."""
    made = sample.report()
    later = sample.continued(made)
    first, second, third = history.add(made), history.add(later), history.add(made)
    assert (first.id, True) == (second.id, second.replaced) and (first.id, False, False) == (
        third.id,
        third.new,
        third.replaced,
    )
    assert 1 == len(history.runs())
    assert json_format.to_json(later) == json_format.to_json(history.report(first.id))
    assert history.count()["stages"] == len(later.stages)


def test_two_runs_of_one_second_are_two(history: History, sample):
    """The same words in the same second, but other work: durations of jobs tell. Both are kept,
    and both are known again."""
    one, other = sample.report(), sample.report(jobs=sample.jobs(1))
    ids = {history.add(made).id for made in (one, other, one, other)}
    assert (2, 2) == (len(ids), history.count()["runs"])
    assert {one.jobs, other.jobs} == {history.report(name).jobs for name in ids}


def test_a_cell_of_a_night_that_began_anew_leaves_one_point(
    history: History, sample, tmp_path: Path
):
    """A build that was missing is there: the cell's folder was emptied. Other cells, other
    nights and other folders keep their runs."""
    nights = tmp_path / "reports/nightly"
    for number, name in enumerate(
        ("2026-10-31/cells/one", "2026-11-01/cells/two", "2026-11-01_2/cells/one")
    ):
        history.add(sample.report(number), nights / name)
    history.add(sample.report(5), tmp_path / "reports/2026-11-01_x", "2026-11-01")
    cell = nights / "2026-11-01/cells/one"
    gone = sample.speed("generate", b="torch#2")  # nothing else is of this pair
    without = sample.report(
        6, command="harness compare --backends tf2 torch", speed=(*sample.report().speed, gone)
    )
    whole = sample.report(
        7, command="harness compare --backends tf1 tf2 torch", title="tf1 tf2 torch on cnn"
    )
    first, second = history.add(without, cell, "2026-11-01"), history.add(whole, cell, "2026-11-01")
    assert (True, False, True) == (first.new, second.new, second.replaced) and first.id != second.id
    late = history.add(without, cell)  # a report from before, put back where it was
    assert (second.id, False, False) == (late.id, late.new, late.replaced)
    (key,) = history.speed_keys(Wanted(subjects=("train",)))
    found = [(point.night, point.run) for point in history.series(key)]
    assert 5 == len(found) and [second.id] == [
        run for night, run in found if run in (first.id, second.id)
    ]
    assert json_format.to_json(whole) == json_format.to_json(history.report(second.id))
    assert [] == [key for key in history.speed_keys() if not history.series(key)]


def test_other_runs_in_one_folder_are_two(history: History, sample, tmp_path: Path):
    """Outside of nights a folder that was deleted and made again on the same day holds another
    measurement."""
    ids = {
        history.add(
            sample.report(number, command=f"harness compare --seed {number}"),
            tmp_path,
            "2026-11-01",
        ).id
        for number in range(2)
    }
    assert (2, 2) == (len(ids), history.count()["runs"])


def test_a_recorded_reference_that_became_a_build_leaves_one_run(history: History, sample):
    """A run that is gone on with where the build can be had now: its job ran, and took time, in
    the place of one that took none."""
    stands = JobRow("cnn-tf1", "tf1", "cnn", "recorded", "fp32", "ok", "", 0.0, "")
    ran = dataclasses.replace(stands, kind="fidelity", duration_s=2.5)
    before, after = (sample.report(jobs=(*sample.jobs(0), job)) for job in (stands, ran))
    first, second, third = history.add(before), history.add(after), history.add(before)
    assert (first.id, True) == (second.id, second.replaced) and (first.id, False, False) == (
        third.id,
        third.new,
        third.replaced,
    )
    assert [1, 1] == [
        len(history.runs()),
        *(len(history.series(key)) for key in history.speed_keys(Wanted(subjects=("train",)))),
    ]
    assert after.jobs == history.report(first.id).jobs


def test_a_recorded_reference_makes_no_two_runs_one(history: History, sample):
    """It takes no time in any of them: what both ran tells."""
    stands = JobRow("cnn-tf1", "tf1", "cnn", "recorded", "fp32", "ok", "", 0.0, "")
    ids = {
        history.add(sample.report(jobs=(*sample.jobs(number), stands))).id for number in range(2)
    }
    assert (2, 2) == (len(ids), len(history.runs()))


def test_a_job_that_ran_again_makes_no_second_run(history: History, sample):
    """Its record was damaged when the run went on: one duration is another, the others tell that
    it is the same run."""
    made = sample.report()
    again = dataclasses.replace(
        made, jobs=(dataclasses.replace(made.jobs[0], duration_s=9.0), *made.jobs[1:])
    )
    first, second = history.add(made), history.add(again)
    assert (first.id, True, 1) == (second.id, second.replaced, len(history.runs()))
    assert again.jobs == history.report(first.id).jobs


def test_a_folder_that_knows_more_completes_a_run(history: History, sample, tmp_path: Path):
    """First the report alone was added, then the run with its rounds."""
    made = sample.write(tmp_path, sample.report())
    assert history.add(made).new
    assert (0, 0) == (history.count()["rounds"], history.count()["hosts"])
    assert history.add(made, tmp_path).replaced
    assert (2 * len(sample.RATIOS), 1) == (history.count()["rounds"], history.count()["hosts"])


def test_a_key_has_the_settings_of_the_row(history: History, sample):
    """Device, threads, execution and data."""
    history.add(sample.report())
    plain, odd = (
        history.stage_keys(Wanted(builds=builds, subjects=("weights", "forward")))
        for builds in (("tf2",), ("torch#2",))
    )
    assert StageKey("cnn", "small", "tf2", "torch", "fp32", "weights", threads=1, seed=3) in plain
    assert [
        StageKey(
            "cnn", "small", "tf2", "torch#2", "fp32", "forward", "gpu", 2, "graph", "a folder/x", 3
        )
    ] == odd
    assert (
        SpeedKey("cnn", "small", "tf2", "torch", "fp32", "train", threads=2, seed=3)
        in history.speed_keys()
    )


def test_rounds_keep_their_log_ratios(history: History, sample, tmp_path: Path):
    """One a round of each pair and action, with both step times; an action that a round lacks is
    unusable, and says so."""
    history.add(sample.write(tmp_path, sample.report()), tmp_path)
    train, generate = (
        history.series(key)[0]
        for key in sorted(history.speed_keys(), key=lambda key: key.subject, reverse=True)
    )
    assert [0, 1, 2, 3, 4] == [one.number for one in train.rounds]
    assert pytest.approx([math.log(ratio) for ratio in sample.RATIOS]) == [
        one.log_ratio for one in train.rounds
    ]
    assert pytest.approx([0.002] * 5) == [one.a_step_s for one in train.rounds]
    assert {(None, None)} == {(one.log_ratio, one.a_step_s) for one in generate.rounds}


def test_the_host_is_told_by_the_workers(history: History, sample, tmp_path: Path):
    """Cpu, cores, machine and system; it is one row for all its runs."""
    for number in range(2):
        history.add(
            sample.write(tmp_path / str(number), sample.report(number)), tmp_path / str(number)
        )
    hosts = {run.host for run in history.runs()}
    assert (1, 1) == (len(hosts), history.count()["hosts"])
    (host,) = hosts
    assert host is not None and HOST == dataclasses.astuple(host)[1:]
    (key,) = history.stage_keys(Wanted(subjects=("weights",)))
    assert {host.fingerprint} == {point.host for point in history.series(key)}
    assert ([], 2) == (
        history.series(key, Wanted(hosts=("other",))),
        len(history.series(key, Wanted(hosts=(host.fingerprint,)))),
    )


def test_an_accelerator_makes_another_host(sample, tmp_path: Path):
    """A GPU's name counts; a place such as TensorFlow's is no name."""
    made = sample.write(tmp_path, sample.report())
    found = gather(made, tmp_path)
    plain = found.host()
    found.accelerators.add("Some GPU")
    assert plain is not None and found.host() != plain


def test_a_changed_port_changes_the_source_hash(history: History, sample, tmp_path: Path):
    """So does a changed specification; a new night alone does not."""
    changed = {**sample.HASHES, "torch": "3" * 64}
    for number in range(3):
        hashes = changed if number == 2 else sample.HASHES
        builds = tuple(
            dataclasses.replace(
                build, port={"cnn": f"{build.build}/cnn.py, sha256 {hashes[build.build][:12]}"}
            )
            for build in sample.report().builds
        )
        history.add(
            sample.write(tmp_path / str(number), sample.report(number, builds=builds)),
            tmp_path / str(number),
        )
    points = history.series(history.stage_keys(Wanted(subjects=("weights",)))[0])
    first, second, third = (point.source_hash for point in points)
    assert first == second != third
    found = gather(sample.report(), tmp_path / "0")
    assert {("cnn", "small"): "5" * 16} == found.specs


def test_what_a_label_is_of_decides_its_source(history: History, sample, tmp_path: Path):
    """A row of bounds is of a side's port; a folder whose name ends as such a label is itself."""
    bounds = sample.stage("precision", a="torch", b="torch fp64", b_side="torch")
    plain = dataclasses.replace(bounds, b="torch", b_side="")
    other = dataclasses.replace(bounds, b="torch fp32", b_side="")
    report = sample.report(stages=(bounds, plain, other))
    added = history.add(sample.write(tmp_path, report), tmp_path)
    hashes = {
        key.b: [point.source_hash for point in history.series(key)]
        for key in history.stage_keys(Wanted(subjects=("precision",)))
    }
    assert hashes["torch"] == hashes["torch fp64"] != hashes["torch fp32"]
    assert ["torch", "torch", "torch fp32"] == [
        row.sides[1] for row in history.report(added.id).stages
    ]


def test_builds_that_were_only_timed_have_versions(history: History, sample, tmp_path: Path):
    """A report without fidelity lists no builds; the rounds' records do."""
    made = sample.write(tmp_path, sample.report(stages=(), builds=()))
    history.add(made, tmp_path)
    (run,) = history.runs()
    assert {
        "tf2": {"python": "3.11.7", "numpy": "2.1.0"},
        "torch": {"python": "3.11.7", "numpy": "2.1.0"},
    } == run.versions
    assert () == history.report(run.id).builds


@pytest.mark.parametrize("log", ["../../outside/worker.log", "/etc/jobs/worker.log"])
def test_a_report_names_no_file_outside_its_run(sample, tmp_path: Path, log: str):
    """A record beside the run's folder is not read, whatever a report that was altered says."""
    sample.write(tmp_path / "outside", sample.report())
    made = sample.report(
        stages=(sample.stage("loss", logs=(log.replace("/etc", str(tmp_path / "outside")),)),),
        speed=(),
    )
    assert 0 == gather(made, tmp_path / "a" / "run").records


def test_records_that_cannot_be_read_leave_less(history: History, sample, tmp_path: Path):
    """A damaged manifest and a missing one: the run is added with the rounds that are left."""
    made = sample.write(tmp_path, sample.report())
    (tmp_path / "jobs/speed-cnn-fp32-9f-round001/manifest.json").write_text("{")
    (tmp_path / "jobs/speed-cnn-fp32-9f-round003/manifest.json").unlink()
    history.add(made, tmp_path)
    assert 2 * 3 == history.count()["rounds"]


def test_a_report_that_does_not_say_when(history: History, sample):
    """Nothing can be ordered by it."""
    with pytest.raises(CorruptRecord, match="no date and time"):
        history.add(sample.report(created="yesterday"))


def test_hostile_text_is_kept_as_text(history: History, sample):
    """Nothing of it reaches SQL."""
    evil = "'; DROP TABLE runs; --\x1b[31m\u202e%_"
    made = sample.report(
        title=evil,
        stages=(sample.stage("loss", workload=evil, a=evil, reason=evil, command=f"'{evil}"),),
        jobs=(),
    )
    added = history.add(made)
    assert made == history.report(added.id)
    assert 1 == len(history.runs(Wanted(workloads=(evil,), builds=(evil,))))
