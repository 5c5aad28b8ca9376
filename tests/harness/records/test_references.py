"""Recorded references: intact, refused where they do not fit, and a side of a comparison where
TF 1.15.5 cannot be had."""

from __future__ import annotations

import dataclasses
import datetime
import os
import shutil
import sys
from pathlib import Path

import pytest

from harness import plan
from harness.commands import (
    compare,
    fidelity_jobs,
    interpreters,
    listing,
    options,
    record,
    resolution,
)
from harness.errors import Busy, CorruptRecord, NewerSchema, RecordError, UsageError
from harness.evaluation import stage_rows
from harness.records import references, runs

SHIPPED = references.shipped()
LINEAR = SHIPPED / "linear-tiny-fp64-seed0.json"


def job(**changed):
    """The TF1 side of a float64 comparison of `linear`."""
    request = resolution.resolve(
        options.Options(
            backends=("tf1", "numpy"), workloads=("linear",), precision=("fp64",), no_speed=True
        )
    )
    return dataclasses.replace(plan.make(request).jobs[0], **changed)


def hashes():
    """The tape and data that the shipped reference was recorded on."""
    provenance = references.read(LINEAR).provenance
    return provenance.tape_hash, provenance.data_hash


def test_the_shipped_references_are_intact_and_of_the_real_tf1():
    """Every workload in float64 and float32, recorded by TF 1.15.5 on Python 3.7, on today's
    tapes, small: EHR-M-GAN's 3 MB."""
    rows = listing.references(SHIPPED)
    names = {
        f"{workload}-tiny-{precision}-seed0"
        for workload in ("linear", "cnn", "ehr_mgan")
        for precision in ("fp64", "fp32")
    }
    assert names == {row[0] for row in rows}
    assert {"tensorflow 1.15.5"} == {row[1] for row in rows} and all(
        row[2].startswith("3.7.") for row in rows
    )
    sizes = {path.name: path.stat().st_size for path in SHIPPED.iterdir()}
    assert sum(size for name, size in sizes.items() if name.startswith("ehr_mgan")) <= 3_000_000
    assert sum(size for name, size in sizes.items() if not name.startswith("ehr_mgan")) < 1_000_000
    assert {"ok"} == {row[1] for row in record.verify(SHIPPED)}


def test_a_damaged_reference_is_named(tmp_path):
    """One byte more, a newer schema, no JSON: which file, and what to do; `verify` reports it
    instead of stopping."""
    shutil.copytree(SHIPPED, tmp_path / "copy")
    path = tmp_path / "copy" / LINEAR.name
    with path.with_suffix(".npz").open("ab") as file:
        file.write(b"x")
    with pytest.raises(CorruptRecord, match="linear-tiny-fp64-seed0 is damaged; record it again"):
        references.read(path)
    path.write_text(path.read_text().replace('"schema": 3', '"schema": 99'))
    with pytest.raises(NewerSchema, match="99"):
        references.read(path)
    path.write_text("{}")
    with pytest.raises(CorruptRecord):
        references.read(path)
    assert ["failed"] == [
        row[1] for row in record.verify(tmp_path / "copy") if row[0] == LINEAR.stem
    ]


@pytest.mark.parametrize(
    ("said", "changed", "tape"),
    [
        ("no recorded reference", {"seed": 1}, None),
        ("no recorded reference", {"preset": "small"}, None),
        ("another tape", {}, "0" * 64),
        ("over 50 steps", {"steps": 7}, None),
        ("powers of beta", {"powers": "float32"}, None),
    ],
)
def test_a_reference_stands_only_for_what_it_recorded(said, changed, tape):
    """Another seed, preset, tape, length or chain is refused with what there is."""
    recorded, data = hashes()
    with pytest.raises(RecordError, match=said):
        references.find(job(**changed), SHIPPED, tape or recorded, data)


def test_a_reference_never_stands_for_ports_of_the_users_own(tmp_path):
    """Nor for another device or another way to execute."""
    for expected, changed in (
        (True, {}),
        (True, {"execution": "graph"}),
        (False, {"execution": "compiled"}),
        (False, {"ports": (tmp_path,)}),
    ):
        chosen = options.Options(backends=("tf1", "numpy"), workloads=("linear",), **changed)
        assert expected == references.stands_for("tf1", resolution.resolve(chosen))
    assert not references.stands_for(
        "torch",
        resolution.resolve(options.Options(backends=("torch", "numpy"), workloads=("linear",))),
    )


def test_a_side_folder_without_the_port_is_refused(tmp_path):
    """The shipped port does not stand in for a misspelt one."""
    with pytest.raises(UsageError, match="there is no port of linear"):
        resolution.resolve(
            options.Options(backends=("numpy", f"numpy@{tmp_path}"), workloads=("linear",))
        )


def test_numpy_agrees_with_the_recorded_tf1(tmp_path):
    """Where the build cannot be had, its references are a side like any other, and a wrong tape
    leaves nothing to judge."""
    chosen = options.Options(
        backends=("tf1", "numpy"), workloads=("linear",), precision=("fp64",), no_speed=True
    )
    request = resolution.resolve(chosen)
    context = compare.Context(
        dict(os.environ),
        datetime.datetime.now().astimezone(),
        "harness compare",
        lambda _line: None,
    )
    located = interpreters.Located(
        {"numpy": Path(sys.executable)}, {"numpy": "here"}, {"tf1": "no Python 3.7"}
    )
    run_context = fidelity_jobs.make_run_context(tmp_path, located, request, context)
    planned = plan.make(request)
    ran = fidelity_jobs.run_lockstep(run_context, planned, located, context)
    rows = stage_rows.stage_rows(planned, ran.evidences)
    assert [(stage, "PASS") for stage in plan.LOCKSTEP_STAGES] == [
        (row.stage, row.verdict) for row in rows
    ]
    assert {("tf1", "recorded", "ok"), ("numpy", "fidelity", "ok")} == {
        (row.build, row.kind, row.status) for row in ran.jobs
    }
    assert "1.15.5" == ran.builds["tf1"].versions["tensorflow"]


def test_a_run_has_one_owner(tmp_path):
    """A second process neither resumes nor cleans what another is working in."""
    run = runs.create(
        tmp_path, "what", "key", "harness compare", datetime.datetime.now().astimezone()
    )
    with runs.held(run.folder):
        assert runs.is_held(run.folder) and runs.unfinished(tmp_path, "key") is None
        with pytest.raises(Busy, match="another harness"), runs.held(run.folder):
            pass
    assert not runs.is_held(run.folder) and runs.unfinished(tmp_path, "key") is not None
