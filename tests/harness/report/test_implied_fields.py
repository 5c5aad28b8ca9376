"""What older reports tell in words alone is read from them as it always was; what is told in fields
does not depend on the words."""

from __future__ import annotations

import dataclasses
import json

import pytest

from harness.report import implied_fields, json_format
from harness.results.model import JobRow, Report

REASON = "not looked at: the port of torch has no `losses`"


def again(report: Report) -> Report:
    """Return a report as it is read from its file."""
    return json_format.from_json(json_format.to_json(report))


@pytest.mark.parametrize(
    ("label", "side"),
    [
        ("torch", ""),
        ("torch fp64", "torch"),
        ("tf1 fp32 powers", "tf1"),
        ("torch@my ports", ""),
        ("torch@my ports bf16", "torch@my ports"),
        ("torch fp", ""),
    ],
)
def test_a_label_keeps_its_folder(label: str, side: str):
    """What rows add is taken off; a folder with a space in its name is not."""
    row = implied_fields.whole("stages", {"a": label, "b": "torch"})
    assert (side, "") == (row["a_side"], row["b_side"])


@pytest.mark.parametrize(
    ("kind", "build", "sides"),
    [
        ("speed", "tf2 torch", ["tf2", "torch"]),
        ("speed", "torch", []),
        ("fidelity", "torch@my ports", []),
    ],
)
def test_the_sides_of_a_round_are_told_apart_at_spaces(kind: str, build: str, sides: list[str]):
    """In reports that name them in no other way; the other jobs have one side."""
    assert sides == implied_fields.whole("jobs", {"kind": kind, "build": build})["sides"]


@pytest.mark.parametrize(
    ("verdict", "reason", "told"),
    [("INFO", REASON, True), ("INFO", "what powers cost", False), ("PASS", REASON, False)],
)
def test_the_reason_told_what_was_not_looked_at(verdict: str, reason: str, told: bool):
    """Of a row that is not judged."""
    row = implied_fields.whole("stages", {"verdict": verdict, "reason": reason})
    assert told is row["not_looked_at"]


def test_fields_stand_in_a_report_only_where_its_words_say_something_else(sample):
    """So that older reports keep their bytes; and they are read back as they were, whatever the
    words are."""
    stage = next(row for row in sample.REPORT.stages if row.worst)
    rows = (
        dataclasses.replace(stage, b="torch fp64", b_side="torch"),
        dataclasses.replace(stage, b="torch@my fp64"),
        dataclasses.replace(stage, verdict="INFO", reason=REASON, not_looked_at=True),
        dataclasses.replace(stage, verdict="INFO", reason="No `losses`.", not_looked_at=True),
    )
    job = JobRow("speed-1", "tf2 torch", "cnn", "speed", "fp32", "ok", "", 1.0, "log", 0)
    jobs = (
        dataclasses.replace(job, sides=("tf2", "torch")),
        dataclasses.replace(job, build="tf2 torch@my ports", sides=("tf2", "torch@my ports")),
        dataclasses.replace(job, build="torch@my ports"),
    )
    report = dataclasses.replace(sample.REPORT, stages=rows, jobs=jobs)
    document = json.loads(json_format.to_json(report))
    written = [
        {name: row[name] for name in implied_fields.FIELDS if name in row}
        for row in (*document["stages"], *document["jobs"])
    ]
    assert [
        {},
        {"b_side": ""},
        {},
        {"not_looked_at": True},
        {},
        {"sides": ["tf2", "torch@my ports"]},
        {"sides": []},
    ] == written
    read = again(report)
    assert rows == read.stages and jobs == read.jobs
    assert [("torch@my ports",)] == [row.builds for row in read.jobs[2:]]


def test_a_report_without_the_fields_is_summed_up_as_it_was(sample):
    """The headline names what was not looked at, by the reason of an older report's row."""
    stage = next(row for row in sample.REPORT.stages if row.worst and row.verdict == "PASS")
    unseen = dataclasses.replace(
        stage, stage="loss", verdict="INFO", reason=REASON, not_looked_at=True
    )
    report = dataclasses.replace(sample.REPORT, stages=(stage, unseen), speed=(), jobs=())
    assert "not_looked_at" not in json_format.to_json(report)
    assert "Not looked at: loss." in again(report).headline
