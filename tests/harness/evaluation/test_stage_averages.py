"""A side that keeps an average of its weights beside one that keeps none is never a PASS."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.fidelity.declarations import Declarations
from tests.harness.evaluation.test_stage_rows import Evidence, judge, make, witness

KEPT = np.linspace(0.5, 1.0, 32)
AVERAGE = {
    ("update", "step 1/train/slot/adam/w/average"): KEPT,
    ("trajectory", "step 1/slot/adam/w/average"): KEPT,
}


def averaging(**declared):
    """What a side that keeps an average has left."""
    return dataclasses.replace(
        witness(), evidence=Evidence(AVERAGE), declared=Declarations(**declared)
    )


def verdicts(**sides):
    rows = {row.stage: row for row in judge(make(), **sides)}
    return rows["update"], rows["trajectory"]


@pytest.mark.parametrize("label", ["tf2", "torch"])
def test_it_fails_at_the_update_and_says_who_keeps_one(label):
    update, trajectory = verdicts(**{label: averaging()})
    other = {"tf2": "torch", "torch": "tf2"}[label]
    assert ("FAIL", "INCONCLUSIVE") == (update.verdict, trajectory.verdict)
    assert f"only {label} keeps an average of the weights (adam/w), {other} keeps none" in (
        update.reason
    )
    assert "step 1/train/slot/adam/w/average" == update.worst


def test_both_keep_one():
    assert ["PASS", "PASS"] == [row.verdict for row in verdicts(tf2=averaging(), torch=averaging())]


def test_where_the_other_may_keep_one_it_is_not_decided():
    unseen = dataclasses.replace(
        witness(), declared=Declarations(unseen_averages=("an array is not compared",))
    )
    update, _ = verdicts(tf2=averaging(), torch=unseen)
    assert "INCONCLUSIVE" == update.verdict and "an array is not compared" in update.reason
    # Where no side keeps one, it is none.
    assert ["PASS", "PASS"] == [row.verdict for row in verdicts(torch=unseen)]


def test_one_that_nobody_compares_is_not_decided():
    hidden = averaging(hidden_averages=("a step moves v",))
    update, _ = verdicts(tf2=hidden, torch=averaging())
    assert "INCONCLUSIVE" == update.verdict
    assert "tf2 keeps an average that is not compared: a step moves v" in update.reason
