"""Two precisions in one word, taken apart."""

from __future__ import annotations

import pytest

from harness.results.precisions import Precisions


@pytest.mark.parametrize(
    ("spelled", "a", "b", "gain"),
    [("fp32", "fp32", "fp32", False), ("fp32:bf16", "fp32", "bf16", True)],
)
def test_both_sides_have_a_precision(spelled: str, a: str, b: str, gain: bool):
    """The same one, where one is named."""
    both = Precisions.read(spelled)
    assert (a, b, gain) == (both.a, both.b, both.gain)
