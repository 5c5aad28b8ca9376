"""The judge where an optimizer's constants in float32 explain what departs."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from harness.fidelity.judge import judge_stage


@dataclasses.dataclass
class Varied:
    """A side whose optimizer was also run with its constants in float32."""

    held: Any
    constants: dict[str, float]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.held, name)

    def noise(self, stage: str, name: str) -> dict[str, list[float]]:
        """The other variations, and what both kinds of this one move."""
        half = self.constants.get(name, 0.0) / 2.0
        moved = {"constants:rates": [half], "constants:others": [half], "constants:powers": [0.0]}
        return {**self.held.noise(stage, name), **moved}


@pytest.mark.parametrize(
    ("stage", "departure", "constants", "verdict"),
    [
        ("update", 3e-8, 0.0, "FAIL"),
        ("update", 3e-8, 3e-8, "PASS"),
        ("update", 3e-8, 1.6e-8, "PASS"),
        ("update", 3e-8, 1.4e-8, "FAIL"),
        ("update", 3e-8, 3e-10, "FAIL"),
        ("update", 3e-3, 3e-3, "FAIL"),
        ("update", 3e-8, np.nan, "FAIL"),
        ("update", 0.9, 0.5, "FAIL"),
        ("trajectory", 3e-8, 3e-8, "PASS"),
    ],
)
def test_constants_in_float32_explain_what_they_move(memory, stage, departure, constants, verdict):
    """And no more, nor what lies beyond the horizon; a PASS says that it rests on that."""
    name, other = "step 1/train/parameter/w", "step 1/train/parameter/v"
    scales = {name: 1.0, other: 1.0}
    a = memory({name: np.ones(32) + departure, other: np.ones(32)}, scales=scales)
    b = memory({name: np.ones(32), other: np.ones(32)}, scales=scales)
    found = judge_stage(a, Varied(b, {name: constants}), stage, "fp64")
    assert verdict == found.verdict
    assert ("1 of them as hyper-parameters in float32" in found.reason) == (verdict == "PASS")
    assert judge_stage(a, b, stage, "fp64").verdict == "FAIL"


def test_what_constants_have_moved_once_they_may_move_later(memory):
    """They only add up from step to step."""
    names = [f"step {step}/parameter/w" for step in (1, 2)]
    scales = dict.fromkeys(names, 1.0)
    a = memory({name: np.ones(32) + 3e-8 for name in names}, scales=scales)
    b = memory({name: np.ones(32) for name in names}, scales=scales)
    moved = dict(zip(names, (3e-8, 1e-12), strict=True))
    assert judge_stage(a, Varied(b, moved), "trajectory", "fp64").verdict == "PASS"
    moved = dict(zip(names, (1e-12, 1e-12), strict=True))
    assert judge_stage(a, Varied(b, moved), "trajectory", "fp64").verdict == "FAIL"


def test_two_sides_that_both_can_hold_float64_excuse_nothing(memory):
    """Two of torch's, beside a third side of Keras'."""
    name = "step 1/train/parameter/w"
    a = Varied(memory({name: np.ones(32) + 3e-8}, scales={name: 1.0}), {name: 3e-8})
    b = Varied(memory({name: np.ones(32)}, scales={name: 1.0}), {name: 3e-8})
    assert judge_stage(a, b, "update", "fp64").verdict == "FAIL"
