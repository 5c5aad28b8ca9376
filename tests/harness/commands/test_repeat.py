"""`harness repeat` from options to the JSON, on NumPy, which every interpreter has."""

from __future__ import annotations

import datetime
import json
import os

import pytest

from harness.commands import repeat as repeating
from harness.context import Context
from harness.errors import UsageError
from harness.results.verdicts import Repeat

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

FAILING = """
from backends.ports.numpy.linear import Port as Shipped


class Port(Shipped):
    def train(self, source, steps):
        raise ValueError("planted")
"""


def repeat(folder, **chosen):
    context = Context(dict(os.environ), NOW, "harness repeat", lambda _: None)
    asked = repeating.RepeatOptions(
        backends=("numpy",), reports=folder, steps=2, threads=1, **chosen
    )
    return repeating.repeat(asked, context)


def test_a_build_that_repeats(tmp_path):
    """Both modes; NumPy has no deterministic mode, which is said and fails nothing."""
    result = repeat(tmp_path / "reports", json=tmp_path / "copy.json", runs=3)
    verdicts = {(row.mode, row.deterministic): row.verdict for row in result.report.rows}
    assert verdicts == {
        ("lockstep", False): Repeat.IDENTICAL,
        ("native", False): Repeat.IDENTICAL,
        ("lockstep", True): Repeat.UNSUPPORTED,
        ("native", True): Repeat.UNSUPPORTED,
    }
    assert (result.report.exit_code, result.report.price) == (0, ())
    written = json.loads((result.folder / "repeat.json").read_text())
    assert written == json.loads((tmp_path / "copy.json").read_text())
    assert ("BIT-IDENTICAL", 3) == (written["rows"][0]["verdict"], written["rows"][0]["runs"])
    assert not list(result.folder.glob("jobs/*/*.npz"))


def test_a_port_that_fails_is_broken(tmp_path):
    """With the worker's reason, and exit code 4."""
    (tmp_path / "ports" / "numpy").mkdir(parents=True)
    (tmp_path / "ports" / "numpy" / "linear.py").write_text(FAILING)
    result = repeat(tmp_path / "reports", ports=(tmp_path / "ports",))
    assert {Repeat.BROKEN} == {row.verdict for row in result.report.rows}
    reason = result.report.rows[0].reason
    assert (
        reason.startswith("error: in trajectory: ValueError: planted (")
        and "linear.py, line 7, in `train`" in reason
    )
    assert 4 == result.report.exit_code


def test_one_run_is_refused(tmp_path):
    """There would be nothing to compare."""
    with pytest.raises(UsageError, match="--runs 1"):
        repeat(tmp_path, runs=1)


def test_more_runs_than_anybody_waits_for_are_refused(tmp_path):
    """Before anything starts, however many digits the number has."""
    with pytest.raises(UsageError, match=r"--runs 9+: must be at most 10000"):
        repeat(tmp_path / "reports", runs=10**400 - 1)
    assert not (tmp_path / "reports").exists()
