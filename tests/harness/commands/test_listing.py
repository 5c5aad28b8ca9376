"""Tables that need no worker."""

from __future__ import annotations

import dataclasses
import datetime
import os
from pathlib import Path

import numpy as np
import pytest

from backends.recording import sketch
from harness import cli, plan
from harness.commands import listing, options, record
from harness.context import Context
from harness.environments import provision
from harness.errors import UsageError
from harness.workloads import registry
from harness.workloads.spec import Optimizer, Parameter, Workload


def test_the_list_says_which_workloads_run_only_when_named():
    """Each with its backends, presets and what it is; those that take data say so."""
    rows = {name: others for name, *others in listing.workloads(())}
    assert {
        name: "by default" if item.default else "when named"
        for name, item in registry.known(()).items()
    } == {name: runs for name, (_, _, runs, _) in rows.items()}
    assert ["tf1 tf2 torch", "tiny small paper", "when named"] == rows["ehr_mgan"][:3]
    assert {"ehr_mgan", "ehr_mgan_conditional"} == {
        name for name, row in rows.items() if "--data" in row[3]
    }
    assert "class" in rows["ehr_mgan_conditional"][3] and "class" not in rows["ehr_mgan"][3]


class Large(Workload):
    """A pair with a large parameter and a small one."""

    name, backends, pair = "large", ("tf2", "torch"), "large.py"
    VALUES = 2**20 + 3

    def hyperparameters(self, preset):
        return {"batch": 1}

    def parameters(self, hyper):
        return tuple(Parameter(name, (size,)) for name, size in (("w", self.VALUES), ("b", 8)))

    def optimizers(self, hyper):
        return {"sgd": Optimizer("sgd", 0.125)}

    def data(self, hyper):
        return {}


def test_a_dry_run_of_a_recording_records_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """It shows the jobs, and no timing, which `harness run` has none of."""
    monkeypatch.setattr(provision, "available", lambda _: None)
    monkeypatch.setattr(record, "run", lambda *_: pytest.fail("it ran"))
    words = ["run", "--backends", "torch", "--workloads", "linear", "--dry-run", "--reports"]
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, str(tmp_path / "reports")])
    said = capsys.readouterr().out
    assert 0 == ended.value.code and not (tmp_path / "reports").exists()
    assert "build torch" in said and "records" in said and "--budget" not in said


@pytest.mark.parametrize("no_speed", [False, True])
def test_a_recording_without_fidelity_is_refused(tmp_path: Path, no_speed: bool) -> None:
    """It would be nothing at all; the dry run says so too."""
    chosen = options.Options(
        backends=("torch",), no_fidelity=True, no_speed=no_speed, reports=tmp_path / "reports"
    )
    around = Context(os.environ, datetime.datetime.now().astimezone(), "harness run", print)
    with pytest.raises(UsageError, match=r"nothing is left to do\. Drop it"):
        record.run(chosen, around)
    with pytest.raises(UsageError, match=r"nothing is left to do\. Drop it"):
        listing.dry_run(chosen, around, judged=False)
    assert not (tmp_path / "reports").exists()


def test_the_disk_that_a_large_pair_takes_is_that_of_its_sketches() -> None:
    """By the rule that recording goes by: of large tensors a 32nd in float64, a 16th below it."""
    workload, sides = Large(), tuple(plan.Side(name, name, name) for name in ("tf2", "torch"))
    request = plan.Request(
        workloads=(workload,),
        sides=sides,
        precisions=("fp64", "fp32"),
        stages=("weights",),
        preset=None,
        device="cpu",
        execution="default",
        seeds=(0,),
        threads=1,
        fidelity_threads=1,
    )
    jobs = {job.precision: job for job in plan.make(request).jobs}
    for precision, width in (("fp64", 8), ("fp32", 4)):
        found = listing._bytes(jobs[precision], request)
        record = sketch.sketch(np.zeros(Large.VALUES)).nbytes + 8 * width
        assert found == record * listing.SNAPSHOTS
        whole = dataclasses.replace(jobs[precision], sketch_from=0)
        assert listing._bytes(whole, request) == (Large.VALUES + 8) * width * listing.SNAPSHOTS
