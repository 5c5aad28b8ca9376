"""Rows of every kind and verdict for the sample report, hostile names included."""

from __future__ import annotations

import math

from harness.results.model import BuildRow, Cost, JobRow, QualityRow, SpeedRow, StageRow
from tests.harness.report.sample_series import COMPARED, HOSTILE, LONG, LOSSES, turns


def stage(name: str, verdict: str = "PASS", **more: object) -> StageRow:
    given: dict[str, object] = {
        "workload": "cnn",
        "a": "tf1-compat",
        "b": "torch",
        "precision": "fp64",
        "stage": name,
        "verdict": verdict,
        "reason": "relative norm error 3.1e-16, cosine 1.000000",
        "worst": "conv1/kernel",
        "error": 3.2e-16,
        "floor": 1.1e-15,
        "threshold": 8.8e-15,
        "value_a": 0.1,
        "value_b": 0.1 + 2e-17,
        "place": "[0, 1, 2, 3]",
        "tensors": 12,
        "command": (
            "harness compare --workloads cnn --backends tf1-compat torch --precision fp64 --preset"
            f" tiny --stages {name}"
        ),
        "logs": ("jobs/cnn-tf1-compat/worker.log", "jobs/cnn-torch/worker.log"),
        **more,
    }
    return StageRow(**given)  # type: ignore[arg-type]


def speed(action: str, verdict: str, **more: object) -> SpeedRow:
    given: dict[str, object] = {
        "workload": "cnn",
        "a": "tf1-compat",
        "b": "torch",
        "precision": "fp32",
        "preset": "small",
        "action": action,
        "verdict": verdict,
        "reason": "the interval excludes 1 and lies outside the margin of 3 %",
        "ratio": 1.2345,
        "low": 1.2,
        "high": 1.27,
        "rounds": 10,
        "a_step_s": 2.05e-3,
        "b_step_s": 2.53e-3,
        "a_rate": 15609.7,
        "b_rate": 12648.2,
        "a_warmup_s": 3.21,
        "b_warmup_s": 1.05,
        "a_peak_bytes": 612 * 2**20,
        "b_peak_bytes": 401 * 2**20,
        "threads": 2,
        "command": "harness compare --workloads cnn --no-fidelity",
        "logs": ("jobs/speed-cnn/a.log",),
        **more,
    }
    return SpeedRow(**given)  # type: ignore[arg-type]


STAGES = (
    stage("weights", error=0.0, threshold=0.0, compared=COMPARED),
    stage("forward", preset="tiny", max_error=4.5e-16, beyond=3, compared=COMPARED),
    stage(
        "loss",
        "FAIL",
        error=3.1e-4,
        worst="loss/l2",
        place="[]",
        value_a=0.5,
        value_b=1.0,
        reason="beyond the threshold",
        compared=LOSSES,
        first_bad_step=7,
        wrong_layers=("conv1", "conv2"),
    ),
    stage(
        "gradients",
        "FAIL",
        error=math.nan,
        value_a=math.nan,
        value_b=math.inf,
        null=("conv1/bias", "conv2/bias"),
    ),
    stage(
        "update",
        "INCONCLUSIVE",
        worst=None,
        error=None,
        floor=None,
        threshold=None,
        value_a=None,
        value_b=None,
        place=None,
        tensors=0,
    ),
    *(
        stage(name, workload="linear", a="tf2.10", b="tf2")
        for name in ("weights", "forward", "loss", "gradients", "update")
    ),
    stage("trajectory", workload="linear", a="tf2.10", b="tf2", compared=LONG),
    *(
        stage(name, a="tf2", b="torch", precision="bf16", error=2.1e-3, threshold=6.1e-3)
        for name in ("forward", "loss")
    ),
    stage(
        "precision",
        "FAIL",
        a="torch",
        b="torch fp64",
        b_side="torch",
        precision="bf16",
        reason="precision not in effect: below what bf16 costs",
    ),
    stage(
        "update",
        "INCONCLUSIVE",
        workload=HOSTILE,
        a=HOSTILE,
        reason=HOSTILE,
        worst=HOSTILE,
        logs=(HOSTILE,),
        command=HOSTILE,
        null=(HOSTILE,),
    ),
    stage(
        "trajectory",
        "INFO",
        a="tf1 fp32 powers",
        b="tf1 fp64 powers",
        error=2.3e-8,
        reason="what TF1's float32 powers of beta cost",
    ),
)
SPEED = (
    speed(
        "train",
        "SLOWER",
        material=True,
        turns=turns(),
        a_cost=Cost({}, 180 * 2**20),
        b_cost=Cost({"flops": HOSTILE}, 150 * 2**20),
    ),
    speed(
        "generate",
        "UNCLEAR",
        ratio=1.01,
        low=0.93,
        high=1.1,
        more_rounds=42,
        more_s=210.0,
        reason="the interval holds 1",
        rounds=5,
        differences=("xla: a on, b off", "execution: a graph, b eager"),
    ),
    speed(
        "train",
        "SAME",
        workload="linear",
        a="tf2.10",
        b="tf2",
        ratio=1.0,
        low=0.9951,
        high=1.0049,
        a_step_s=3.4e-4,
        b_step_s=3.4e-4,
    ),
    speed(
        "generate",
        "FASTER",
        workload="linear",
        a="tf2.10",
        b="tf2",
        ratio=0.2,
        low=0.18,
        high=0.997,
    ),
    speed(
        "train",
        "UNCLEAR",
        workload=HOSTILE,
        a=HOSTILE,
        reason=HOSTILE,
        ratio=None,
        low=None,
        high=math.inf,
        a_step_s=None,
        a_rate=None,
        a_peak_bytes=None,
        a_warmup_s=math.nan,
        rounds=0,
        differences=(HOSTILE,),
    ),
)
QUALITY = (
    QualityRow(
        "walks", "tf1-compat", "fp32", "tiny", "MMD", "lower", 0.312, 0.301, 0.323, 8, 0.2912
    ),
    QualityRow(
        "walks",
        "torch",
        "fp32",
        "tiny",
        "MMD",
        "lower",
        0.4056,
        None,
        None,
        1,
        0.2912,
        "7 of 8 seeds have no number: NaN",
    ),
    QualityRow("walks", "torch", "fp32", "tiny", "TSTR AUROC", "higher", reason="one class"),
    QualityRow(
        HOSTILE,
        HOSTILE,
        "fp32",
        "tiny",
        HOSTILE,
        HOSTILE,
        math.inf,
        -math.inf,
        math.nan,
        0,
        math.nan,
        HOSTILE,
    ),
)
JOBS = (
    JobRow(
        "cnn-torch", "torch", "cnn", "fidelity", "fp64", "ok", "", 3.2, "jobs/cnn-torch/worker.log"
    ),
    JobRow(
        "cnn-tf1-bf16",
        "tf1",
        "cnn",
        "fidelity",
        "bf16",
        "unsupported",
        "TF 1.15 has no bfloat16 convolution on CPU",
        2.0,
        "jobs/x.log",
    ),
    JobRow(
        "linear-numpy",
        "numpy",
        "linear",
        "fidelity",
        "fp64",
        "crashed",
        "SIGSEGV after 3 s",
        3.0,
        "jobs/linear-numpy/worker.log",
        2147483647,
    ),
    JobRow(HOSTILE, HOSTILE, HOSTILE, "speed", "fp32", "error", HOSTILE, math.inf, HOSTILE),
)
BUILDS = (
    BuildRow(
        "torch",
        "CPython 3.11.7",
        "Linux-x86_64",
        {"torch": "2.13.0", "numpy": "2.4.6"},
        "tox environment torch-cpu",
        {"threads": 2, "tf32": False, "dtype_policy": "torch.float32"},
        {"cnn": "ports/cnn/torch.py, 0a1b2c3d"},
    ),
    BuildRow(
        "tf1-compat",
        "CPython 3.11.7",
        "Linux-x86_64",
        {"tensorflow": "2.21.0"},
        HOSTILE,
        {HOSTILE: HOSTILE, "nested": {"x": [1, None]}},
        {HOSTILE: HOSTILE},
    ),
)
