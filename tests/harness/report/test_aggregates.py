"""A history of any length becomes few points, in which nothing that stands out is lost; and a page of it stays small."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest

from harness.fidelity.traces import share
from harness.report import html
from harness.report.aggregates import MOST_POINTS, Label, histories
from harness.report.traces import Change
from tests.harness.report import sample

START = np.datetime64("2024-01-01T00:00:00")
LIMIT_BYTES = 8_000_000


def label(number=0, **more):
    return Label("cnn", "tf2", "torch", "fp32", f"ratio {number}", **more)


def test_few_values_stay_as_they_are():
    """In the order of time; what is not finite is left out, and a series without values too."""
    when = START + np.array([3, 1, 2, 9], dtype="timedelta64[D]")
    (found,) = histories([label(), label(1)], np.array([0, 0, 0, 1]), when, np.array([3.0, 1.0, 2.0, np.nan]))
    assert ((1.0, 2.0, 3.0), 3) == (found.middle, found.runs) and found.low == found.high == found.middle
    assert ("2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z", "2024-01-04T00:00:00Z") == found.when


def test_one_odd_night_among_a_million_is_in_sight():
    """The largest and the least of each stretch are kept, the level is the median."""
    values = np.ones(1_000_000)
    values[123_456], values[654_321] = 9.0, 0.1
    (found,) = histories([label()], np.zeros(len(values), np.int64), START + np.arange(len(values)).astype("timedelta64[s]"), values)
    assert MOST_POINTS == len(found.when) and 1_000_000 == found.runs
    assert (9.0, 0.1, {1.0}) == (max(found.high), min(found.low), set(found.middle))


@pytest.mark.parametrize("series", [1, 1000])
def test_a_million_rows_become_a_small_page_soon(series):
    """From columns of numbers to the page, in less than 10 s of work and 8 MB."""
    rows = 1_000_000
    generator = np.random.default_rng(7)
    values = generator.normal(1.2, 0.02, rows)
    when = START + generator.integers(0, 700 * 86_400, rows).astype("timedelta64[s]")
    change = (Change("2025-01-01T00:00:00Z", 1.2, 1.3, "torch 2.12.0 -> 2.13.0"),)
    started = time.process_time()
    found = histories([label(number, changes=change) for number in range(series)], generator.integers(0, series, rows), when, values)
    page = html.render(dataclasses.replace(sample.REPORT, history=found))
    spent_s = time.process_time() - started
    assert series == len(found) and rows == sum(one.runs for one in found)
    assert page.count(" runs: level") == series
    assert len(page.encode()) < LIMIT_BYTES and spent_s < 10.0, (len(page), spent_s)


def largest(departing, pairs_failing):
    """Ten pairs of five builds, five workloads, two precisions, six stages with as many tensors as a row may list, and all plots.

    `departing`: stages of each pair that fail, with almost all of their tensors; `pairs_failing`: of how many of the 100 lines.
    """
    builds, workloads = ("tf1", "tf2", "torch", "tf1-compat", "tf2.10"), [f"workload{number}" for number in range(5)]
    precisions, turns = ("fp64", "fp32"), sample.turns(1.3, 30, 40)
    pairs = [(a, b) for place, a in enumerate(builds) for b in builds[place + 1 :]]
    failed = dataclasses.replace(sample.LONG, verdicts=("PASS",) * 5 + ("FAIL",) * 315)
    passes, fails = (
        dataclasses.replace(sample.STAGES[at], stage="", error=3e-4, reason=sample.STAGES[2].reason, compared=compared)
        for at, compared in ((1, sample.LONG), (2, failed))
    )
    lines = [(workload, pair, precision) for workload in workloads for pair in pairs for precision in precisions]
    names = ("weights", "forward", "loss", "gradients", "update", "trajectory")
    stages = [
        dataclasses.replace(row, workload=workload, a=a, b=b, precision=precision, stage=stage)
        for workload in workloads for a, b in pairs for precision in precisions for at, stage in enumerate(names)
        for row in [fails if at >= 6 - departing and (workload, (a, b), precision) in lines[:pairs_failing] else passes]
    ]
    speed = [
        dataclasses.replace(sample.SPEED[0], workload=workload, a=a, b=b, precision=precision, action=action, turns=turns)
        for workload in workloads for a, b in pairs for precision in precisions for action in ("train", "generate")
    ]
    curves = [
        dataclasses.replace(curve, workload=workload, build=build, precision=precision, term=f"{curve.term}{number}")
        for workload in workloads for build in builds for precision in precisions for number in range(3) for curve in sample.CURVES[:4]
    ]
    return dataclasses.replace(
        sample.REPORT, stages=tuple(stages), speed=tuple(speed), curves=tuple(curves),
        builds=tuple(dataclasses.replace(sample.BUILDS[0], build=build) for build in builds), history=(),
    )


@pytest.mark.parametrize(("departing", "pairs_failing"), [(0, 0), (1, 1), (1, 10), (1, 100), (4, 100), (6, 100)])
@pytest.mark.parametrize("shared", [True, False])
def test_the_largest_report_that_a_matrix_gives_stays_small(departing, pairs_failing, shared):
    """Also on the night on which much fails, and where an earlier harness left every failing stage all of its tensors."""
    report = largest(departing, pairs_failing)
    text = html.render(dataclasses.replace(report, stages=tuple(share(report.stages))) if shared else report)
    size = len(text.encode())
    assert size < LIMIT_BYTES, size
    assert pairs_failing < 100 or "tensors are not shown" in text
