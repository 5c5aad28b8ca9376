"""Sides of reports from before sides were called by their folders are compared with today's."""

from __future__ import annotations

import dataclasses

import pytest

from harness.changes import figures, renames
from harness.changes.model import JudgedNight

OLD = "harness compare --ports mine --backends tf2 torch@/a/bare torch torch@/b/bare --no-speed"


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (OLD, {"torch": "torch@bare", "torch#2": "torch", "torch#3": "torch@bare#2"}),
        ("harness compare --backends torch torch", {}),
        ("harness nightly", {}),
        ("harness compare --backends 'torch@", {}),
    ],
)
def test_the_command_tells_which_side_was_which(sample, command: str, names: dict[str, str]):
    """A command that nobody can read tells nothing."""
    assert names == renames.renamed(
        dataclasses.replace(sample.report(("tf2", "torch", "torch#2", "torch#3")), command=command)
    )


def test_a_report_of_today_keeps_its_names(sample):
    """`torch` beside `torch@bare` is the shipped port."""
    assert {} == renames.renamed(
        dataclasses.replace(sample.report(("tf2", "torch@bare", "torch")), command=OLD)
    )


def test_an_earlier_run_differs_from_todays_in_nothing_but_what_has_moved(sample):
    """Rows, jobs, builds and ratios find each other."""
    command = "harness compare --backends tf2 torch@bare"
    old = sample.night(dataclasses.replace(sample.report(("tf2", "torch")), command=command))
    new = sample.night(dataclasses.replace(sample.report(("tf2", "torch@bare")), command=command))
    told = renames.today(old)
    pairs = [
        {(row.a, row.b) for row in told.report.stages},
        {(one.measurand.a, one.measurand.b) for one in told.ratios},
    ]
    assert [{("tf2", "torch@bare")}] * 2 == pairs and "tf2 torch@bare" in {
        row.build for row in told.report.jobs
    }
    assert {("tf2", "torch@bare")} == {row.builds for row in told.report.jobs if row.sides}
    assert ["tf2", "torch@bare"] == [row.build for row in told.report.builds]
    assert figures.diff(old, new).differences and not figures.diff(told, new).differences


def test_what_a_row_adds_to_a_name_stays(sample):
    """Bounds of a precision, and gains."""
    rows = [
        sample.stage("torch", "torch fp64", "precision", b_side="torch"),
        sample.stage("torch-fp32", "torch-bf16", "precision"),
    ]
    report = dataclasses.replace(
        sample.report(("torch",)),
        command="harness compare --backends torch@bare",
        stages=tuple(rows),
    )
    found = renames.today(JudgedNight(report)).report.stages
    assert [("torch@bare", "torch@bare fp64"), ("torch@bare-fp32", "torch@bare-bf16")] == [
        (row.a, row.b) for row in found
    ]
    assert ("torch@bare", "torch@bare") == found[0].sides
