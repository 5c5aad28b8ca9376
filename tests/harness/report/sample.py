"""A report with one of everything, hostile names included, and some smaller ones; of the rows of
`sample_rows` and the series of `sample_series`."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from harness.records import store
from harness.report import json_format
from harness.results.model import Report
from tests.harness.report.sample_rows import BUILDS, JOBS, QUALITY, SPEED, STAGES, speed, stage
from tests.harness.report.sample_series import CURVES, HISTORY, HOSTILE, SPREADS

REPORT = json_format.derived(
    Report(
        title="cnn and linear: tf1-compat, tf2.10, tf2, torch",
        created="2026-11-21T09:00:00Z",
        harness_version="0.1.0",
        command="harness compare --backends tf1-compat tf2.10 tf2 torch --precision fp64 bf16",
        fidelity="NONE",
        headline="",
        stages=STAGES,
        speed=SPEED,
        jobs=JOBS,
        builds=BUILDS,
        tapes={"cnn/tiny/0": "ab" * 32, "a/b": "cd" * 32},
        notes=("tf1 is absent: judged against the recorded reference of TF 1.15.5", HOSTILE),
        quality=QUALITY,
        curves=CURVES,
        spreads=SPREADS,
        history=HISTORY,
        commit="0123456789abcdef0123456789abcdef01234567-dirty",
    )
)
#: Two seeds of one pair, which differ in nothing else but their verdicts.
SEEDED = dataclasses.replace(
    REPORT,
    jobs=(),
    notes=(),
    quality=(),
    curves=(),
    spreads=(),
    history=(),
    stages=tuple(
        stage(name, "FAIL" if seed == 1 and name == "loss" else "PASS", b="tf2.10", seed=seed)
        for seed in (0, 1)
        for name in ("weights", "forward", "loss", "gradients", "update", "trajectory")
    )
    + (stage("trajectory", "INFO", a="tf1 fp32 powers", seed=1),),
    speed=tuple(speed("train", "SLOWER", material=True, seed=seed) for seed in (0, 1)),
)
#: A GAN on three builds, phase by phase; names of phases as long as they get, and one that is
#: hostile.
PHASES = (
    "pretrain/continuous",
    "joint/discriminator/continuous",
    "joint/generator 1/discrete",
    HOSTILE,
)
PHASED = dataclasses.replace(
    REPORT,
    stages=(),
    jobs=(),
    notes=(),
    quality=(),
    curves=(),
    spreads=(),
    history=(),
    speed=tuple(
        speed(
            action,
            verdict,
            workload="ehr_mgan",
            a=a,
            b=b,
            a_step_s=seconds[a],
            b_step_s=seconds[b],
            ratio=seconds[b] / seconds[a],
        )
        for seconds in ({"tf1": 0.0263, "tf2": 0.0131, "torch": 0.0264},)
        for action in ("train", "generate", *PHASES)
        for a, b, verdict in (
            ("tf1", "tf2", "FASTER"),
            ("tf1", "torch", "SAME"),
            ("tf2", "torch", "UNCLEAR"),
        )
    ),
)
EMPTY = json_format.derived(
    Report(
        title="nothing",
        created="2026-11-21T09:00:00Z",
        harness_version="0.1.0",
        command="harness compare",
        fidelity="NONE",
        headline="",
        stages=(),
        speed=(),
        jobs=(),
        builds=(),
        tapes={},
    )
)


def sealed(document: dict[str, Any]) -> str:
    """Return the JSON of a changed report as a writer that is wrong would leave it: with its
    seal."""
    return json.dumps({**document, store.SEAL: store.seal(document)})
