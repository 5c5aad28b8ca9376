"""The zoo: all mutants can be planted, one of each stage is caught in its place, the peers' rules
and the tables do their work.

`tox run -e zoo` runs the whole; this is the part that every change has to pass.
"""

from __future__ import annotations

import dataclasses
import itertools
import logging

import numpy as np
import pytest

from harness.fidelity.verdict import StageVerdict, TensorVerdict
from tests.evaluation.zoo import catalogue, peers, tables
from tests.evaluation.zoo.__main__ import good
from tests.evaluation.zoo.census import Finding, examine
from tests.evaluation.zoo.honest import (
    MEASURED,
    UNSEEN,
    Comparison,
    compare_equivalents,
    compare_threads,
    series,
)
from tests.evaluation.zoo.mutant import Mutant, plant

LOG = logging.getLogger(__name__)
AT_LEAST = 65
#: One mutant for each stage, of as many workloads as there are.
CHOSEN = {
    mutant.stage: mutant
    for mutant in reversed(catalogue.planted())
    if mutant.precision == "fp64" and mutant.workload != "ehr_mgan"
}
MUTANT = Mutant(6, "some", "cnn", (('**config["batch_norm"]', "**{}"),), "forward", "batch_norm")


def test_every_bug_is_planted_or_has_a_reason():
    """At least 65 of the 80 are planted."""
    reasons = catalogue.left_out()
    assert [] == [bug for bug, reason in reasons.items() if len(reason) < 20]
    assert len(catalogue.BUGS) - len(reasons) >= AT_LEAST
    assert {*catalogue.BUGS} == {*range(1, 81)} >= {mutant.bug for mutant in catalogue.planted()}


@pytest.mark.parametrize("mutant", catalogue.planted(), ids=lambda mutant: mutant.name)
def test_every_mutant_can_be_planted(mutant, tmp_path):
    """What it replaces is there exactly once, and what comes of it is Python."""
    found = sorted((plant(mutant, tmp_path) / "torch").rglob("*.py"))
    assert found
    for path in found:
        compile(path.read_text(encoding="utf-8"), path, "exec")


@pytest.mark.parametrize("old", ["no such text", "self"])
def test_a_text_that_is_not_there_once_is_refused(old, tmp_path):
    """When a port changes, its mutants have to follow."""
    with pytest.raises(ValueError, match=r"mutant some: .* times in cnn\.py, not once"):
        plant(dataclasses.replace(MUTANT, changes=((old, "x"),)), tmp_path)


@pytest.mark.parametrize("stage", CHOSEN)
def test_one_mutant_of_each_stage_is_caught_in_its_place(laboratory, tmp_path, stage):
    """The stages before it pass, and the tensor is the one that was changed."""
    (found,) = examine(laboratory, [CHOSEN[stage]], tmp_path)
    LOG.info(f"{stage} {found.mutant.name}: {found.place} {found.margin:.1e}")
    assert found.in_place, found


def test_the_subset_covers_every_stage_of_the_ladder():
    """But the distribution, which has tests of its own."""
    assert {"weights", "forward", "loss", "gradients", "update", "trajectory"} == {*CHOSEN}


def seen(change=0.0, gradient=0.0):
    """Return two sides that differ by `change` in everything inferred and by `gradient` in
    gradients."""
    full = {
        "forward/generate": np.linspace(1.0, 2.0, 20),
        "forward/inference/hidden": np.linspace(-1.0, 1.0, 20),
        "loss/train/total": np.array(0.7),
        "gradients/train/w": np.linspace(0.1, 0.2, 20),
        "trajectory/step 1/loss/total": np.array(0.7),
    }
    a = {name: value.astype(np.float32) for name, value in full.items()}
    b = {
        name: value + np.float32(gradient if name.startswith("gradients") else change)
        for name, value in a.items()
    }
    return peers.Seen(a, b, full)


@pytest.mark.parametrize(
    ("rule", "blind"),
    [
        (peers.allclose, True),
        (peers.largest_difference, True),
        (peers.polygraphy, True),
        (peers.algoperf, False),
    ],
)
def test_a_rule_of_a_peer_sees_what_it_looks_at(rule, blind):
    """A difference of 10 % is seen, none is not, and one in the gradients only by a rule that
    looks there."""
    assert (False, True) == (rule(seen()), rule(seen(0.1)))
    assert blind is not rule(seen(0.0, 0.1))


def test_two_sides_of_one_build_are_honest(laboratory, tmp_path):
    """On two threads, and by another formula: each under a label of its own."""
    compared = [
        *itertools.islice(compare_threads(laboratory, "linear", range(1)), 1),
        *itertools.islice(compare_equivalents(laboratory, tmp_path, 0), 1),
    ]
    for item in compared:
        assert item.a != item.b and item.b.endswith("#2")
        assert () == item.alarms and len(item.verdicts) >= 6


def test_the_rules_of_torch_run_in_its_interpreter(laboratory, tmp_path):
    """The real `assert_close` and `same`, on pairs that are equal and that are not."""
    asked = peers.Peers(tmp_path, laboratory.stand.interpreters["torch"])
    asked.folder.mkdir(exist_ok=True)
    for name, pair in (("equal", seen()), ("apart", seen(0.1)), ("gradients", seen(0.0, 0.1))):
        np.savez(
            asked.folder / f"{name}.npz",
            **{
                f"{side}|{key}": value
                for side in ("a", "b", "full")
                for key, value in getattr(pair, side).items()
                if "hidden" not in key
            },
        )
        asked.said[name] = {}
    assert {"equal": (False, False), "apart": (True, True), "gradients": (False, True)} == {
        name: tuple(found.values()) for name, found in asked.answers().items()
    }


def comparison(verdict="PASS", error=1.0, workload="cnn"):
    tensor = TensorVerdict("x", verdict, "", error * 1e-15, 1e-15, 8e-15)
    return Comparison(
        "builds",
        workload,
        "tiny",
        "fp64",
        0,
        "tf2",
        "torch",
        (StageVerdict("forward", verdict, "", tensor, (tensor,)),),
    )


def test_a_miss_or_a_false_alarm_is_not_good():
    """95 % caught, 90 % at their stage, no alarm, nothing left open, 200 comparisons."""
    caught = Finding(MUTANT, "FAIL", "forward", "training/batch_norm", 1e12, "")
    late, missed = (
        dataclasses.replace(caught, stage="loss"),
        dataclasses.replace(caught, verdict="PASS", stage=""),
    )
    honest = [comparison()] * 200
    assert good([caught] * 19 + [missed], honest, whole=True) and good(
        [caught] * 9 + [late], honest, whole=True
    )
    assert not good([caught] * 18 + [missed], honest, whole=True) and not good(
        [caught] * 8 + [late], honest, whole=True
    )
    assert not good([caught], honest[1:], whole=True) and not good(
        [caught], [*honest, comparison("FAIL")], whole=True
    )
    assert not good([caught], [*honest, comparison("INCONCLUSIVE")], whole=True) and not good(
        [], honest, whole=True
    )


def test_false_alarms_are_counted_on_tapes_that_no_threshold_has_seen():
    """However many seeds a series has."""
    most = max(len(one.seeds) + max(one.seeds) for one in series(["zoo_norm"]))
    assert MEASURED + most < UNSEEN


def test_tables_say_what_was_not_as_expected():
    """A late catch is set off, a miss has the judge's own words."""
    caught = Finding(MUTANT, "FAIL", "forward", "training/batch_norm", 5.6e12, "")
    late, missed = (
        dataclasses.replace(caught, stage="loss", place="total"),
        Finding(MUTANT, "PASS", "", "", 0.0, "every stage passed"),
    )
    assert "| F | F | `training/batch_norm` | 6e12 |" in tables.bugs([caught])
    assert "| F | **L** | `total` |" in tables.bugs([late]) and "**missed** (PASS)" in tables.bugs(
        [missed]
    )
    assert "None" in tables.survivors([caught]) and "every stage passed" in tables.survivors(
        [missed]
    )
    assert "Caught: 1 of 2 (50.0 %)" in tables.summary([caught, missed], [comparison("FAIL")])
    assert "false alarms: 1, not decided: 0" in tables.summary([caught], [comparison("FAIL")])
    unsure = Finding(
        dataclasses.replace(MUTANT, verdict="INCONCLUSIVE"),
        "INCONCLUSIVE",
        "forward",
        "training/dropout",
        1.0,
        "",
    )
    said = tables.summary([caught, unsure], [comparison("INCONCLUSIVE")])
    assert "1 by FAIL and 1 by INCONCLUSIVE" in said and "false alarms: 0, not decided: 1" in said


def test_the_page_names_every_mutant():
    """Written by the program, not by hand: a mutant that is not there was never shown."""
    text = tables.PAGE.read_text(encoding="utf-8")
    assert [] == [mutant.name for mutant in catalogue.planted() if f" {mutant.name} |" not in text]
    assert [] == [
        bug for bug in catalogue.left_out() if f"| {bug} | {catalogue.BUGS[bug][0]} |" not in text
    ]
