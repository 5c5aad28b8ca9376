"""A stage of training in which nothing trained says nothing."""

from __future__ import annotations

import numpy as np
import pytest

from harness.fidelity.unseen_updates import withheld
from harness.fidelity.verdict import StageVerdict

TRAINED = {"a's optimizer g": ("g/w",), "a's optimizer d": ("d/w", "d/b"), "the phase none": ()}


def judged(memory, stage, moved, precision="fp64", verdict="PASS"):
    """What becomes of a verdict on two steps; `moved`: by parameter, by how much on side b."""
    names = [
        f"step {step}/{'d/' if stage == 'update' else ''}parameter/{name}"
        for step in (1, 2)
        for name in ("g/w", "d/w", "d/b", "norm/moving_mean")
    ]
    scales = {name: moved.get(name.partition("parameter/")[2], 0.0) for name in names}
    a, b = (memory(dict.fromkeys(names, np.ones(3)), scales=own) for own in ({}, scales))
    judged = StageVerdict(stage, verdict, "all equal", None, ())
    return withheld(judged, a, b, precision, TRAINED)


@pytest.mark.parametrize("stage", ["update", "trajectory"])
def test_what_no_step_has_moved_is_no_agreement(memory, stage):
    """Running statistics move all the same; what the other optimizer moves is none of it."""
    found = judged(memory, stage, {"g/w": 1e-3, "norm/moving_mean": 0.1})
    assert "INCONCLUSIVE" == found.verdict
    assert "no update was seen of a's optimizer d: in 2 steps" in found.reason
    assert ("--steps" in found.reason) == (stage == "trajectory")
    assert "optimizer g" not in found.reason
    found = judged(memory, stage, {"norm/moving_mean": 0.1})
    assert "a's optimizer g and a's optimizer d" in found.reason


def test_what_has_moved_on_either_side_stays_as_it_was_judged(memory):
    """One parameter of an optimizer's is enough; a difference stays one."""
    assert "PASS" == judged(memory, "update", {"g/w": 1e-3, "d/b": 1e-3}).verdict
    found = judged(memory, "update", {}, verdict="FAIL")
    assert "FAIL" == found.verdict and "no update" not in found.reason
    assert "PASS" == judged(memory, "gradients", {}).verdict


def test_updates_that_a_loss_scale_skips_are_shown_by_the_scale(memory):
    assert "PASS" == judged(memory, "update", {}, precision="fp16").verdict
    assert "INCONCLUSIVE" == judged(memory, "update", {}, precision="bf16").verdict


def test_a_side_that_recorded_nothing_keeps_its_own_reason(memory):
    """There is no step to count."""
    empty = memory({})
    verdict = StageVerdict("update", "INCONCLUSIVE", "recorded no tensor of this stage", None, ())
    assert verdict == withheld(verdict, empty, empty, "fp64", TRAINED)
