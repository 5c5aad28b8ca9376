"""Comparisons from Python, on the real NumPy build: the engine, the words and the files of the
command, without a line printed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.commands import resolution
from harness.commands.options import Options
from harness.errors import Departed, UsageError
from harness.execution.progress import ProgressStep

ROOT = Path(__file__).parents[3]
BRIEF: dict[str, Any] = {"precision": "fp64", "until": "update", "speed": False}
#: A port whose gradient forgets the penalty.
WRONG = """
from backends.ports.numpy.linear import Port as Shipped

class Port(Shipped):
    def gradients(self, phase, batch):
        made = Shipped.gradients(self, phase, batch)
        made["W"] = made["W"] - self.dtype.type(self.config["l2"]) * self.weights["W"]
        return made
"""


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    """The side with the wrong port."""
    (tmp_path / "mine/numpy").mkdir(parents=True)
    (tmp_path / "mine/numpy/linear.py").write_text(WRONG, encoding="utf-8")
    return f"numpy@{tmp_path / 'mine'}"


def rows(report: harness.Report) -> list[tuple[str, str, float | None]]:
    return [(str(row.stage), str(row.verdict), row.error) for row in report.stages]


def test_it_prints_nothing_and_leaves_nothing(tmp_path: Path, capfd, children):
    """No line, no handler, no thread, no process; progress goes to whom the caller names."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    threads = threading.active_count()
    lines: list[str] = []
    report = harness.compare(
        "linear", backends=["numpy", "numpy"], out=tmp_path, progress=lines.append, **BRIEF
    )
    assert ("", "") == capfd.readouterr()
    assert handlers == {number: signal.getsignal(number) for number in handlers}
    assert threads == threading.active_count() and [] == children()
    assert any(isinstance(line, ProgressStep) for line in lines)
    report.raise_for_verdict()
    report.assert_pass()
    assert {"weights", "forward", "loss", "gradients", "update"} == {
        str(row.stage) for row in report.stages
    }
    assert report.folder is not None and tmp_path == report.folder.parent
    assert harness.load(report.folder) == report


def test_it_is_the_engine_of_the_command(tmp_path: Path, wrong: str):
    """The command that stands in the report finds the same, number by number, and a planted fault
    is found by both."""
    report = harness.compare("linear", backends=["numpy", wrong], out=tmp_path / "one", **BRIEF)
    words = report.command.replace(str(tmp_path / "one"), str(tmp_path / "two")).split()
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", *words[1:]],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert 1 == done.returncode == report.exit_code, done.stderr
    (path,) = (tmp_path / "two").glob("*/report.json")
    assert rows(harness.load(path)) == rows(report)
    assert json.loads(path.read_text())["summary"]["headline"] == report.headline
    with pytest.raises(Departed) as raised:
        report.raise_for_verdict()
    assert ("linear", "gradients", "W") == (
        raised.value.workload,
        raised.value.stage,
        raised.value.tensor.rpartition("/")[2],
    )
    with pytest.raises(AssertionError, match="again: harness compare --workloads linear"):
        report.assert_pass()


def test_what_is_wrong_is_said_in_the_words_of_the_command(tmp_path: Path):
    """Before anything is made on disk."""
    with pytest.raises(UsageError) as raised:
        harness.compare("linear", backends=["numpy", "numpy"], seeds=0, out=tmp_path)
    with pytest.raises(UsageError) as of_command:
        resolution.resolve(Options(backends=("numpy", "numpy"), seeds=0))
    assert str(of_command.value) == str(raised.value) == "--seeds 0: must be at least 1."
    with pytest.raises(UsageError, match="there is no such pair file"):
        harness.compare(tmp_path / "pair.py", out=tmp_path)
    with pytest.raises(UsageError, match="--path: is for pair files"):
        harness.compare("linear", path=tmp_path, out=tmp_path)
    assert [] == [*tmp_path.iterdir()]
