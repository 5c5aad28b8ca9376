"""Runs of one pair, written to disk, which differ in what a test says."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from harness.records import files, store
from harness.report import json_format
from harness.results.model import BuildRow, JobRow, Report, SpeedRow, StageRow
from tests.harness import contents


def report(**more: Any) -> Report:
    """Return a run of one pair."""
    stage = StageRow(
        "cnn",
        "tf2",
        "torch",
        "fp64",
        "loss",
        "PASS",
        "",
        "l2",
        2e-15,
        1e-15,
        1.6e-14,
        tensors=3,
        preset="tiny",
    )
    speed = SpeedRow(
        "cnn",
        "tf2",
        "torch",
        "fp32",
        "small",
        "train",
        "UNCLEAR",
        "",
        1.0,
        0.98,
        1.02,
        rounds=8,
        a_step_s=2e-3,
        b_step_s=2e-3,
        threads=2,
        logs=("jobs/speed-cnn-round007/tf2.log",),
        command="harness compare --device cpu",
    )
    given: dict[str, Any] = {
        "title": "cnn",
        "created": "2026-11-20",
        "harness_version": "0.1.0",
        "command": "harness compare",
        "fidelity": "PASS",
        "headline": "",
        "stages": (stage,),
        "speed": (speed,),
        "tapes": {},
        "jobs": (JobRow("j", "torch", "cnn", "fidelity", "fp64", "ok", "", 1.0, "", 0),),
        "builds": (BuildRow("torch", "3.11", "Linux", {"torch": "2.13.0"}, "tox", {"threads": 2}),),
        **more,
    }
    return Report(**given)


def written(
    folder: Path,
    made: Report,
    shift: float | None = None,
    seed: int = 0,
    opened: dict[str, Any] | None = None,
) -> Path:
    """Write a run, with records of eight rounds in which b takes longer by a share, or without
    records. `opened`: what sides tell."""
    files.write_text(folder / "report.json", json_format.to_json(made))
    draw = np.random.RandomState(seed)
    for number in range(8 if shift is not None else 0):
        luck = math.exp(0.01 * draw.standard_normal())
        assert shift is not None
        base = [1e-3 + 1e-7 * place for place in range(8)]
        steps = {"tf2": base, "torch": [step * luck * (1.0 + shift) for step in base]}
        result = contents.round_of(
            {"train": {"palindromes": [steps], "prepared": {}}},
            opened={side: contents.opened(**more) for side, more in (opened or {}).items()},
        )
        job = {"round": number, "labels": [*steps], "workload": "cnn", "preset": "small"}
        store.write_record(folder / f"jobs/speed-cnn-round{number:03d}", job, "ok", "", result, 1.0)
    return folder
