"""What this machine can run of a matrix."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import BuildError, InterpreterMissing, ProvisionFailed
from harness.nightly import config, support

MATRIX = """
[night]
budget_s = 60
[[matrix]]
name = "one"
workloads = ["linear"]
builds = [{builds}]
judge = ["{judge}"]
"""
NO_PYTHON, NO_NETWORK = (
    InterpreterMissing("no working Python 3.7"),
    ProvisionFailed("tox could not"),
)


def able(folder: Path, builds: str, judge: str, **missing: BuildError) -> support.Able:
    """Return what can run of a cell if some of its builds cannot be had."""
    path = folder / "nightly.toml"
    path.write_text(
        MATRIX.format(builds=", ".join(f'"{name}"' for name in builds.split()), judge=judge)
    )
    made = config.load(path)
    found = {(name, "cpu"): missing.get(name) for name in builds.split()}
    return support.able(made, made.cells[0], found)


def test_a_build_that_cannot_be_had_is_left_out(tmp_path: Path) -> None:
    """Two are left: they are compared, and the third is listed with its reason."""
    found = able(tmp_path, "tf2 torch numpy", "fidelity", torch=NO_NETWORK)
    assert (("tf2", "numpy"), "") == (found.builds, found.reason)
    assert [("torch", "tox could not")] == [(item.build, item.reason) for item in found.left_out]


def test_one_build_is_no_comparison(tmp_path: Path) -> None:
    """One is left: the cell cannot run, and says why."""
    found = able(tmp_path, "tf2 torch", "fidelity", torch=NO_NETWORK)
    assert (
        () == found.builds
        and "1 of the 2 builds can run here, 2 are needed. tox could not" == found.reason
    )


@pytest.mark.parametrize(
    ("judge", "error", "kept"),
    [
        ("fidelity", NO_PYTHON, True),
        ("fidelity", NO_NETWORK, False),
        ("speed", NO_PYTHON, False),
    ],
)
def test_references_stand_for_tensorflow_1(
    tmp_path: Path, judge: str, error: BuildError, kept: bool
) -> None:
    """Without Python 3.7, fidelity is judged against what the real TensorFlow 1.15.5 computed; a
    reference has no speed."""
    assert kept == ("tf1" in able(tmp_path, "tf1 tf2 torch", judge, tf1=error).builds)
