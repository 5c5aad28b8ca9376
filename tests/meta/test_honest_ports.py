"""Honest ports are left alone: the factors measured in `harness/fidelity/honest_spread.py` still
hold."""

from __future__ import annotations

import logging

import pytest

from harness.fidelity import honest_spread

LOG = logging.getLogger(__name__)
SEEDS = (0, 1, 2)
STEPS = 16


@pytest.mark.parametrize("workload", ["linear", "cnn"])
def test_no_honest_pair_fails_and_the_floor_is_well_measured(laboratory, workload):
    """Over seeds and precisions no tensor fails, and no error is larger than what was measured
    once, without the room for surprise."""
    sides = [laboratory.side("tf2"), laboratory.side("torch")]
    verdicts = laboratory.verdicts(
        workload, sides, precisions=("fp64", "fp32"), seeds=SEEDS, steps=STEPS
    )
    ratios = {
        (pair.precision, pair.seed, verdict.stage, item.name): item.margin
        for pair, verdict in verdicts
        for item in verdict.tensors
        if item.verdict == "PASS"
    }
    worst = max(ratios, key=ratios.__getitem__)
    LOG.info(f"{ratios[worst]:.2f} at {worst}")
    assert not [
        (pair.precision, pair.seed, verdict.stage, verdict.reason)
        for pair, verdict in verdicts
        if verdict.verdict != "PASS"
    ]
    assert ratios[worst] * honest_spread.SURPRISE <= 1.0, worst
    assert len(SEEDS) * 2 * 6 == len(verdicts)
