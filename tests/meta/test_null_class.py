"""A gradient that is mathematically zero is neither agreement nor a fault; a real one never
hides behind that."""

from __future__ import annotations

from pathlib import Path

import pytest

FAULTS = Path(__file__).parent / "faults"


@pytest.mark.parametrize("precision", ["fp64", "fp32"])
def test_a_bias_directly_before_batch_norm_is_null_and_passes(laboratory, precision):
    """Its gradient is rounding noise that differs wholly between frameworks; the pair passes and
    lists it."""
    precisions = ("fp64", precision) if precision != "fp64" else ("fp64",)
    rows = laboratory.rows(
        "centred", [laboratory.side("tf2"), laboratory.side("torch")], precisions=precisions
    )
    rows = [row for row in rows if row.precision == precision]
    assert {"PASS"} == {row.verdict for row in rows}
    by_stage = {row.stage: row for row in rows}
    assert ("train/dense/bias",) == by_stage["gradients"].null
    assert "step 1/train/parameter/dense/bias" in by_stage["update"].null
    assert not any("kernel" in name for row in rows for name in row.null)


def test_a_bias_that_is_null_on_one_side_only_fails(laboratory):
    """Without the centring the bias has a real gradient: the pair parts, and the bias is not
    NULL."""
    rows = laboratory.rows(
        "centred", [laboratory.side("tf2"), laboratory.side("torch", FAULTS / "uncentred")]
    )
    by_stage = {row.stage: row for row in rows}
    assert ("PASS", "FAIL", "FAIL") == tuple(
        by_stage[stage].verdict for stage in ("weights", "forward", "gradients")
    )
    assert () == by_stage["gradients"].null
