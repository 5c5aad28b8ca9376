"""A trajectory that departs in the middle: the first bad step is named, by replays on the real
builds."""

from __future__ import annotations

import logging
import math

import pytest

from harness.evaluation import pair_evidence, stage_rows
from harness.experiments import first_bad_step
from tests.evaluation.zoo.mutant import Mutant, plant

LOG = logging.getLogger(__name__)
STEPS = 16


def late(step):
    """Return `linear` that multiplies its loss by 1.01 from one step on."""
    return Mutant(
        0,
        f"late_{step}",
        "linear",
        (
            (
                """        return {"mse": mse, "l2": l2, "total": mse + l2}""",
                f"""        rate = 1.01 if self.steps_trained >= {step - 1} else 1.0
        return {{"mse": mse, "l2": l2, "total": rate * (mse + l2)}}""",
            ),
        ),
        "trajectory",
        "",
    )


@pytest.mark.parametrize(
    ("step", "precision"), [(1, "fp64"), (3, "fp64"), (7, "fp32"), (11, "fp64"), (16, "fp32")]
)
def test_the_first_bad_step_is_named(laboratory, tmp_path, step, precision):
    """The wrong loss is of that very step; no more than log2 T + 1 replays."""
    sides = [laboratory.side("tf2"), laboratory.side("torch", plant(late(step), tmp_path))]
    planned = laboratory.plan(
        "linear", sides, precisions=("fp64", precision), stages=("trajectory",), steps=STEPS
    )
    found, said = laboratory.evidences(planned.jobs), []
    rows = first_bad_step.localise(
        laboratory.stand, planned, found, stage_rows.stage_rows(planned, found), said.append
    )
    row = next(
        row
        for row in rows
        if row.precision == precision and row.stage == "trajectory" and row.verdict != "INFO"
    )
    LOG.info(row.reason)
    assert ("FAIL", step) == (row.verdict, row.first_bad_step)
    assert f"first bad step {step} of {STEPS}, found in" in row.reason
    replays = int(row.reason.split("found in ")[1].split()[0])
    assert replays <= math.ceil(math.log2(STEPS)) + 1
    assert any(f"first bad step {step}" in line for line in said)


def test_a_side_that_is_a_recorded_reference_is_not_replayed(laboratory, tmp_path):
    """It cannot be, and the row says so."""
    sides = [laboratory.side("tf2"), laboratory.side("torch", plant(late(5), tmp_path))]
    planned = laboratory.plan("linear", sides, stages=("trajectory",), steps=STEPS)
    found = laboratory.evidences(planned.jobs)
    rows = stage_rows.stage_rows(planned, found)
    found = {
        name: pair_evidence.JobEvidence(item.evidence, item.status, item.reason, item.abilities, "")
        for name, item in found.items()
    }
    (row,) = first_bad_step.localise(laboratory.stand, planned, found, rows, lambda _: None)
    assert row.first_bad_step is None and row.reason.endswith(
        "a recorded reference cannot be replayed to find the step"
    )
