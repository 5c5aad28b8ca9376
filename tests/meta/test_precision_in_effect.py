"""A precision that is asked for has to be in effect: too good is as wrong as too bad."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

LOG = logging.getLogger(__name__)
FAULTS = Path(__file__).parent / "faults"


@pytest.mark.parametrize("workload", ["cnn", "ehr_mgan"])
def test_float32_under_the_name_of_bfloat16_fails(laboratory, workload):
    """The shipped port's bfloat16 costs what bfloat16 must cost; a silent float32 does not, and
    the report says so."""
    sides = [laboratory.side("torch"), laboratory.side("torch", FAULTS / "float32_as_bfloat16")]
    rows = laboratory.rows(workload, sides, precisions=("fp64", "bf16"), stages=("forward",))
    bounds = {row.a: row for row in rows if row.stage == "precision"}
    honest, silent = (bounds[side.label] for side in sides)
    LOG.info(
        f"precision {silent.worst} {silent.error:.2e}; honest {honest.worst} {honest.error:.2e} /"
        f" {honest.threshold:.2e}"
    )
    assert ("PASS", "FAIL") == (honest.verdict, silent.verdict)
    assert "precision not in effect" in silent.reason
    assert silent.worst.startswith("forward ")
    float64 = [row for row in rows if row.stage == "forward" and row.precision == "fp64"]
    assert ["PASS"] == [row.verdict for row in float64]
