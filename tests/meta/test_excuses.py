"""A port cannot excuse itself: one that widens its own noise is never judged the same model."""

from __future__ import annotations

from pathlib import Path

from harness import outcome

FAULTS = Path(__file__).parent / "faults"


def test_a_port_with_noise_of_its_own_does_not_pass(laboratory):
    """Its re-runs differ by whole dropout masks; repeating the same run gives it away before any floor is used."""
    rows = {row.stage: row for row in laboratory.rows("cnn", [laboratory.side("tf2"), laboratory.side("torch", FAULTS / "own_noise")])}
    assert rows["weights"].verdict == "PASS"
    for stage in ("forward", "loss", "gradients", "update", "trajectory"):
        assert rows[stage].verdict == "INCONCLUSIVE", stage
        assert "when the same run is repeated" in rows[stage].reason
    assert outcome.fidelity(list(rows.values())) == "INCONCLUSIVE"


def test_float32_inside_a_float64_port_does_not_pass_its_stage(laboratory):
    """The loss moves like float32 under honest variation; that is no licence to differ like float32."""
    rows = {row.stage: row for row in laboratory.rows("cnn", [laboratory.side("tf2"), laboratory.side("torch", FAULTS / "float32_loss")])}
    assert [rows[stage].verdict for stage in ("weights", "forward")] == ["PASS", "PASS"]
    assert rows["loss"].verdict in ("FAIL", "INCONCLUSIVE")
    assert rows["loss"].worst == "train/cross_entropy"
