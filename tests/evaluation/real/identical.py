"""Real comparisons of a build with itself, undisturbed or with another program that takes a core
in their midst."""

from __future__ import annotations

import contextlib
import datetime
import os
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from harness.commands import compare as comparison
from harness.commands import options
from harness.results.model import SpeedRow

#: Takes a core until it is ended.
HOG = "while True: pass"
#: The hog starts so many seconds after the comparison: somewhere between its second and its fourth
#: round.
STARTS_S = (8.0, 22.0)


def compare(
    build: str, workload: str, sides: int, budget_s: float, hog: bool, seed: int
) -> tuple[SpeedRow, ...]:
    """Run so many processes of a build against each other, as `harness compare` does; return its
    rows, two for each pair."""
    disturbed = (
        disturbing(random.Random(seed).uniform(*STARTS_S)) if hog else contextlib.nullcontext()
    )
    with tempfile.TemporaryDirectory() as folder, disturbed:
        chosen = options.Options(
            backends=(build,) * sides,
            workloads=(workload,),
            no_fidelity=True,
            budget=budget_s,
            seed=seed,
            reports=Path(folder),
        )
        context = comparison.Context(
            dict(os.environ),
            datetime.datetime.now().astimezone(),
            "tests.evaluation.real",
            lambda line: None,
        )
        return comparison.compare(chosen, context).report.speed


@contextlib.contextmanager
def disturbing(after_s: float) -> Iterator[None]:
    """Take a core from so many seconds on, until the block ends.

    Raises:
        RuntimeError: it ended before.
    """
    started: list[subprocess.Popen[bytes]] = []
    timer = threading.Timer(
        after_s, lambda: started.append(subprocess.Popen([sys.executable, "-c", HOG]))
    )
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for process in started:
            process.kill()
            process.wait()
    if not started:
        raise RuntimeError(
            f"the comparison ended within {after_s:.0f} s, before anything disturbed it"
        )


def line(row: SpeedRow) -> str:
    """Say what one row found."""
    interval = (
        "no interval"
        if row.ratio is None or row.low is None
        else f"{row.ratio:.3f} [{row.low:.3f}, {row.high:.3f}]"
    )
    return (
        f"{row.workload} {row.a} {row.action} {interval}"
        f" {row.verdict}{' MATERIAL' if row.material else ''} ({row.rounds} rounds)"
    )
