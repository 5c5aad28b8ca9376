"""A report with one of everything, hostile names included."""

from __future__ import annotations

import dataclasses
import math

from harness.results.model import BuildRow, Cost, JobRow, QualityRow, Report, SpeedRow, StageRow
from harness.results.series import REAL, Change, Compared, Curve, History, Spread, Turns

HOSTILE = "<script>alert('x')</script> [bold]b[/bold] a|b `c` \x1b[31mred\u202e"


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


LAYERS = (
    "conv1/kernel",
    "conv1/bias",
    "bn1/scale",
    "conv2/kernel",
    "conv2/bias",
    "dense/kernel",
    "dense/bias",
    HOSTILE,
)
COMPARED = Compared(
    LAYERS,
    ("PASS",) * 8,
    (0.0, 2e-16, 3e-16, 5e-16, 1e-15, 2e-15, 1e-16, 4e-16),
    (1.1e-15,) * 8,
    (8.8e-15,) * 8,
)
LOSSES = Compared(
    ("train/mse", "train/l2", "train/total"),
    ("PASS", "FAIL", "FAIL"),
    (2e-16, 3.1e-4, math.nan),
    (1e-15, 1e-15, None),
    (8e-15, 8e-15, None),
    4,
)
#: As many as a long trajectory has.
LONG = Compared(
    tuple(f"step {1 + number // 8}/parameter/{LAYERS[number % 7]}" for number in range(320)),
    ("PASS",) * 320,
    tuple(1e-15 * (1 + number) for number in range(320)),
    tuple(2e-15 * (1 + number) for number in range(320)),
    tuple(2e-14 * (1 + number) for number in range(320)),
)


def turns(slow: float = 1.35, rounds: int = 6, count: int = 24) -> Turns:
    """Step times in which the machine is slow for a third of the rounds, for both sides."""

    def side(step_s: float, phase: int) -> tuple[tuple[float, ...], ...]:
        return tuple(
            tuple(
                step_s
                * (slow if (number * count + at) % 72 > 47 else 1.0)
                * (1.0 + 0.01 * math.sin(7.0 * at + phase))
                for at in range(count)
            )
            for number in range(rounds)
        )

    return Turns(side(2.05e-3, 0), side(2.53e-3, 2))


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
CURVES = tuple(
    Curve(
        "cnn",
        build,
        "fp64",
        "tiny",
        mode,
        term,
        seeds,
        tuple(range(1, 61)),
        low if seeds > 1 else (),
        tuple(2.0 * math.exp(-step / rate) + 0.1 for step in range(60)),
        high if seeds > 1 else (),
    )
    for build, rate in (("tf1-compat", 20.0), ("torch", 22.0))
    for mode, seeds in (("lockstep", 1), ("native", 8))
    for term in ("train/total", HOSTILE)
    for low, high in [
        (
            tuple(1.8 * math.exp(-step / rate) + 0.05 for step in range(60)),
            tuple(2.2 * math.exp(-step / rate) + 0.15 for step in range(60)),
        )
    ]
)
SPREADS = tuple(
    Spread(
        "cnn",
        build,
        "fp64",
        "tiny",
        models,
        ("heart rate", "pressure", "ventilated", HOSTILE),
        (
            tuple(60.0 + 0.5 * at + shift for at in range(41)),
            tuple(80.0 + at - shift for at in range(41)),
            tuple(float(at > 30) for at in range(41)),
            tuple(math.nan for at in range(41)),
        ),
    )
    for build, models, shift in ((REAL, 1, 0.0), ("tf1-compat", 8, 0.6), ("torch", 8, 3.0))
)
HISTORY = (
    History(
        "cnn",
        "tf1-compat",
        "torch",
        "fp32",
        "ratio of train",
        "",
        30,
        tuple(f"2026-10-{day:02d}T03:00:00Z" for day in range(1, 31)),
        tuple(1.2 - 0.02 for _ in range(30)),
        tuple(1.2 if day < 20 else 1.32 for day in range(30)),
        tuple(1.4 for _ in range(30)),
        (Change("2026-10-21T03:00:00Z", 1.2, 1.32, f"torch 2.12.0 → 2.13.0 {HOSTILE}"),),
    ),
    History(
        "cnn",
        "torch",
        "",
        "fp32",
        "peak memory",
        "bytes",
        2,
        ("2026-10-01T03:00:00Z", "no date"),
        (1e8, None),
        (1e8, None),
        (1e8, None),
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
REPORT = Report(
    title="cnn and linear: tf1-compat, tf2.10, tf2, torch",
    created="2026-11-21T09:00:00Z",
    harness_version="0.1.0",
    command="harness compare --backends tf1-compat tf2.10 tf2 torch --precision fp64 bf16",
    fidelity="FAIL",
    headline="cnn differs between tf1-compat and torch: it starts at the loss, in loss/l2.",
    stages=STAGES,
    speed=SPEED,
    jobs=JOBS,
    builds=BUILDS,
    tapes={"cnn/tiny/0": "ab" * 32, "a/b": "cd" * 32},
    notes=("tf1 is absent: judged against the recorded reference of TF 1.15.5", HOSTILE),
    exit_code=1,
    quality=QUALITY,
    curves=CURVES,
    spreads=SPREADS,
    history=HISTORY,
    commit="0123456789abcdef0123456789abcdef01234567-dirty",
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
EMPTY = Report(
    title="nothing",
    created="2026-11-21T09:00:00Z",
    harness_version="0.1.0",
    command="harness compare",
    fidelity="NONE",
    headline="Nothing was measured.",
    stages=(),
    speed=(),
    jobs=(),
    builds=(),
    tapes={},
    exit_code=5,
)
