"""Ways to get float16's loss scale wrong: each fails at its stage, and the shipped ports agree
on every skipped update."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

LOG = logging.getLogger(__name__)
FAULTS = Path(__file__).parent / "faults"
#: `tiny` overflows at the first scale in its first step, in the pre-training of the discrete stream
#: (and not there alone).
PHASE = "pretrain/discrete"
#: Fault -> the stage that it shows in, and a tensor that says what is wrong; what follows from it
#: departs too.
EXPECTED = {
    "overflow_zeroed": ("trajectory", f"slot/{PHASE}/skipped"),
    "loss_scale_kept": ("trajectory", f"slot/{PHASE}/loss_scale"),
    "gradients_at_first_scale": ("gradients", f"{PHASE}/vae/discrete/encoder/layer1/kernel"),
}
STAGES, STEPS = ("gradients", "trajectory"), 2


def judged(laboratory, sides):
    """Return the verdicts of two sides in float16, by stage."""
    planned = laboratory.plan("ehr_mgan", sides, precisions=("fp16",), stages=STAGES, steps=STEPS)
    (pair,) = (pair for pair in planned.pairs if pair.precision == "fp16")
    return dict(
        zip(STAGES, laboratory.judge(pair, laboratory.evidences(planned.jobs)), strict=True)
    )


def test_the_shipped_ports_agree_in_float16(laboratory):
    """Where a scale that is too large comes down: in gradients, and by as many skipped updates."""
    verdicts = judged(laboratory, [laboratory.side("tf2"), laboratory.side("torch")])
    assert dict.fromkeys(STAGES, "PASS") == {
        stage: verdict.verdict for stage, verdict in verdicts.items()
    }
    counts = {
        item.name: item
        for item in verdicts["trajectory"].tensors
        if item.name.endswith(f"{PHASE}/skipped")
    }
    assert ["PASS"] * STEPS == [item.verdict for item in counts.values()]
    assert 1.0 == counts[f"step 1/slot/{PHASE}/skipped"].difference.value_a


@pytest.mark.parametrize("fault", EXPECTED)
def test_a_fault_of_the_loss_scale_fails(laboratory, fault):
    """Against the honest port of the same build, by the scale or the count itself and not only
    by what follows from it."""
    verdicts = judged(
        laboratory, [laboratory.side("torch"), laboratory.side("torch", FAULTS / fault)]
    )
    stage, name = EXPECTED[fault]
    LOG.info(f"{fault}: {stage} {verdicts[stage].reason}")
    assert "FAIL" == verdicts[stage].verdict
    failed = [item.name for item in verdicts[stage].tensors if item.verdict == "FAIL"]
    assert any(found.endswith(name) for found in failed), failed
    assert (stage == "gradients") == ("not finite on one side" in verdicts[stage].reason)
