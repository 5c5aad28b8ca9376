"""Honest ports are left alone, with room to spare: what the coverage factor of the threshold rests on."""

from __future__ import annotations

import logging

import pytest

from harness.fidelity import noise

LOG = logging.getLogger(__name__)
SEEDS = (0, 1, 2)
STEPS = 16
#: Of an honest pair's error to the floor. `noise.COVERAGE` allows twice as much.
LARGEST_RATIO = 4.0


@pytest.mark.parametrize("workload", ["linear", "cnn"])
def test_no_honest_pair_fails_and_the_floor_is_well_measured(laboratory, workload):
    """Over seeds and precisions no tensor fails, and no error is more than half of what the threshold allows."""
    sides = [laboratory.side("tf2"), laboratory.side("torch")]
    verdicts = laboratory.verdicts(workload, sides, precisions=("fp64", "fp32"), seeds=SEEDS, steps=STEPS)
    ratios = {
        (pair.precision, pair.seed, verdict.stage, item.name): noise.COVERAGE * item.margin
        for pair, verdict in verdicts for item in verdict.tensors if item.verdict == "PASS"
    }
    worst = max(ratios, key=ratios.__getitem__)
    LOG.info(f"{ratios[worst]:.2f} at {worst}")
    assert not [(pair.precision, pair.seed, verdict.stage, verdict.reason) for pair, verdict in verdicts if verdict.verdict != "PASS"]
    assert ratios[worst] < LARGEST_RATIO, worst
    assert len(SEEDS) * 2 * 6 == len(verdicts)
