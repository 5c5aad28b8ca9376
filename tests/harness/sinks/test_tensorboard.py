"""Event files, read back with TensorBoard's own readers."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import SendingFailed
from harness.results.model import Report
from harness.sinks import tensorboard
from tests.harness.sinks.conftest import STEPS

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.filterwarnings("default")


def read(path: Path) -> dict[str, dict[int, float]]:
    """Return the scalars of a file by tag and step, as TensorBoard accumulates them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(path), size_guidance={"scalars": 0})
    found.Reload()
    return {
        tag: {item.step: item.value for item in found.Scalars(tag)}
        for tag in found.Tags()["scalars"]
    }


def test_every_build_and_seed_has_a_curve(report: Report, tmp_path: Path):
    """The same tags everywhere, so that TensorBoard overlays builds and seeds; NaN and infinity
    are where they were."""
    written = tensorboard.write(report, tmp_path)
    runs = {path.relative_to(tmp_path).parts[1:-1]: read(path) for path in written}
    native = ("curves", "cnn", "tiny", "fp32", "native")
    lines = sorted(run[5:] for run in runs if run[:5] == native)
    assert [
        ("tf2", "seed 11"),
        ("tf2", "seed 12"),
        ("torch_mine.ports _a_", "seed 11"),
        ("torch_mine.ports _a_", "seed 12"),
    ] == lines
    first, second = runs[(*native, "tf2", "seed 11")], runs[(*native, "tf2", "seed 12")]
    assert (
        3 == len(first)
        and set(first) == set(second)
        and all(tag.startswith("loss/") for tag in first)
    )
    assert "loss/loss _x_ y" in first
    for values, last in ((first, math.nan), (second, math.inf)):
        for points in values.values():
            assert STEPS == tuple(points) and repr(last) == repr(points[10])
    assert {1: 3.0, 5: 2.0, 10: 1.0} == runs[
        "curves", "cnn", "tiny", "fp64", "lockstep", "tf2", "seed 0"
    ]["loss/train.total"]


def test_a_report_without_seeds_of_its_own_has_their_quantiles(report: Report, tmp_path: Path):
    """What was written before seeds were kept still has its band."""
    written = tensorboard.write(report, tmp_path)
    lines = {
        path.parts[-2]: read(path)["loss/train.total"][10]
        for path in written
        if "linear" in path.parts
    }
    assert {"p10": 1.0, "p50": 2.0, "p90": 3.0} == lines


def test_judged_figures_are_scalars(report: Report, tmp_path: Path):
    """Errors and ratios, as single points."""
    judged = next(path for path in tensorboard.write(report, tmp_path) if "judged" in path.parts)
    found = read(judged)
    assert {0: pytest.approx(1.2345)} == found[
        "speed/cnn/small/fp32/seed 0/tf1-compat - torch/train/ratio"
    ]
    assert {0: pytest.approx(3.1e-4)} == found[
        "fidelity/cnn/preset/fp64/seed 0/tf1-compat - torch/loss/error"
    ]


def test_writing_again_replaces_with_the_same_bytes(report: Report, tmp_path: Path):
    """No second file, no other byte, also after a file was cut short."""
    first = {path: path.read_bytes() for path in tensorboard.write(report, tmp_path)}
    next(iter(first)).write_bytes(b"cut")
    again = tensorboard.write(report, tmp_path)
    assert first == {path: path.read_bytes() for path in again}
    assert sorted(first) == sorted(path for path in tmp_path.rglob("*") if path.is_file())


def test_a_damaged_file_is_noticed_by_the_reader(report: Report, tmp_path: Path):
    """The reader checks sums: the planted fault, one flipped byte, costs what comes after it. So
    the other tests' reading is proof."""
    judged = next(path for path in tensorboard.write(report, tmp_path) if "judged" in path.parts)
    whole = judged.read_bytes()
    judged.write_bytes(whole[:60] + bytes([whole[60] ^ 1]) + whole[61:])
    assert {} == read(judged)


def test_a_folder_that_cannot_be_written_is_an_error(report: Report, tmp_path: Path):
    """A file lies where a folder has to be."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SendingFailed, match="cannot be written"):
        tensorboard.write(report, tmp_path / "file")


def test_no_framework_is_imported(run: Path, tmp_path: Path):
    """A TensorFlow beside the harness, which TensorBoard's own file writer would import, stays
    alone."""
    for name in ("tensorflow", "torch"):
        (tmp_path / f"{name}.py").write_text(
            f"raise SystemExit('{name} was imported')\n", encoding="utf-8"
        )
    words = [
        sys.executable,
        "-m",
        "harness.cli",
        "send",
        str(run),
        "--tensorboard",
        str(tmp_path / "out"),
    ]
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        words, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert 0 == done.returncode and "event files" in done.stderr, done.stderr
