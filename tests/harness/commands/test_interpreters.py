"""A build named twice may run in two interpreters; a label that no side has is refused."""

from __future__ import annotations

import datetime
import os
import sys
import venv
from pathlib import Path

import pytest

from harness.commands import interpreters, options, resolution
from harness.context import Context
from harness.errors import FrameworkMissing, UsageError

CONTEXT = Context(
    dict(os.environ),
    datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    "harness compare",
    pytest.fail,
)


def locate(*python: str) -> interpreters.Located:
    """Locate `numpy numpy` with interpreters named."""
    chosen = options.Options(backends=("numpy", "numpy"), workloads=("linear",), python=python)
    return interpreters.locate(resolution.resolve(chosen), CONTEXT)


def test_a_side_has_its_own_interpreter() -> None:
    """`numpy#2=PATH` is the second side's alone; the first keeps the build's."""
    found = locate(f"numpy#2={sys.executable}")
    assert {"numpy", "numpy#2"} == found.interpreters.keys()
    assert ("the harness's own interpreter", "--python") == (
        found.origins["numpy"],
        found.origins["numpy#2"],
    )


def test_an_interpreter_of_a_side_is_asked_for_the_framework(tmp_path: Path) -> None:
    """An empty environment cannot serve a side."""
    venv.create(tmp_path / "bare", symlinks=True)
    with pytest.raises(FrameworkMissing, match="needs numpy"):
        locate(f"numpy#2={tmp_path / 'bare/bin/python'}")


def test_a_label_that_no_side_has_is_refused() -> None:
    """The message names the sides there are."""
    with pytest.raises(UsageError, match=r"numpy#3.*there is no such side. Sides: numpy, numpy#2"):
        locate(f"numpy#3={sys.executable}")
