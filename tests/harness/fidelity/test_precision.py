"""Both bounds of a lower precision, on tensors written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from harness.fidelity import noise
from harness.fidelity.precision import judge_precision, share

EXACT = np.linspace(0.5, 1.0, 64)
BF16 = 2.0**-8


def sides(memory, low, name="training/conv"):
    """Return a low run and a float64 run that says what one unit and the rounding alone move."""
    full = memory({name: EXACT})
    full.noise = lambda stage, name: {"ulp:bf16": [BF16], "round:bf16": [BF16 / 2]}
    return memory({name: np.asarray(low, np.float32)}), full


@pytest.mark.parametrize(
    ("error", "verdict", "words"),
    [
        (BF16 / 2, "PASS", "in effect"),
        (BF16, "PASS", "in effect"),
        (2.0**-24, "FAIL", "precision not in effect"),
        (0.0, "FAIL", "precision not in effect"),
        (40 * BF16, "FAIL", "exceeds"),
        (np.nan, "FAIL", "not finite"),
    ],
)
def test_too_good_is_as_wrong_as_too_bad(memory, error, verdict, words):
    """What bfloat16 costs passes; float32's error, and forty times the cost, fail."""
    found = judge_precision(*sides(memory, EXACT + error), "bf16")
    assert verdict == found.verdict
    assert words in found.reason


def test_nothing_that_could_show_the_precision_is_no_pass(memory):
    """No tensor in common is inconclusive; of a scalar alone it was not looked at whether the
    precision is in effect, and that is told."""
    _, full = sides(memory, EXACT)
    assert "INCONCLUSIVE" == judge_precision(memory({"other": EXACT}), full, "bf16").verdict
    assert "INCONCLUSIVE" == judge_precision(memory({}), full, "bf16").verdict
    assert (
        "INCONCLUSIVE" == judge_precision(memory({"x": EXACT}, digested=True), full, "bf16").verdict
    )
    scalar = memory({"loss": np.array(1.0)})
    scalar.noise = full.noise
    found = judge_precision(memory({"loss": np.array(1.0, np.float32)}), scalar, "bf16")
    assert "INFO" == found.verdict and "not looked at" in found.reason


def test_four_values_show_whether_a_precision_is_in_effect(memory):
    """A model with one small output is judged like any other."""
    full = memory({"generate": EXACT[:4]})
    full.noise = lambda stage, name: {"ulp:bf16": [BF16], "round:bf16": [BF16 / 2]}
    for error, verdict in ((BF16 / 2, "PASS"), (2.0**-24, "FAIL")):
        assert (
            verdict
            == judge_precision(
                memory({"generate": np.asarray(EXACT[:4] + error, np.float32)}), full, "bf16"
            ).verdict
        )


@pytest.mark.parametrize(
    ("contracted", "logits", "verdict"),
    [
        ({"training/logits"}, BF16 / 2, "PASS"),
        ({"training/logits"}, 0.0, "FAIL"),
        (None, BF16 / 2, "PASS"),
        (None, 0.0, "FAIL"),
    ],
)
def test_only_what_a_product_has_made_must_cost_what_a_product_costs(
    memory, contracted, logits, verdict
):
    """An embedding is looked up in float32 and is exact; logits that are exact too show that no
    product is low."""
    full = memory({"training/embedding": EXACT, "training/logits": EXACT})
    full.noise = lambda stage, name: {"ulp:bf16": [BF16], "round:bf16": [BF16 / 2]}
    low = memory(
        {
            "training/embedding": EXACT.astype(np.float32),
            "training/logits": np.asarray(EXACT + logits, np.float32),
        }
    )
    assert verdict == judge_precision(low, full, "bf16", contracted).verdict


def test_a_run_that_does_not_repeat_is_no_failure_of_the_precision(memory):
    """What differs from run to run is no error of bfloat16."""
    low, full = sides(memory, EXACT + 40 * BF16)
    assert "FAIL" == judge_precision(low, full, "bf16").verdict
    low.repeats = {"training/conv": 0.5}
    found = judge_precision(low, full, "bf16")
    assert "INCONCLUSIVE" == found.verdict and "repeated" in found.reason


@pytest.mark.parametrize(
    ("precision", "silent"),
    [("bf16", "fp32"), ("fp16", "fp32"), ("tf32", "fp32"), ("fp32", "fp64")],
)
def test_the_lower_bound_lies_between_the_precision_and_what_could_stand_in_for_it(
    precision, silent
):
    """Honest runs of float32 cost less than rounding their inputs now and then; those of float64
    are nine digits below."""
    stand_in = noise.UNIT_ROUNDOFF[silent] / noise.UNIT_ROUNDOFF[precision]
    assert 4.0 * stand_in < share(precision) < 0.25
