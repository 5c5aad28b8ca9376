"""A workload and ports that live outside the tree are compared by their folder alone: nothing
needs the core."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
OUTSIDE = HERE / "outside"


def compare(tmp_path, *backends, precision=("fp64",)):
    """Run `harness compare` on wine; return its exit code, its document and what it said."""
    document = tmp_path / "report.json"
    command = [
        sys.executable,
        "-m",
        "harness.cli",
        "compare",
        "--ports",
        OUTSIDE,
        "--workloads",
        "wine",
        "--backends",
        *backends,
    ]
    command += [
        "--precision",
        *precision,
        "--no-speed",
        "--threads",
        "1",
        "--reports",
        tmp_path / "reports",
        "--json",
        document,
    ]
    done = subprocess.run(
        [str(word) for word in command],
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert document.exists(), done.stderr
    return done.returncode, json.loads(document.read_text()), done.stdout + done.stderr


def test_a_pair_of_ports_in_a_folder_passes(tmp_path):
    """A spec and two ports of thirty lines each: the whole ladder, exit 0."""
    code, document, said = compare(tmp_path, "tf2", "torch", precision=("fp64", "fp32"))
    assert 0 == code, said
    assert "PASS" == document["summary"]["fidelity"]
    judged = {
        (row["precision"], row["stage"]) for row in document["stages"] if row["verdict"] == "PASS"
    }
    assert {
        ("fp64", stage)
        for stage in ("weights", "forward", "loss", "gradients", "update", "trajectory")
    } <= judged


def test_a_port_that_went_astray_fails_by_stage_and_tensor(tmp_path):
    """The same build twice, once with a port of another folder: exit 1, and the first thing that
    departs is named."""
    code, document, said = compare(tmp_path, "torch", f"torch@{HERE / 'astray'}")
    assert 1 == code, said
    first = next(row for row in document["stages"] if row["verdict"] == "FAIL")
    assert ("loss", "train/total") == (first["stage"], first["worst"])
    assert "loss" in said and "train/total" in said
    assert f"torch@{HERE / 'astray'}" in first["command"]


def test_a_port_with_the_required_methods_only_is_judged_by_what_it_has(tmp_path):
    """Weights, what it generates and the trajectory are judged; the other stages are said not to
    have been looked at."""
    code, document, said = compare(tmp_path, "numpy", "torch")
    assert 0 == code, said
    rows = {row["stage"]: row for row in document["stages"]}
    assert ["PASS"] * 3 == [
        rows[stage]["verdict"] for stage in ("weights", "forward", "trajectory")
    ]
    for stage, method in (("loss", "losses"), ("gradients", "gradients"), ("update", "train_step")):
        assert "INFO" == rows[stage]["verdict"]
        assert "not looked at" in rows[stage]["reason"] and f"`{method}`" in rows[stage]["reason"]
    assert (
        "not looked at: activations, the port of numpy has no `forward`"
        in rows["forward"]["reason"]
    )
