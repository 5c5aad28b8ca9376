"""Tables that need no worker."""

from __future__ import annotations

from harness.commands import listing
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
