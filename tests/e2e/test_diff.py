"""`harness diff` on real runs: the same work twice, and then with a port that has a fault."""

from __future__ import annotations

import json
from pathlib import Path


def test_two_real_runs(harness):
    """The same comparison twice differs in nothing that is judged, another seed is nothing to
    compare with, and the CSV of a real run has a line for every row of its report."""
    runs = []
    for place, seed in enumerate((0, 0, 7)):
        done = harness.run(*harness.compare("", ""), "--seed", seed, "--reports", f"night{place}")
        assert 0 == done.code, done.err
        runs.append(next(harness.folder.glob(f"night{place}/*/report.json")).parent)
    same = harness.run("diff", runs[0], runs[1], "--format", "json")
    document = json.loads(same.out)
    assert (0, "") == (same.code, same.err) and document["comparable"]
    assert {"memory"} >= {one["section"] for one in document["differences"]} and [] == document[
        "changes"
    ]
    other = harness.run("diff", runs[0], runs[2])
    assert 2 == other.code and "cannot be compared" in other.out and "seed 7" in other.out
    table = harness.run("report", runs[0], "--format", "csv").out.splitlines()
    report = json.loads((runs[0] / "report.json").read_text())
    assert 1 + sum(len(report[name]) for name in ("stages", "speed", "jobs", "quality")) == len(
        table
    )


def test_a_planted_fault_is_a_regression(harness):
    """The verdict that was lost, by its first stage, and the code 3."""
    hostile = Path(__file__).parent / "hostile"
    mine = harness.folder / "mine"
    mine.mkdir()
    port = (hostile / "numpy/hostile.py").read_text()
    (mine / "numpy").mkdir()
    runs = []
    for night, text in (
        ("before", port),
        ("after", (hostile / "nan_loss/numpy/hostile.py").read_text()),
    ):
        (mine / "numpy/hostile.py").write_text(text)
        words = (
            "compare",
            "--ports",
            hostile,
            "--workloads",
            "hostile",
            "--precision",
            "fp64",
            "--no-speed",
            "--reports",
            night,
        )
        harness.run(*words, "--backends", "numpy", f"numpy@{mine}")
        runs.append(next(harness.folder.glob(f"{night}/*/report.json")))
    done = harness.run("diff", *runs)
    assert 3 == done.code and "1 regression" in done.out and "port of hostile" in done.out
