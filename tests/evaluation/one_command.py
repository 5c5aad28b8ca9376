"""`harness compare`, as a user types it, and the report that it leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIMIT_S = 3600.0


def compare(words: Sequence[str], folder: Path) -> tuple[dict[str, Any] | str, float]:
    """Compare without speed; return the report, or the last line of a command that made none, and
    how long it took.

    Args:
        words: of the command. folder: where it runs.
    """
    argv = [sys.executable, "-m", "harness.cli", "compare", *words, "--no-speed"]
    argv += ["--reports", "reports", "--limit", f"{LIMIT_S:.0f}"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = time.monotonic()
    ended = subprocess.run(
        argv, cwd=folder, env=environ, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    lasted = time.monotonic() - started
    reports = sorted(folder.glob("reports/**/report.json"))
    if reports:
        return json.loads(reports[-1].read_text(encoding="utf-8")), lasted
    lines = [line for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
    return (lines or ["nothing was said"])[-1], lasted
