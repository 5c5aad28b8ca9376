"""Judged nights in code: five builds, three precisions, rounds with the scatter of real
processes."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping

import numpy as np

from harness.changes.model import (
    JudgedNight,
    Measurand,
    Ratios,
    Series,
    SeriesPoint,
    measurand,
    moments,
)
from harness.results.model import BuildRow, JobRow, Report, SpeedRow, StageRow

BUILDS = ("tf1", "tf1-compat", "tf2.10", "tf2", "torch")
STAGES = ("weights", "forward", "loss", "gradients", "update", "trajectory")
VERSIONS = {
    "tf1": "1.15.5",
    "tf1-compat": "2.21.0",
    "tf2.10": "2.10.1",
    "tf2": "2.21.0",
    "torch": "2.13.0",
}
#: Standard deviation of a round's log ratio: what two processes of the same code differ by.
LUCK = 0.017


def stage(a: str, b: str, name: str, precision: str = "fp64", **more: object) -> StageRow:
    given: dict[str, object] = {
        "workload": "cnn",
        "a": a,
        "b": b,
        "precision": precision,
        "stage": name,
        "verdict": "PASS",
        "reason": "12 tensors",
        "tensors": 12,
        "worst": "conv1",
        "error": 2e-15,
        "floor": 1e-15,
        "threshold": 1.6e-14,
        "preset": "tiny",
        "place": "[0, 3]",
        **more,
    }
    return StageRow(**given)  # type: ignore[arg-type]


def speed(a: str, b: str, action: str = "train", **more: object) -> SpeedRow:
    given: dict[str, object] = {
        "workload": "cnn",
        "a": a,
        "b": b,
        "precision": "fp32",
        "preset": "small",
        "action": action,
        "verdict": "UNCLEAR",
        "reason": "",
        "ratio": 1.0,
        "low": 0.98,
        "high": 1.02,
        "rounds": 10,
        "a_step_s": 2e-3,
        "b_step_s": 2e-3,
        "threads": 2,
        "a_peak_bytes": 400_000_000,
        "b_peak_bytes": 400_000_000,
        **more,
    }
    return SpeedRow(**given)  # type: ignore[arg-type]


def _of(label: str) -> str:
    return label.partition("@")[0].partition("#")[0]


def report(
    builds: tuple[str, ...] = BUILDS, precisions: tuple[str, ...] = ("fp64", "fp32")
) -> Report:
    """Return a night on which everything passes."""
    pairs = list(itertools.combinations(builds, 2))
    return Report(
        "cnn",
        "2026-11-20T02:00:00+00:00",
        "0.1.0",
        "harness nightly",
        "PASS",
        "Same function.",
        stages=tuple(
            stage(a, b, name, precision)
            for precision in precisions
            for a, b in pairs
            for name in STAGES
        ),
        speed=tuple(speed(a, b, action) for action in ("train", "generate") for a, b in pairs),
        jobs=(
            *(
                JobRow(f"cnn-{build}-{of}", build, "cnn", "fidelity", of, "ok", "", 3.0, "log", 0)
                for of in precisions
                for build in builds
            ),
            *(
                JobRow(
                    f"speed-cnn-{number}",
                    " ".join(builds),
                    "cnn",
                    "speed",
                    "fp32",
                    "ok",
                    "",
                    9.0,
                    "log",
                    0,
                    tuple(builds),
                )
                for number in range(10)
            ),
        ),
        builds=tuple(
            BuildRow(
                build,
                "3.11.7",
                "Linux-6.1",
                {"framework": VERSIONS[_of(build)], "numpy": "2.4.6"},
                "tox",
                {"threads": 2, "tf32": False},
                {"cnn": f"backends/{_of(build)}/cnn.py, sha256 0a1b2c3d4e5f"},
            )
            for build in builds
        ),
        tapes={"cnn/tiny/0": "ab" * 32},
    )


def night(
    of: Report, shift: Mapping[str, float] | None = None, rounds: int = 10, seed: int = 0
) -> JudgedNight:
    """Return a night whose rounds are drawn. `shift`: by build, the share by which its training
    takes longer."""
    draw = np.random.RandomState(seed)
    slower = {build: math.log1p(share) for build, share in (shift or {}).items()}
    found = []
    noise: dict[tuple[str, int], dict[str, float]] = {}
    for row in of.speed:
        logs = []
        for number in range(rounds):
            # A process is faster or slower for its whole life, whoever it is compared with.
            own = noise.setdefault(
                (row.action, number),
                {build: LUCK / math.sqrt(2.0) * draw.standard_normal() for build in BUILDS},
            )
            moved = slower if row.action == "train" else {}
            logs.append(
                own[_of(row.b)] + moved.get(row.b, 0.0) - own[_of(row.a)] - moved.get(row.a, 0.0)
            )
        found.append(
            Ratios(measurand(row), moments(logs), conditions={"threads": str(row.threads)})
        )
    return JudgedNight(of, tuple(found))


def rebuilt(of: Report, build: str, **more: object) -> Report:
    """Return a report in which a build told something else of itself."""
    return dataclasses.replace(
        of,
        builds=tuple(
            dataclasses.replace(row, **more) if row.build == build else row
            for row in of.builds  # type: ignore[arg-type]
        ),
    )


def staged(of: Report, where: object, **more: object) -> Report:
    """Return a report in which the stage rows that `where` (a function) chooses have other
    values."""
    return dataclasses.replace(
        of,
        stages=tuple(
            dataclasses.replace(row, **more) if where(row) else row
            for row in of.stages  # type: ignore[operator, arg-type]
        ),
    )


def series(
    nights: int,
    step: float = 0.0,
    at: int | None = None,
    deviation: float = 0.007,
    luck: float = LUCK,
    rounds: int = 10,
    seed: int = 0,
) -> Series:
    """Return the ratio of torch to tf2 over nights: a step at one of them, noise of its own each
    night, process luck each round."""
    draw = np.random.RandomState(seed)
    points = []
    for number in range(nights):
        level = deviation * draw.standard_normal() + (
            math.log1p(step) if at is not None and number >= at else 0.0
        )
        told = moments(list(level + luck * draw.standard_normal(rounds)))
        torch = "2.13.0" if at is not None and number >= at else "2.12.0"
        versions = {"tf2": {"tensorflow": "2.21.0"}, "torch": {"torch": torch}}
        day = f"2026-{1 + number // 28:02d}-{1 + number % 28:02d}"
        points.append(
            SeriesPoint(
                f"run{number:03d}", day, told.mean, told.error, told.rounds, "0a1b", versions
            )
        )
    return Series(Measurand("cnn", "tf2", "torch", "fp32", "small", "train"), tuple(points))
