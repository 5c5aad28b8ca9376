"""Paired results in pytest-benchmark's format, and a build's own suite: the real tool reads
both."""

from __future__ import annotations

import configparser
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness import plan
from harness.commands import export as exporting
from harness.commands import resolution
from harness.commands.options import Options
from harness.errors import UnknownName, UsageError
from harness.evaluation import speed_rows
from harness.records import store
from harness.report import benchmark_format
from harness.results.model import Report

ROOT = Path(__file__).parents[3]
IDENTITY = {
    "python": "3.11.7",
    "versions": {"numpy": "2.0"},
    "processor": "a processor",
    "machine": "x86_64",
    "platform": "Linux",
    "cpus": 2,
}


def run(tool: Path, *words: str) -> str:
    """Run Python on words in an empty folder; return its output."""
    # Told that it is one of several test processes, pytest-benchmark would measure nothing.
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        "COLUMNS": "200",
    }
    done = subprocess.run(
        [sys.executable, *words],
        cwd=tool,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def measured(rounds: int = 6, **more: Any) -> speed_rows.Timed:
    """Return rounds of two sides in which b takes a tenth more."""
    chosen = Options(
        backends=("numpy", "numpy"),
        workloads=("linear",),
        precision=("fp32",),
        no_fidelity=True,
        threads=1,
    )
    (job,) = plan.make(resolution.resolve(chosen)).speed
    prepared = {"steps_a_sample": 7, "first_step_s": 0.1, "segment": "train", "effective": {}}
    records = []
    for number in range(rounds):
        paces = {"numpy": 1.0, "numpy#2": 1.1}
        steps = {
            label: [pace * (1e-3 + 1e-6 * (number + place)) for place in range(8)]
            for label, pace in paces.items()
        }
        action = {
            "palindromes": [steps],
            "prepared": dict.fromkeys(steps, prepared),
            "peak_bytes": dict.fromkeys(steps, 1000),
        }
        opened = {
            label: {"identity": IDENTITY, "build_s": 0.1, "abilities": [], "effective": {}}
            for label in steps
        }
        result = {
            "actions": {"train": action},
            "opened": opened,
            "rows_a_step": 16,
            "peak_bytes": dict.fromkeys(steps, 1000),
        }
        records.append(store.Record(Path("nowhere"), {}, "ok", "", {**result, **more}, 1.0))
    return speed_rows.Timed(job, ["numpy", "numpy#2"], records, final=True)


def exported(folder: Path) -> Path:
    """Write an export as a comparison does."""
    one = measured()
    row = dataclasses.replace(
        SPEED,
        workload="linear",
        precision="fp32",
        preset="small",
        action="train",
        a="numpy",
        b="numpy#2",
    )
    empty = Report("", "2026-11-21T18:00:00+00:00", "", "", "NONE", "", (), (row,), (), (), {})
    exporting.write(("pytest-benchmark", folder / "paired.json"), [one], empty)
    return folder / "paired.json"


SPEED = benchmark_format.SpeedRow(
    "", "", "", "", "", "", "SLOWER", "", ratio=1.1, low=1.05, high=1.15, material=True
)


def test_the_real_tool_reads_a_comparison_and_a_builds_suite(tmp_path: Path) -> None:
    """`pytest-benchmark compare` shows both files in one table: the paired rounds, and steps of
    the NumPy build's own suite."""
    run(
        ROOT,
        "-m",
        "pytest",
        "tests/backends/test_benchmark.py",
        "--build",
        "numpy",
        "-q",
        "-p",
        "no:cacheprovider",
        *stored(tmp_path, "numpy-cpu"),
        "--benchmark-max-time=0.05",
        "--benchmark-min-rounds=3",
    )
    (suite,) = tmp_path.glob(".benchmarks/*/0001_numpy-cpu.json")
    assert "test_train_step[linear]" in run(
        tmp_path, "-m", "pytest_benchmark", "compare", "0001"
    )  # found in the storage by itself
    paired = exported(tmp_path)
    table = run(
        tmp_path,
        "-m",
        "pytest_benchmark",
        "compare",
        paired.name,
        "*/0001_numpy-cpu",
        "--columns=min,mean,stddev,rounds",
    )
    for name in (
        "linear-small-fp32-train[numpy]",
        "linear-small-fp32-train[numpy#2]",
        "test_train_step[linear]",
        "test_generate_step",
    ):
        assert name in table, table
    assert "benchmark 'linear small fp32 train': 2 tests" in table
    assert set(keys(json.loads(suite.read_text())["benchmarks"][0])) <= set(
        keys(json.loads(paired.read_text())["benchmarks"][0])
    )


def stored(folder: Path, build: str) -> list[str]:
    """Return the options with which `tox run -e BUILD` keeps its results, for another folder."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    assert tox["build"]["pytest"].endswith("{[build]benchmarks}")
    builds = [name for name in tox.sections() if name.endswith(("-cpu", "-gpu", "-tpu"))]
    assert len(builds) >= 9 and all(
        tox[name]["commands"].startswith("{[build]pytest}") for name in builds
    )
    told = (
        tox["build"]["benchmarks"]
        .replace("{tox_root}", str(folder))
        .replace("{/}", "/")
        .replace("{env_name}", build)
    )
    return told.split()


def keys(benchmark: dict[str, Any]) -> list[str]:
    """Return the names of a benchmark's fields and statistics."""
    return [*benchmark, *(f"stats {name}" for name in benchmark["stats"] if name != "data")]


def test_a_round_is_one_value_and_the_ratio_stands_beside(tmp_path: Path) -> None:
    """Not each of its correlated steps; the judged side tells against which and how."""
    document = json.loads(exported(tmp_path).read_text())
    first, second = document["benchmarks"]
    assert (
        6 == first["stats"]["rounds"] == len(first["stats"]["data"])
        and 7 == first["stats"]["iterations"]
    )
    assert second["stats"]["mean"] / first["stats"]["mean"] == pytest.approx(1.1)
    assert (
        {} == first["extra_info"]["against"]
        and second["extra_info"]["against"]["numpy"]["low"] == 1.05
    )
    assert (
        "2026-11-21T18:00:00+00:00" == document["datetime"]
        and "a processor" == document["machine_info"]["processor"]
    )


def test_statistics() -> None:
    """As the tool defines them; one value has no spread."""
    found = benchmark_format.statistics_of([1.0, 2.0, 3.0, 4.0, 100.0], 1)
    assert (1.0, 100.0, 22.0, 3.0, 2.0, 4.0) == tuple(
        found[name] for name in ("min", "max", "mean", "median", "q1", "q3")
    )
    assert (
        "1;1" == found["outliers"]
        and 4.0 == found["hd15iqr"]
        and 5 / 110 == pytest.approx(found["ops"])
    )
    alone = benchmark_format.statistics_of([2.0], 1)
    assert (
        0.0 == alone["stddev"] == alone["iqr"]
        and "0;0" == alone["outliers"]
        and 0.5 == alone["ops"]
    )


@pytest.mark.parametrize(
    ("export", "more", "why"),
    [
        (("asv", Path("x.json")), {}, "asv"),
        (("pytest-benchmark", Path("nowhere/x.json")), {}, "there is no folder"),
        (("pytest-benchmark", Path("x.json")), {"no_speed": True}, "nothing is timed"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_runs(
    export: tuple[str, Path], more: dict[str, Any], why: str
) -> None:
    """An unknown format, a folder that is not there, a run that times nothing."""
    with pytest.raises((UnknownName, UsageError), match=why):
        resolution.resolve(
            Options(backends=("numpy", "numpy"), workloads=("linear",), export=export, **more)
        )
