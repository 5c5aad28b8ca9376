"""The distribution stage and the quality of what is generated, as every renderer shows them."""

from __future__ import annotations

import dataclasses
import io
import re
from xml.etree import ElementTree

import pytest
from rich.console import Console

from harness.report import html, junit, markdown, terminal
from harness.report.labels import action
from harness.report.matrix import matrix, qualities


def draw(report, width=100):
    console = Console(width=width, file=io.StringIO())
    console.print(terminal.render(report))
    return console.file.getvalue()


RENDERERS = {"terminal": draw, "markdown": markdown.render, "html": html.render}


@pytest.mark.parametrize("name", RENDERERS)
def test_each_metric_has_its_baseline_and_each_builds_mean(full, name):
    """With the interval over seeds, and why a number is missing."""
    text = RENDERERS[name](full).replace("\\[", "[").replace("\\", "")
    parts = (
        "How good is what they generate?",
        "MMD",
        "0.291",
        "0.312 [0.301, 0.323]",
        "0.406",
        "TSTR AUROC",
        "one class",
        "7 of 8 seeds",
    )
    for part in parts:
        assert part in text, part
    assert len(re.findall(r"0\.291", text)) == 1  # the baseline is no build's
    assert "How good" not in RENDERERS[name](dataclasses.replace(full, quality=()))


def test_rows_of_one_metric_stand_together(full):
    """Whatever the order in which builds were measured."""
    assert [(first.metric, len(group)) for first, group in qualities(full.quality)][:2] == [
        ("MMD", 2),
        ("TSTR AUROC", 1),
    ]
    assert [len(group) for _, group in qualities(full.quality[::-1])] == [1, 1, 2]


def test_stage_d_is_a_column_and_a_test_case(full, sample):
    """With the seeds that it rests on, and those that it needs."""
    row = sample.stage("distribution", "INCONCLUSIVE", precision="fp32", seeds=4, needed=11)
    report = dataclasses.replace(full, stages=(*full.stages, row))
    assert "D" in matrix(report.stages).letters
    (case,) = [
        item
        for item in ElementTree.fromstring(junit.render(report)).iter("testcase")
        if item.get("name") == "distribution fp32"
    ]
    assert "4 seeds a build, about 11 needed" in case.find("error").text


def test_what_is_not_defined_is_not_called_zero(full, sample):
    """A constant channel has no correlation; that is no tensor which is mathematically zero."""
    row = sample.stage("distribution", precision="fp32", null=("a and e, correlation",))
    report = dataclasses.replace(full, stages=(row,))
    assert all("a and e, correlation" not in renderer(report) for renderer in RENDERERS.values())


def test_speed_says_what_train_times_and_what_comes_before(full):
    """The segment of the schedule; building apart from the first step, together where older
    reports know no better."""
    row = dataclasses.replace(
        full.speed[0],
        segment="joint",
        a_build_s=1.5,
        a_first_step_s=0.25,
        b_build_s=0.5,
        b_first_step_s=2.0,
    )
    report = dataclasses.replace(full, speed=(row,))
    for renderer in (markdown.render, html.render, lambda given: draw(given, 140)):
        text = renderer(report)
        assert "train (joint)" in text and "1.50 s + 250 ms" in text and "500 ms + 2.00 s" in text
        assert "3.21 s" in renderer(dataclasses.replace(full, speed=full.speed[:1]))
    assert [action(dataclasses.replace(row, segment=name)) for name in ("", "train", "joint")] == [
        "train",
        "train",
        "train (joint)",
    ]
    assert action(dataclasses.replace(row, action="generate", segment="joint")) == "generate"
