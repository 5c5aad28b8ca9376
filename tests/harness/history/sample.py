"""Runs for a history: judged reports with records behind them, written by the harness's own
writers.

Loaded by its path, as in tests/harness/report; `writer.py` imports it as its neighbour.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
from pathlib import Path

from harness.records import files, store
from harness.report import json_format
from harness.results.model import BuildRow, JobRow, QualityRow, Report, SpeedRow, StageRow
from tests.harness import contents

BEGAN = datetime.datetime(
    2026, 11, 1, 23, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=1))
)
STAGES = ("weights", "forward", "loss", "gradients", "update", "trajectory")
COMMAND = (
    "harness compare --workloads cnn --backends tf2 torch --precision fp32 --preset small --seed 3"
)
JOB = "cnn-{side}-fp32-seed3-0a1b2c3d"
ROUNDS = 5
#: Of b over a in each round; all steps of a side in a round differ, or the timer would count as too
#: coarse.
RATIOS = (1.25, 1.3, 1.28, 1.31, 1.22)
IDENTITY = {
    "python": "3.11.7",
    "platform": "Linux-6.1-x86_64-with-glibc2.36",
    "machine": "x86_64",
    "processor": "Some CPU",
    "cpus": 4,
    "versions": {"numpy": "2.1.0"},
}
HASHES = {"tf2": "1" * 64, "torch": "2" * 64}


def report(number: int = 0, **more: object) -> Report:
    """Return the run of night `number`: ten rows of stages and two of speed, summed up as a report
    that is read is."""
    when = BEGAN + datetime.timedelta(days=number)
    given = {
        "title": "tf2 torch on cnn",
        "created": when.isoformat(timespec="seconds"),
        "harness_version": "0.1.0",
        "command": COMMAND,
        "fidelity": "NONE",
        "headline": "",
        "stages": (*map(stage, STAGES), *_odd_stages()),
        "speed": (
            speed("train"),
            speed(
                "generate",
                ratio=None,
                low=None,
                high=math.inf,
                verdict="UNCLEAR",
                a_peak_bytes=None,
            ),
        ),
        "jobs": jobs(number),
        "tapes": {"cnn/small/3": "f" * 64},
        "notes": ("a note",),
        "builds": tuple(
            BuildRow(
                side,
                "3.11.7",
                IDENTITY["platform"],
                {"numpy": "2.1.0", "keras": f"3.{number}"},
                "tox",
                {"device": "cpu"},
                {"cnn": f"backends/{side}/cnn.py, sha256 {digest[:12]}"},
            )
            for side, digest in HASHES.items()
        ),
        "quality": (
            QualityRow("cnn", "tf2", "fp32", "small", "MMD", "lower", 0.3, 0.2, 0.4, 8, 0.1),
        ),
        "commit": "c" * 40 + "-dirty",
        **more,
    }
    return json_format.derived(Report(**given))  # type: ignore[arg-type]


def stage(name: str, **more: object) -> StageRow:
    given = {
        "workload": "cnn",
        "a": "tf2",
        "b": "torch",
        "precision": "fp32",
        "stage": name,
        "verdict": "PASS",
        "reason": "12 tensors",
        "worst": "conv1/kernel",
        "error": 1.5e-7,
        "floor": 1e-7,
        "threshold": 8e-7,
        "value_a": 0.1,
        "value_b": 0.2,
        "place": "[0, 1]",
        "tensors": 12,
        "command": f"{COMMAND} --threads 1 --no-speed --stages {name}",
        "threads": 1,
        "preset": "small",
        "seed": 3,
        "max_error": 2e-7,
        "logs": tuple(f"jobs/{JOB.format(side=side)}/worker.log" for side in HASHES),
        **more,
    }
    return StageRow(**given)  # type: ignore[arg-type]


def _odd_stages() -> tuple[StageRow, ...]:
    """What is not finite, missing, of several sides of one build, or on another device."""
    return (
        stage(
            "forward",
            precision="bf16",
            verdict="FAIL",
            error=math.nan,
            max_error=math.inf,
            value_a=-math.inf,
            null=("conv1/bias",),
        ),
        stage(
            "loss",
            precision="bf16",
            verdict="INCONCLUSIVE",
            error=None,
            floor=None,
            worst=None,
            value_a=None,
            wrong_layers=("conv1",),
        ),
        stage("precision", a="torch", b="torch fp64", b_side="torch", precision="bf16"),
        stage(
            "forward",
            b="torch#2",
            command=f"{COMMAND} --threads 2 --device gpu --execution graph --data 'a folder/x'",
            threads=2,
            device="gpu",
            execution="graph",
            data="a folder/x",
        ),
    )


def speed(action: str, **more: object) -> SpeedRow:
    given = {
        "workload": "cnn",
        "a": "tf2",
        "b": "torch",
        "precision": "fp32",
        "preset": "small",
        "action": action,
        "verdict": "SLOWER",
        "reason": "the interval excludes 1",
        "ratio": 1.27,
        "low": 1.2,
        "high": 1.35,
        "material": True,
        "rounds": ROUNDS,
        "a_step_s": 2e-3,
        "b_step_s": 2.5e-3,
        "a_peak_bytes": 2**28,
        "b_peak_bytes": 2**33,
        "threads": 2,
        "seed": 3,
        "command": f"{COMMAND} --no-fidelity --threads 2",
        "logs": ("jobs/speed-cnn-fp32-9f-round004/tf2.log",),
        **more,
    }
    return SpeedRow(**given)  # type: ignore[arg-type]


def jobs(number: int) -> tuple[JobRow, ...]:
    """Return the jobs of a run; the durations of two runs differ, as real ones do."""
    ran = [
        JobRow(
            JOB.format(side=side),
            side,
            "cnn",
            "fidelity",
            "fp32",
            "ok",
            "",
            1.0 + number / 7,
            "log",
            3,
        )
        for side in HASHES
    ]
    return (
        *ran,
        JobRow("cnn-x", "tf2", "cnn", "fidelity", "fp16", "unsupported", "no fp16", 0.5, "", None),
    )


def write(folder: Path, made: Report) -> Report:
    """Write a run's folder as `harness compare` leaves it: records, tensors dropped, and the
    report."""
    for side, digest in HASHES.items():
        told = contents.recorded(
            identity=IDENTITY,
            port=f"/home/u/.cache/parity-harness/worker/{'0' * 16}/backends/{side}/cnn.py",
            source_hash=digest,
            spec_hash="5" * 16,
            effective={"device": "cpu"},
            files={"forward.npz": "0" * 64},
        )
        job = {"side": side, "workload": "cnn", "preset": "small"}
        store.write_record(folder / "jobs" / JOB.format(side=side), job, "ok", "", told, 1.0)
    for number, ratio in enumerate(RATIOS):
        store.write_record(
            folder / "jobs" / f"speed-cnn-fp32-9f-round{number:03d}",
            {
                "workload": "cnn",
                "preset": "small",
                "round": number,
                "labels": [*HASHES],
            },
            "ok",
            "",
            contents.round_of(
                {
                    "train": {
                        "palindromes": [{"tf2": steps(0.002), "torch": steps(0.002 * ratio)}],
                        "prepared": {},
                    }
                },
                opened={
                    side: contents.opened(identity=IDENTITY, source_hash=digest, spec_hash="5" * 16)
                    for side, digest in HASHES.items()
                },
            ),
            9.0,
        )
    files.write_text(folder / "report.json", json_format.to_json(made))
    return made


def steps(middle: float) -> list[float]:
    """Return step times whose lower quartile is `middle`, seconds."""
    return [middle * factor for factor in (0.9, 1.0, 1.1, 1.2, 1.3)]


def continued(made: Report) -> Report:
    """Return the run after `--resume`: one more job has ended well."""
    late = JobRow("cnn-late", "tf2", "cnn", "fidelity", "fp64", "ok", "", 3.25, "", 3)
    return json_format.derived(dataclasses.replace(made, jobs=(*made.jobs, late)))
