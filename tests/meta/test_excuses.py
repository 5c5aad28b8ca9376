"""A port cannot excuse itself: one that widens its own noise is never judged the same model."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from harness.results import outcome

FAULTS = Path(__file__).parent / "faults"


def test_a_port_with_noise_of_its_own_does_not_pass(laboratory):
    """Its re-runs differ by whole dropout masks, and the other side's do not: repeating the same
    run gives it away, whatever the floor."""
    rows = {
        row.stage: row
        for row in laboratory.rows(
            "cnn", [laboratory.side("tf2"), laboratory.side("torch", FAULTS / "own_noise")]
        )
    }
    assert rows["weights"].verdict == "PASS"
    for stage in ("forward", "loss", "gradients", "update", "trajectory"):
        assert rows[stage].verdict == "FAIL", stage
        assert "when the same run is repeated" in rows[stage].reason
    assert outcome.fidelity(list(rows.values())) == "FAIL"


def test_two_ports_with_noise_of_their_own_are_undecided(laboratory):
    """Neither can be compared in lockstep; neither is to blame."""
    own = [laboratory.side("torch", FAULTS / "own_noise") for _ in range(2)]
    rows = {
        row.stage: row
        for row in laboratory.rows("cnn", [own[0], dataclasses.replace(own[1], label="torch#2")])
    }
    assert (
        "INCONCLUSIVE" == rows["forward"].verdict
        and "when the same run is repeated" in rows["forward"].reason
    )


def test_float32_inside_a_float64_port_does_not_pass_its_stage(laboratory):
    """The loss moves like float32 under honest variation; that is no licence to differ like
    float32."""
    rows = {
        row.stage: row
        for row in laboratory.rows(
            "cnn", [laboratory.side("tf2"), laboratory.side("torch", FAULTS / "float32_loss")]
        )
    }
    assert [rows[stage].verdict for stage in ("weights", "forward")] == ["PASS", "PASS"]
    assert rows["loss"].verdict in ("FAIL", "INCONCLUSIVE")
    assert rows["loss"].worst == "train/cross_entropy"
