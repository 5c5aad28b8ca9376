"""Stage D from the command line: models trained from seeds of their own, judged, resumed, and
scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

WALKS = Path(__file__).parent / "walks"
TIMEOUT_S = 300.0  # of a command that trains on real frameworks


def words(fault="", seeds=8, stages="D"):
    second = f"numpy@{WALKS / fault}" if fault else "numpy"
    return (
        "compare",
        "--ports",
        WALKS,
        "--workloads",
        "walks",
        "--stages",
        stages,
        "--seeds",
        seeds,
        "--no-speed",
        "--keep",
        "--backends",
        "numpy",
        second,
    )


@pytest.mark.parametrize(
    ("fault", "worst"), [("quiet", "share between rows"), ("swapped", "mean"), ("seedless", None)]
)
def test_a_port_that_gives_other_results_fails(harness, fault, worst):
    """A source of noise that is missing, two channels swapped, a seed without effect."""
    done = harness.run(*words(fault))
    (row,) = harness.report()["stages"]
    assert (1, "FAIL", "distribution", 8) == (done.code, row["verdict"], row["stage"], row["seeds"])
    assert "Not the same results" in done.out and (worst is None or worst in row["worst"])


def test_the_same_port_gives_the_same_results_and_is_scored_beside_real_rows(harness):
    """With seeds enough; every metric has its baseline, each training its own record."""
    done = harness.run(*words(seeds=12))
    report = harness.report()
    (row,) = report["stages"]
    assert (0, "PASS", "fp32", 12) == (
        done.code,
        row["verdict"],
        row["precision"],
        row["seeds"],
    ), row["reason"]
    assert "Same results: models trained from 12 independent seeds" in report["summary"]["headline"]
    assert {("numpy", 12), ("numpy#2", 12)} == {
        (line["build"], line["seeds"]) for line in report["quality"] if line["metric"] == "MMD"
    }
    assert all(
        line["low"] < line["mean"] < line["high"] and line["baseline"] > 0
        for line in report["quality"]
        if line["metric"] == "MMD"
    )
    curves = {(one["build"], one["mode"], one["seeds"]) for one in report["curves"]}
    assert {("numpy", "native", 12), ("numpy#2", "native", 12)} == curves
    assert all(
        low <= middle <= high
        for one in report["curves"]
        for low, middle, high in zip(
            one["low"],
            one["middle"],
            one["high"],
            strict=True,
        )
    )
    assert {("real rows", 1), ("numpy", 12), ("numpy#2", 12)} == {
        (one["build"], one["models"]) for one in report["spreads"]
    }
    assert ["a", "b", "c", "d"] == report["spreads"][0]["channels"] and 41 == len(
        report["spreads"][0]["quantiles"][0]
    )
    assert {"distribution"} == {job["kind"] for job in report["jobs"]} and 24 == len(report["jobs"])
    first, *rest = sorted(harness.folder.glob("reports/*/jobs/*/samples.npz"))
    with np.load(first) as samples:
        assert samples["samples"].shape == (60, 6, 4)
    assert 23 == len(rest) and [] == list(harness.folder.glob("reports/*/jobs/*/initial.npz"))
    assert {"numpy", "numpy#2"} == {build["build"] for build in report["builds"]}


def test_too_few_seeds_are_inconclusive_and_say_how_many_would_do(harness):
    """And a training that diverges is evidence, not a crash."""
    done = harness.run(*words("diverges", seeds=2))
    report = harness.report()
    (row,) = report["stages"]
    assert (6, "INCONCLUSIVE", 2) == (done.code, row["verdict"], row["seeds"]) and row["needed"] > 2
    assert {"ok"} == {job["status"] for job in report["jobs"]}


def test_two_models_of_each_framework_are_too_few(new_harness):
    """EHR-M-GAN on TensorFlow 2 and PyTorch: all four are trained and scored, no verdict is taken
    from them, and the seeds that would do are said."""
    harness = new_harness()
    done = harness.start(
        "compare",
        "--workloads",
        "ehr_mgan",
        "--backends",
        "tf2",
        "torch",
        "--stages",
        "distribution",
        "--seeds",
        2,
        "--no-speed",
    ).done(TIMEOUT_S)
    report = harness.report()
    (row,) = report["stages"]
    assert (6, "INCONCLUSIVE", "distribution", 2) == (
        done.code,
        row["verdict"],
        row["stage"],
        row["seeds"],
    ), done.out + done.err
    assert row["needed"] > 2 and f"about {row['needed']} seeds a build are needed" in done.out
    assert [("distribution", "ok")] * 4 == [(job["kind"], job["status"]) for job in report["jobs"]]
    assert {"tf2", "torch"} == {
        line["build"] for line in report["quality"] if line["metric"] == "MMD"
    }


def test_a_workload_without_the_stage_is_refused_by_name(harness):
    """Before anything runs."""
    done = harness.run(
        "compare", "--backends", "numpy", "torch", "--workloads", "linear", "--stages", "D"
    )
    assert 2 == done.code and "linear has no such stage" in done.err and "ehr_mgan" in done.err


def test_run_records_models_of_one_build(harness):
    """With nothing to compare them with."""
    done = harness.run(
        "run",
        "--ports",
        WALKS,
        "--workloads",
        "walks",
        "--stages",
        "D",
        "--seeds",
        2,
        "--backends",
        "numpy",
    )
    assert 0 == done.code, done.err
    lines = [line.split() for line in done.out.splitlines() if line.startswith("walks")]
    assert 2 == len(lines) and all(float(first) > float(last) for *_, first, last, _ in lines)
    assert 2 == len(list(harness.folder.glob("reports/*/jobs/*/losses.npz")))
