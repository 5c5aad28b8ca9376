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


@pytest.mark.parametrize(("error", "verdict", "words"), [
    (BF16 / 2, "PASS", "in effect"),
    (BF16, "PASS", "in effect"),
    (2.0**-24, "FAIL", "precision not in effect"),
    (0.0, "FAIL", "precision not in effect"),
    (40 * BF16, "FAIL", "exceeds"),
    (np.nan, "FAIL", "not finite"),
])
def test_too_good_is_as_wrong_as_too_bad(memory, error, verdict, words):
    """What bfloat16 costs passes; float32's error, and forty times the cost, fail."""
    found = judge_precision(*sides(memory, EXACT + error), "bf16")
    assert verdict == found.verdict
    assert words in found.reason


def test_nothing_that_could_show_the_precision_is_inconclusive(memory):
    """No tensor in common, or only a scalar: no PASS."""
    _, full = sides(memory, EXACT)
    assert "INCONCLUSIVE" == judge_precision(memory({"other": EXACT}), full, "bf16").verdict
    assert "INCONCLUSIVE" == judge_precision(memory({}), full, "bf16").verdict
    assert "INCONCLUSIVE" == judge_precision(memory({"x": EXACT}, digested=True), full, "bf16").verdict
    scalar = memory({"loss": np.array(1.0)})
    scalar.noise = full.noise
    assert "INCONCLUSIVE" == judge_precision(memory({"loss": np.array(1.0, np.float32)}), scalar, "bf16").verdict


@pytest.mark.parametrize(("precision", "silent"), [("bf16", "fp32"), ("fp16", "fp32"), ("tf32", "fp32"), ("fp32", "fp64")])
def test_the_lower_bound_lies_between_the_precision_and_what_could_stand_in_for_it(precision, silent):
    """Honest runs of float32 cost less than rounding their inputs now and then; those of float64 are nine digits below."""
    stand_in = noise.UNIT_ROUNDOFF[silent] / noise.UNIT_ROUNDOFF[precision]
    assert 4.0 * stand_in < share(precision) < 0.25
