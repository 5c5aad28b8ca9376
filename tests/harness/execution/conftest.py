"""What tests of processes share."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from tests.harness.execution.scenes import ENDS_WITHIN_S, Scene


@pytest.fixture
def scene(tmp_path: Path):
    """What a failing test leaves is killed."""
    made = Scene(tmp_path)
    yield made
    until = time.monotonic() + ENDS_WITHIN_S
    while made.lock.exists() and made.held() and time.monotonic() < until:
        for pid in made.left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
