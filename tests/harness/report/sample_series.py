"""Series of numbers for the sample report's plots, hostile names included."""

from __future__ import annotations

import math

from harness.results.series import REAL, Compared, Curve, FigureHistory, LevelChange, Spread, Turns

HOSTILE = "<script>alert('x')</script> [bold]b[/bold] a|b `c` \x1b[31mred\u202e"
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
    FigureHistory(
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
        (LevelChange("2026-10-21T03:00:00Z", 1.2, 1.32, f"torch 2.12.0 → 2.13.0 {HOSTILE}"),),
    ),
    FigureHistory(
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
