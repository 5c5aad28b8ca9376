"""Rounds of the ports of `tests/e2e/turns`, too short to be precise."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path

import pytest

from harness import plan
from harness.commands import options, resolution
from harness.environments import staging
from harness.execution import rounds, runner
from harness.execution.processes import Limits
from harness.execution.worker_environment import clean_environment
from harness.speed import disturbance, schedule, steadiness
from harness.workloads import registry

TURNS = Path(__file__).parents[1] / "e2e/turns"


def run_context(folder: Path, monkeypatch: pytest.MonkeyPatch) -> runner.RunContext:
    """Return what rounds need, in a folder, and make them too short to be precise."""
    monkeypatch.setattr(rounds, "WARMUP_S", 0.01)
    monkeypatch.setattr(rounds, "MEASURE_S", 0.02)
    monkeypatch.setattr(rounds, "PROBE_S", 0.03)
    monkeypatch.setattr(schedule, "MIN_ROUNDS", 2)
    # What other programs do to so short rounds while the tests run is no part of them.
    monkeypatch.setattr(disturbance, "WAITED", 2.0)
    monkeypatch.setattr(disturbance, "LOST", math.inf)
    monkeypatch.setattr(steadiness, "CHANGE", math.inf)
    environ = clean_environment({**os.environ, "XDG_CACHE_HOME": str(folder / "cache")})
    python = {"numpy": Path(sys.executable)}
    return runner.RunContext(
        folder / "run",
        staging.prepare(environ),
        python,
        environ,
        registry.known((TURNS,)),
        Limits(request_s=20.0),
    )


def planned(*places: str) -> plan.SpeedJob:
    """Plan the timing of ports of `turns`, phase by phase; "" is the honest one."""
    chosen = options.Options(
        backends=tuple(f"numpy@{TURNS / place}" if place else "numpy" for place in places),
        workloads=("turns",),
        precision=("fp64",),
        preset="tiny",
        ports=(TURNS,),
        no_fidelity=True,
        threads=1,
        per_phase=True,
    )
    (job,) = plan.make(resolution.resolve(chosen)).speed
    return job
