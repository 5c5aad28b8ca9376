"""The CSV: one table that pandas reads back in one call, with every row of the report and the
same columns for every report."""

from __future__ import annotations

import csv
import dataclasses
import io
import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report import implied_fields
from harness.report.csv_format import columns, render
from harness.results.model import Cost, JobRow, QualityRow, SpeedRow, StageRow


def table(report):
    return pd.read_csv(io.StringIO(render(report)), dtype={"workload": str})


def test_every_row_is_there_and_reads_back(full):
    """Stages, speed, jobs and quality, in the order of the report, numbers to their last digit."""
    found = table(full)
    assert ["stage"] * len(full.stages) + ["speed"] * len(full.speed) + ["job"] * len(full.jobs) + [
        "quality"
    ] * 4 == list(found.kind)
    speed = found[found.kind == "speed"].dropna(axis=1, how="all")
    assert [row.verdict for row in full.speed] == list(speed.verdict)
    for name in ("ratio", "low", "high", "a_step_s"):
        assert [getattr(row, name) for row in full.speed] == [
            None if math.isnan(value) else value for value in speed[name]
        ]
    assert "error" not in speed and "ratio" in speed
    stages = found[found.kind == "stage"]
    assert [
        row.error for row in full.stages if row.error is not None and math.isfinite(row.error)
    ] == list(stages.error.dropna())


def test_every_field_that_a_cell_can_hold_has_a_column(full, empty):
    """Whatever rows a report has. What has none is nested: plots' data, which the JSON has; or it
    is told by the words of its row."""
    names = {
        field.name
        for kind in (StageRow, SpeedRow, JobRow, QualityRow)
        for field in dataclasses.fields(kind)
    }
    assert {"a_cost", "b_cost", "compared", "turns", *implied_fields.FIELDS} == names - {
        *columns()
    } and "job_kind" in columns()
    assert list(table(full).columns) == list(table(empty).columns) == columns() and 0 == len(
        table(empty)
    )
    assert len(columns()) == len({*columns()})


def test_costs_have_columns_of_their_own(full):
    """Of both sides, with the reasons of what is missing."""
    row = dataclasses.replace(
        full.speed[0], a_cost=Cost({"flops": "no counter", "energy_j": "no GPU"}, p50_s=0.25)
    )
    found = table(dataclasses.replace(full, speed=(row,)))
    speed = found[found.kind == "speed"].iloc[0]
    assert (
        0.25 == speed.a_cost_p50_s
        and "energy_j: no GPU; flops: no counter" == speed.a_cost_missing
        and math.isnan(speed.b_cost_p50_s)
    )


def test_nights_go_below_each_other(full):
    """Each row has its report's time."""
    nights = [dataclasses.replace(full, created=f"2026-11-{day}T02:00:00Z") for day in (20, 21)]
    both = pd.concat([table(night) for night in nights])
    assert 2 == both.created.nunique() and 2 * len(table(full)) == len(both)


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://x")', "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "  =1"]
)
def test_no_cell_is_a_formula(sample, text):
    """Names and reasons come from outside, and spreadsheets obey what begins like a formula."""
    report = dataclasses.replace(
        sample.EMPTY, stages=(sample.stage("forward", reason=text, workload=text),)
    )
    (row,) = csv.DictReader(io.StringIO(render(report)))
    assert (
        row["reason"].startswith("'")
        and row["workload"].startswith("'")
        and "3.2e-16" == row["error"]
    )


@settings(deadline=None)
@given(st.text())
def test_any_text_stays_in_its_cell(sample, text):
    """Commas, quotes, line ends, controls: one row, one cell."""
    report = dataclasses.replace(
        sample.EMPTY, title=text, stages=(sample.stage("forward", reason=text),)
    )
    rows = list(csv.reader(io.StringIO(render(report))))
    assert (
        2 == len(rows)
        and len(rows[0]) == len(rows[1])
        and not any(ord(char) < 32 for cell in rows[1] for char in cell)
    )


def test_the_same_bytes(full):
    """Rendered twice."""
    assert render(full) == render(full) and "\r" not in render(full)
