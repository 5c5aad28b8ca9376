"""Curves and spreads of recorded runs: a file that cannot be read leaves its own out, and
nothing else."""

from __future__ import annotations

import dataclasses
import types
from pathlib import Path

import numpy as np
import pytest

from harness import plan
from harness.commands import options, resolution
from harness.evaluation import curves
from harness.records import archives, store
from harness.workloads import registry
from tests.harness import contents

TERM = "total"


@pytest.fixture
def sampled(tmp_path: Path):
    """Trained models of two sides, three seeds each, as their jobs leave them on disk."""
    chosen = options.Options(
        backends=("tf2", "torch"),
        workloads=("ehr_mgan",),
        preset="tiny",
        stages=("distribution",),
        seeds=3,
        no_speed=True,
    )
    planned = plan.make(resolution.resolve(chosen))
    records = {}
    for job in planned.samples:
        folder = tmp_path / job.name
        values = np.arange(40.0) + job.number
        archives.write_arrays(
            folder / "losses.npz", {f"value/{TERM}": values, f"step/{TERM}": np.arange(40)}
        )
        archives.write_arrays(
            folder / "samples.npz", {"samples": np.full((5, 2, 3), float(job.number))}
        )
        records[job.name] = store.Record(
            folder, job.describe(), "ok", "", contents.sampled(TERM), 0.0
        )
    return planned, records


def test_curves_are_bands_over_seeds(sampled):
    """Steps counted from 1."""
    planned, records = sampled
    found = curves.curves(planned, {}, records)
    assert {("native", 3)} == {(curve.mode, curve.seeds) for curve in found} and len(
        planned.samples
    ) == 3 * len(found)
    assert (1, 40, 1.0, 40.0) == (
        found[0].steps[0],
        found[0].steps[-1],
        found[0].middle[0],
        found[0].middle[-1],
    )
    assert all(
        low < middle < high
        for low, middle, high in zip(found[0].low, found[0].middle, found[0].high, strict=True)
    )


def test_a_file_that_cannot_be_read_leaves_its_own_seed_out(sampled):
    """The others are drawn; what did not end ok is passed over."""
    planned, records = sampled
    first, second = planned.samples[0].name, planned.samples[1].name
    (records[first].folder / "losses.npz").write_bytes(b"no archive")
    (records[first].folder / "samples.npz").write_bytes(b"no archive")
    records[second] = dataclasses.replace(records[second], status="error")
    found = curves.curves(planned, {}, records)
    assert 1 == found[0].seeds and () == found[0].low
    spreads = curves.spreads(
        planned, records, types.SimpleNamespace(workloads={"ehr_mgan": registry.get("ehr_mgan")})
    )
    models = [one.models for one in spreads if one.build == planned.samples[0].side]
    assert [1] == models
