"""What models of seeds of their own are trained on is what was drawn, whatever lies on disk."""

from __future__ import annotations

import types
from pathlib import Path

import numpy as np
import pytest

from harness.execution import runner, samples
from harness.records import archives, store, tape
from harness.workloads.linear import WORKLOAD

RESULT = {"identity": {"python": "3.11", "platform": "p", "versions": {}}, "abilities": []}


def job(number: int) -> types.SimpleNamespace:
    """Return as much of a job as its inputs need."""
    return types.SimpleNamespace(
        workload="linear", preset="tiny", own_seed=number, name=f"sample{number:03d}"
    )


@pytest.mark.parametrize("damage", ["altered", "truncated"])
def test_data_that_are_not_what_was_drawn_are_written_again(tmp_path: Path, damage: str) -> None:
    """Of all models, which share the file: an earlier run may have left anything under its name."""
    run_context = types.SimpleNamespace(run=tmp_path, workloads={"linear": WORKLOAD})
    first = samples._inputs(run_context, job(0))
    if damage == "altered":
        arrays = archives.read_arrays(first.data)
        archives.write_arrays(first.data, {name: 1 + value for name, value in arrays.items()})
    else:
        first.data.write_bytes(first.data.read_bytes()[:100])
    again = samples._inputs(run_context, job(1))
    assert first.data == again.data
    assert again.data_hash == tape.content_hash(archives.read_arrays(again.data))


def test_a_model_of_another_seed_is_none_of_this_one(tmp_path: Path) -> None:
    """Its folder copied over this one's is whole and sealed, and of another job."""
    sums = {}
    for name in (samples.LOSSES, samples.SAMPLES):
        archives.write_arrays(tmp_path / f"{name}.npz", {"value/total": np.zeros(2)})
        sums[f"{name}.npz"] = runner.checksums.checksum(tmp_path / f"{name}.npz")
    result = {**RESULT, "effective": {}, "files": sums, "terms": ["total"]}
    own = {"workload": "linear", "side": "numpy", "own_seed": 7, "steps": 2}
    store.write_record(tmp_path, own, "ok", "", result, 1.0)
    assert runner.existing(tmp_path, own) is not None
    assert runner.existing(tmp_path, {**own, "own_seed": 8}) is None
    assert runner.existing(tmp_path, {**own, "side": "torch"}) is None
