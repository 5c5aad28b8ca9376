"""The checkout that this harness runs from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.execution import processes
from harness.execution.worker_environment import tool_environment

GIT_S = 10.0


def commit(environ: Mapping[str, str]) -> str:
    """Return the commit of the checkout that this harness runs from, with `-dirty` where files
    differ; empty if it is installed."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    words = ["git", "-C", str(root), "describe"]
    words += ["--always", "--dirty", "--abbrev=40", "--exclude", "*"]
    code, text = processes.capture(words, env=tool_environment(environ), timeout_s=GIT_S)
    return text.strip() if code == 0 else ""
