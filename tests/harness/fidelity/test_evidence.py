"""A side seen through what both can show."""

from __future__ import annotations

import numpy as np

from harness.fidelity.evidence import Restricted


def test_hidden_entries_are_not_shown_and_all_else_is_untouched(memory):
    """Names are matched with their stage, so `forward/training/` hides no training loss."""
    side = memory({"training/conv": np.ones(2), "generate": np.zeros(3)}, {"generate": 0.5})
    seen = Restricted(side, ("forward/training/",))
    assert ["generate"] == [entry.name for entry in seen.entries("forward")]
    assert ["training/conv", "generate"] == [entry.name for entry in seen.entries("loss")]
    assert np.array_equal(np.zeros(3), seen.read("forward", "generate"))
    assert side.noise("forward", "generate") == seen.noise("forward", "generate")
    assert not seen.digested
