"""A report in Python: what it says, raises, draws in a notebook, and gives to pandas."""

from __future__ import annotations

import builtins
import dataclasses
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import harness
from backends.contract import Status
from harness.api.run_report import RunReport
from harness.errors import Departed, HarnessError, TooSlow, Undecided, UnknownName, UsageError
from harness.report import csv_format, json_format, tables
from harness.results.model import JobRow, Report
from tests.harness.report import sample
from tests.harness.report.sample_rows import speed, stage
from tests.harness.report.sample_series import HOSTILE

EXAMPLE = Path(__file__).parents[3] / "reports/example"


def report(
    *stages: Any, jobs: tuple[JobRow, ...] = (), notes: tuple[str, ...] = (), **more: Any
) -> RunReport:
    """A report of these rows, with the summary that they give."""
    parts = {"stages": stages, "speed": (), "jobs": jobs, "notes": notes, **more}
    made = dataclasses.replace(sample.EMPTY, **parts)
    return RunReport.of(json_format.derived(made), Path("/runs/mine"))


PASSED = report(stage("forward"))
FAILED = report(
    stage("weights"),
    stage(
        "forward",
        "FAIL",
        worst="training/norm",
        error=2e-2,
        threshold=1e-14,
        value_a=0.5,
        value_b=0.25,
        place="[3, 1]",
        wrong_layers=("norm",),
        reason="norm is wrong",
    ),
    notes=(
        "read back: optimizer: rate is 1 in tf2, 2 in torch; shows at update",
        "read back: dense: bias is yes in tf2, no in torch; shows at forward",
        "read back: norm, other: epsilon is 0.001 in tf2, 1e-05 in torch; shows at forward",
        "the machine was busy",
    ),
)
UNDECIDED = report(stage("forward"), stage("loss", "INCONCLUSIVE", reason="noise is too large"))
BROKEN = report(
    stage("forward"),
    jobs=(
        JobRow(
            job="cnn-torch",
            build="torch",
            workload="cnn",
            kind="record",
            precision="fp64",
            status=Status.TIMEOUT,
            reason="no answer",
            duration_s=9.0,
            log="x.log",
        ),
    ),
)
UNSEEN = report(stage("forward"), stage("update", "INFO", not_looked_at=True))
NOTHING = report()


def test_it_is_the_judged_report_and_its_folder():
    """Loaded as the renderers load it, by folder or file; one line says what it is."""
    loaded = harness.load(EXAMPLE)
    assert isinstance(loaded, harness.Report) and isinstance(loaded, Report)
    assert json_format.to_json(loaded) == (EXAMPLE / "report.json").read_text(encoding="utf-8")
    assert loaded == harness.load(str(EXAMPLE / "report.json"))
    assert EXAMPLE.absolute() == loaded.folder
    assert repr(loaded).startswith("<Report PASS: Same function")
    with pytest.raises(UsageError, match="there is no report"):
        harness.load(EXAMPLE / "nothing")


@pytest.mark.parametrize(
    ("made", "kind", "code"),
    [
        (FAILED, Departed, 1),
        (UNDECIDED, Undecided, 6),
        (BROKEN, Undecided, 4),
        (NOTHING, Undecided, 5),
    ],
)
def test_a_verdict_that_is_not_a_pass_is_raised(made: RunReport, kind: type, code: int):
    """As a typed error with the exit code of the command."""
    with pytest.raises(kind) as raised:
        made.raise_for_verdict()
    assert isinstance(raised.value, HarnessError) and code == raised.value.exit_code
    with pytest.raises(AssertionError):
        made.assert_pass()


def test_a_departure_is_explained():
    """The error names the first tensor that departs, by how much, both values, what is not the same
    there, its layer first, and the command."""
    with pytest.raises(Departed) as raised:
        FAILED.raise_for_verdict()
    error = raised.value
    assert ("cnn", "forward", "training/norm") == (error.workload, error.stage, error.tensor)
    assert FAILED.stages[1].command == error.command
    lines = str(error).splitlines()
    assert lines[0].startswith("FAIL: Not the same model: tf1-compat and torch part in cnn (fp64)")
    assert [
        "  first: training/norm (cnn, fp64, forward)",
        "  error 2.0e-02, threshold 1.0e-14 (2e12× of it)",
        "  tf1-compat has 0.5, torch has 0.25 at [3, 1]",
        "  wrong layers: norm",
        "  because: norm is wrong",
        "  not the same: norm, other: epsilon is 0.001 in tf2, 1e-05 in torch; shows at forward",
        "  not the same: dense: bias is yes in tf2, no in torch; shows at forward",
        "  not the same: optimizer: rate is 1 in tf2, 2 in torch; shows at update",
        f"  again: {error.command}",
        "  report: /runs/mine/report.html",
    ] == lines[1:]


def test_a_side_that_is_too_slow_is_raised_where_that_was_asked_for():
    """The ratio is in the text; whoever did not ask for it passes."""
    slow = report(stage("forward"), speed=(speed("train", "SLOWER", material=True),))
    slow.raise_for_verdict()
    with pytest.raises(TooSlow, match=r"torch takes 1.234 \[1.20, 1.27\] of the time of"):
        dataclasses.replace(slow, exit_code=3).raise_for_verdict()


def test_a_pass_is_silent():
    """And a job that broke is named with its log where it is none."""
    PASSED.raise_for_verdict()
    PASSED.assert_pass()
    with pytest.raises(AssertionError, match=r"cnn-torch: timeout: no answer; log: x\.log"):
        BROKEN.assert_pass()


def test_an_assertion_counts_no_stage_that_nobody_saw():
    """The command's exit code is 0 there; a test that asked for it would be green for nothing."""
    UNSEEN.raise_for_verdict()
    with pytest.raises(AssertionError, match="not looked at, though asked for: update"):
        UNSEEN.assert_pass()
    timed = report(speed=(speed("train", "SAME"),))
    timed.raise_for_verdict()
    with pytest.raises(AssertionError, match="Speed only; fidelity was not judged"):
        timed.assert_pass()


@pytest.mark.parametrize("source", [sample.REPORT, sample.EMPTY, sample.PHASED, sample.SEEDED])
def test_a_notebook_gets_escaped_text_and_nothing_from_elsewhere(source: Report):
    """No script, no address, no control character, whatever a name holds; and it stays small."""
    drawn = RunReport.of(source, Path(f"/runs/{HOSTILE}"))._repr_html_()
    assert "<script" not in drawn and "\x1b" not in drawn and "\u202e" not in drawn
    assert not re.search(r"(src|href)=|https?:|url\(|<style|<link|@import", drawn)
    assert len(drawn) < 20_000
    assert source.headline.split()[0] in drawn


def test_a_notebook_sees_why_it_failed_and_how_much_is_left_out():
    """The cell of a FAIL has its explanation; a large run ends in a count."""
    drawn = FAILED._repr_html_()
    assert "✗ FAIL" in drawn and "first: training/norm" in drawn and "✓" in drawn
    assert "first:" not in PASSED._repr_html_()
    many = report(*(stage("forward", workload=f"w{number}") for number in range(50)))
    drawn = many._repr_html_()
    assert "and 20 more lines" in drawn and "w29" in drawn and "w30" not in drawn


def test_pandas_has_every_row_and_series():
    """As many as the report has, numbers to their last digit, words as plain text."""
    full = RunReport.of(sample.REPORT)
    frames = full.to_pandas()
    assert [*tables.TABLES] == [*frames]
    for name, rows in (
        ("stages", full.stages),
        ("speed", full.speed),
        ("jobs", full.jobs),
        ("quality", full.quality),
        ("builds", full.builds),
    ):
        assert len(rows) == len(frames[name]) > 0
    assert [row.ratio for row in full.speed] == [
        None if math.isnan(value) else value for value in frames["speed"].ratio
    ]
    assert all(type(value) is str for value in frames["stages"].verdict)
    listed = [row.compared for row in full.stages if row.compared is not None]
    assert sum(len(each.names) for each in listed) == len(frames["tensors"]) > 0
    turns = [row.turns for row in full.speed if row.turns is not None]
    steps = [len(times) for each in turns for times in (*each.a, *each.b)]
    assert sum(steps) == len(frames["rounds"]) > 0
    assert sum(len(curve.steps) for curve in full.curves) == len(frames["curves"]) > 0
    assert len(frames["spreads"]) > 0 and len(frames["notes"]) == len(full.notes)
    kinds = [*frames["costs"].side.groupby(frames["costs"].side).size()]
    assert kinds == [sum(row.a_cost is not None for row in full.speed)] * 2


def test_pandas_has_what_the_csv_has():
    """Every column of it, in the table of its rows or in that of costs."""
    held = {
        column for name in tables.TABLES for column in RunReport.of(sample.REPORT).to_pandas(name)
    }
    costs = {f"{side}_cost_{name}" for side in "ab" for name in tables.TABLES["costs"][0]}
    renamed = {*csv_format.REPORT, *csv_format.RENAMED.values()}
    assert set() == {*csv_format.columns()} - held - costs - renamed


def test_an_empty_report_has_the_same_columns():
    """So that a program need not ask whether there is anything."""
    full, empty = RunReport.of(sample.REPORT), RunReport.of(sample.EMPTY)
    for name, frame in empty.to_pandas().items():
        assert [*full.to_pandas(name).columns] == [*frame.columns]
    with pytest.raises(UnknownName, match=r"unknown table 'stage'\. Did you mean 'stages'"):
        empty.to_pandas("stage")


def test_without_pandas_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    """Nothing else of a report needs it."""

    def without(real: Callable[..., Any]) -> Callable[..., Any]:
        def load(name: str, *rest: Any, **more: Any) -> Any:
            if name == "pandas":
                raise ImportError(name)
            return real(name, *rest, **more)

        return load

    monkeypatch.setattr(builtins, "__import__", without(builtins.__import__))
    with pytest.raises(UsageError, match=r"pip install 'parity-harness\[pandas\]'"):
        PASSED.to_pandas()
    assert "PASS" in PASSED._repr_html_()
