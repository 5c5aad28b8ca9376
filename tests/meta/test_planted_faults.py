"""Each planted fault fails at the stage where it first shows, in the tensor that it is in;
without it the pair passes."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest

from harness.fidelity.judge import judge_stage
from harness.plan import LOCKSTEP_STAGES
from tests.evaluation.zoo.mutant import plant
from tests.evaluation.zoo.mutants import dropout, minimisation, normalisation, vision

LOG = logging.getLogger(__name__)
FAULTS = Path(__file__).parent / "faults"
MUTANTS = {
    mutant.name: mutant
    for area in (dropout, minimisation, normalisation, vision)
    for mutant in area.MUTANTS
}
#: A few mutants of the zoo, and the very tensor in which each has to be found; the zoo itself is
#: content with a part of the name.
EXPECTED = {
    "batch_norm_epsilon": "training/batch_norm",
    "kernel_width_first": "training/conv1",
    "flatten_channels_first": "training/flatten",
    "dropout_removed": "training/dropout",
    "whole_l2": "train/l2",
    "epsilon_after_correction": "step 1/train/parameter/batch_norm/beta",
    "batch_norm_unbiased": "step 1/train/parameter/last/moving_variance",
}


def test_the_shipped_ports_pass_the_whole_ladder(laboratory):
    """Without a fault, tf2 and torch are the same model at every stage."""
    rows = laboratory.rows("cnn", [laboratory.side("tf2"), laboratory.side("torch")])
    assert [(stage, "PASS") for stage in LOCKSTEP_STAGES] == [
        (row.stage, row.verdict) for row in rows
    ]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_fault_is_found_where_it_starts(laboratory, name, tmp_path):
    """The stages before pass; the first that fails names the tensor, both values and a floor
    that the error towers over."""
    mutant = MUTANTS[name]
    rows = laboratory.rows(
        mutant.workload, [laboratory.side("tf2"), laboratory.side("torch", plant(mutant, tmp_path))]
    )
    first = next(index for index, row in enumerate(rows) if row.verdict != "PASS")
    row = rows[first]
    LOG.info(f"{row.stage} {row.worst} {row.error:.2e} / {row.threshold:.2e}")
    assert [mutant.stage, EXPECTED[name], "FAIL"] == [row.stage, row.worst, row.verdict]
    assert row.error > 1e4 * row.threshold
    assert row.value_a != row.value_b
    assert f"--stages {row.stage}" in row.command


def test_the_sign_of_a_faint_gradient_is_seen(laboratory):
    """A real gradient of 1e-8 with its sign flipped fails, though any absolute tolerance lets it
    through."""
    honest, flipped = (
        laboratory.side("torch"),
        laboratory.side("torch", FAULTS / "flipped_gradient"),
    )
    rows = {row.stage: row for row in laboratory.rows("faint", [honest, flipped])}
    row = rows["gradients"]
    LOG.info(f"{row.stage} {row.worst} {row.error:.2e} / {row.threshold:.2e}")
    assert ["PASS"] * 3 == [rows[stage].verdict for stage in ("weights", "forward", "loss")]
    assert ("FAIL", "train/b") == (row.verdict, row.worst)
    assert row.value_a == -row.value_b
    assert 1e-9 < abs(row.value_a) < 1e-7
    assert np.isclose(row.value_a, row.value_b, atol=1e-6)
    assert "train/b" not in row.null


def test_the_same_port_twice_passes_with_a_faint_gradient(laboratory):
    """The honest counterpart: the faint bias is compared, not taken for zero."""
    verdicts = laboratory.verdicts(
        "faint",
        [laboratory.side("torch"), dataclasses.replace(laboratory.side("torch"), label="torch#2")],
    )
    assert {"PASS"} == {verdict.verdict for _, verdict in verdicts}
    assert all(not verdict.null for _, verdict in verdicts)


def test_the_float32_chain_of_tf1s_adam_is_seen_in_the_trajectory(laboratory):
    """The same port with and without TF1's float32 powers of beta parts in the trajectory and
    nowhere before."""
    job, _ = laboratory.plan("cnn", [laboratory.side("torch"), laboratory.side("tf2")]).jobs
    chain = dataclasses.replace(job, powers="float32")
    found = laboratory.evidences([job, chain])
    a, b = found[job.name].evidence, found[chain.name].evidence
    assert {"PASS"} == {
        judge_stage(a, b, stage, "fp64").verdict
        for stage in ("weights", "forward", "loss", "gradients")
    }
    verdict = judge_stage(a, b, "trajectory", "fp64")
    LOG.info(
        f"trajectory {verdict.worst.name} {verdict.worst.error:.2e} / {verdict.worst.threshold:.2e}"
    )
    assert "FAIL" == verdict.verdict
    assert verdict.worst.error > 1e2 * verdict.worst.threshold
