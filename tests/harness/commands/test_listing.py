"""Tables that need no worker."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest

from harness import cli
from harness.commands import listing, options, record
from harness.context import Context
from harness.environments import provision
from harness.errors import UsageError
from harness.workloads import registry


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
