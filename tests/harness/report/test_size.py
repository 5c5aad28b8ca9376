"""A page of the largest matrix stays small, however much of it fails."""

from __future__ import annotations

import dataclasses

import pytest

from harness.fidelity.plot_series import share
from harness.report import html
from tests.harness.report import sample, sample_series

LIMIT_BYTES = 8_000_000


def largest(departing, pairs_failing):
    """Ten pairs of five builds, five workloads, two precisions, six stages with as many tensors as
    a row may list, and all plots.

    `departing`: stages of each pair that fail, with almost all of their tensors; `pairs_failing`:
    of how many of the 100 lines.
    """
    builds, workloads = (
        ("tf1", "tf2", "torch", "tf1-compat", "tf2.10"),
        [f"workload{number}" for number in range(5)],
    )
    precisions, turns = ("fp64", "fp32"), sample_series.turns(1.3, 30, 40)
    pairs = [(a, b) for place, a in enumerate(builds) for b in builds[place + 1 :]]
    failed = dataclasses.replace(sample_series.LONG, verdicts=("PASS",) * 5 + ("FAIL",) * 315)
    passes, fails = (
        dataclasses.replace(
            sample.STAGES[at],
            stage="",
            error=3e-4,
            reason=sample.STAGES[2].reason,
            compared=compared,
        )
        for at, compared in ((1, sample_series.LONG), (2, failed))
    )
    lines = [
        (workload, pair, precision)
        for workload in workloads
        for pair in pairs
        for precision in precisions
    ]
    names = ("weights", "forward", "loss", "gradients", "update", "trajectory")
    stages = [
        dataclasses.replace(row, workload=workload, a=a, b=b, precision=precision, stage=stage)
        for workload in workloads
        for a, b in pairs
        for precision in precisions
        for at, stage in enumerate(names)
        for row in [
            (
                fails
                if at >= 6 - departing and (workload, (a, b), precision) in lines[:pairs_failing]
                else passes
            )
        ]
    ]
    speed = [
        dataclasses.replace(
            sample.SPEED[0],
            workload=workload,
            a=a,
            b=b,
            precision=precision,
            action=action,
            turns=turns,
        )
        for workload in workloads
        for a, b in pairs
        for precision in precisions
        for action in ("train", "generate")
    ]
    curves = [
        dataclasses.replace(
            curve, workload=workload, build=build, precision=precision, term=f"{curve.term}{number}"
        )
        for workload in workloads
        for build in builds
        for precision in precisions
        for number in range(3)
        for curve in sample.CURVES[:4]
    ]
    return dataclasses.replace(
        sample.REPORT,
        stages=tuple(stages),
        speed=tuple(speed),
        curves=tuple(curves),
        builds=tuple(dataclasses.replace(sample.BUILDS[0], build=build) for build in builds),
        history=(),
    )


@pytest.mark.parametrize(
    ("departing", "pairs_failing"), [(0, 0), (1, 1), (1, 10), (1, 100), (4, 100), (6, 100)]
)
@pytest.mark.parametrize("shared", [True, False])
def test_the_largest_report_that_a_matrix_gives_stays_small(departing, pairs_failing, shared):
    """Also on the night on which much fails, and where an earlier harness left every failing
    stage all of its tensors."""
    report = largest(departing, pairs_failing)
    text = html.render(
        dataclasses.replace(report, stages=tuple(share(report.stages))) if shared else report
    )
    size = len(text.encode())
    assert size < LIMIT_BYTES, size
    assert pairs_failing < 100 or "tensors are not shown" in text
