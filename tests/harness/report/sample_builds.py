"""Five builds on three workloads, as a migration looks on the night on which something is wrong:
torch departs from all others in cnn from its gradients on, and tf2 takes far longer steps."""

from __future__ import annotations

import itertools

from harness.report import json_format
from harness.results.model import Report, SpeedRow, StageRow
from tests.harness.report.sample_rows import speed, stage
from tests.harness.report.sample_series import CURVES

BUILDS = ("tf1", "tf2", "torch", "tf1-compat", "tf2.10")
WORKLOADS = ("linear", "cnn", "ehr_mgan")
STAGES = ("weights", "forward", "loss", "gradients", "update", "trajectory")
#: What departs, and from which stage on.
WRONG, WHERE, SINCE = "torch", "cnn", 3
#: Step time of tf1 by workload and action, seconds; of the others a multiple of it.
STEPS = {
    ("linear", "train"): 2.9e-5,
    ("linear", "generate"): 7.7e-5,
    ("cnn", "train"): 1.6e-3,
    ("cnn", "generate"): 4.4e-4,
    ("ehr_mgan", "train"): 6.1e-2,
    ("ehr_mgan", "generate"): 9.3e-3,
}
TIMES = {"tf1": 1.0, "tf2": 5.9, "torch": 0.72, "tf1-compat": 1.01, "tf2.10": 1.3}


def _stages() -> tuple[StageRow, ...]:
    rows = []
    for workload, precision in itertools.product(WORKLOADS, ("fp64", "fp32")):
        for a, b in itertools.combinations(BUILDS, 2):
            wrong = workload == WHERE and WRONG in (a, b)
            for at, name in enumerate(STAGES):
                rows.append(_stage(workload, a, b, precision, name, wrong and at >= SINCE))
    return tuple(rows)


def _stage(workload: str, a: str, b: str, precision: str, name: str, departs: bool) -> StageRow:
    unit = 1e-15 if precision == "fp64" else 5e-7
    error = 3.1e-2 if departs else 0.0 if name == "weights" else 0.4 * unit
    return stage(
        name,
        "FAIL" if departs else "PASS",
        workload=workload,
        a=a,
        b=b,
        precision=precision,
        error=error,
        floor=unit,
        threshold=8 * unit,
        worst="train/batch_norm/gamma",
        reason="beyond the threshold" if departs else "within the floor",
        beyond=9 if name == "trajectory" else 0,
        command=(
            f"harness compare --workloads {workload} --backends {a} {b} --precision {precision}"
            f" --no-speed --stages {name}"
        ),
        logs=tuple(f"jobs/{workload}-{side}-{precision}/worker.log" for side in (a, b)),
    )


def _speed() -> tuple[SpeedRow, ...]:
    rows = []
    for (workload, action), step_s in STEPS.items():
        for a, b in itertools.combinations(BUILDS, 2):
            ratio = TIMES[b] / TIMES[a]
            verdict = "SAME" if abs(ratio - 1) < 0.02 else "SLOWER" if ratio > 1 else "FASTER"
            rows.append(
                speed(
                    action,
                    verdict,
                    workload=workload,
                    a=a,
                    b=b,
                    ratio=ratio,
                    low=0.97 * ratio if verdict != "SAME" else 0.99,
                    high=1.03 * ratio if verdict != "SAME" else 1.02,
                    material=verdict != "SAME",
                    a_step_s=step_s * TIMES[a],
                    b_step_s=step_s * TIMES[b],
                )
            )
    return tuple(rows)


REPORT = json_format.derived(
    Report(
        title="linear, cnn and ehr_mgan: tf1, tf2, torch, tf1-compat, tf2.10",
        created="2026-11-21T09:00:00Z",
        harness_version="0.1.0",
        command=f"harness compare --backends {' '.join(BUILDS)} --precision fp64 fp32",
        fidelity="NONE",
        headline="",
        stages=_stages(),
        speed=_speed(),
        jobs=(),
        builds=(),
        tapes={f"{workload}/tiny/0": "ab" * 32 for workload in WORKLOADS},
        curves=CURVES,
    )
)
