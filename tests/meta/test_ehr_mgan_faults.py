"""Ten ways to get EHR-M-GAN wrong that its ports have met: each fails at its stage, in its
phase; the shipped ports pass."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from harness.plan import LOCKSTEP_STAGES
from tests.evaluation.zoo.mutant import plant
from tests.evaluation.zoo.mutants import ehr_mgan

LOG = logging.getLogger(__name__)
FAULTS = Path(__file__).parent / "faults"
#: The catalogued ones are mutants of the zoo.
MUTANTS = {mutant.name: mutant for mutant in ehr_mgan.MUTANTS}
STAGES = ("weights", "forward", "loss", "update")
#: Fault -> the stage, and the tensor, in which it has to be found first.
EXPECTED = {
    "kl_of_variance": ("loss", "pretrain/continuous/kl"),
    "matching_on_mu": ("loss", "pretrain/continuous/matching"),
    "normalised_contrastive": ("loss", "pretrain/continuous/contrastive"),
    "new_state_handed_over": ("forward", "training/generator/discrete/layer1"),
    "no_dropout_in_generation": ("forward", "generate"),
    "noise_of_every_hour": ("forward", "training/continuous/encoder/layer1"),
    "l2_added": ("loss", "pretrain/continuous/total"),
    "single_vae_optimizer": (
        "update",
        "step 1/pretrain/discrete/parameter/vae/shared/decoder/layer1/bias",
    ),
    "moments_kept": (
        "update",
        "step 1/joint/vae/discrete/parameter/vae/discrete/decoder/layer2/bias",
    ),
    "doubled_bias": (
        "update",
        "step 1/pretrain/continuous/parameter/vae/continuous/decoder/layer2/bias",
    ),
}


def test_the_shipped_ports_pass_the_whole_ladder(laboratory):
    """Without a fault tf2 and torch are the same model, in every phase."""
    rows = laboratory.rows("ehr_mgan", [laboratory.side("tf2"), laboratory.side("torch")])
    assert [(stage, "PASS") for stage in LOCKSTEP_STAGES] == [
        (row.stage, row.verdict) for row in rows
    ]
    assert max(row.max_error for row in rows) <= 1e-9


@pytest.mark.parametrize("fault", EXPECTED)
def test_a_fault_is_found_where_it_starts(laboratory, fault, tmp_path):
    """Against the honest port of the same build: what is found is the fault and nothing else."""
    folder = plant(MUTANTS[fault], tmp_path) if fault in MUTANTS else FAULTS / fault
    sides = [laboratory.side("torch"), laboratory.side("torch", folder)]
    rows = laboratory.rows("ehr_mgan", sides, stages=STAGES)
    first = next(index for index, row in enumerate(rows) if row.verdict != "PASS")
    row = rows[first]
    LOG.info(f"{fault}: {row.stage} {row.worst} {row.error:.2e} / {row.threshold:.2e}")
    assert [*EXPECTED[fault], "FAIL"] == [row.stage, row.worst, row.verdict]
    assert row.error > 1e4 * row.threshold
