"""The judge on sketches: the same verdicts as on whole tensors, and never a PASS for less."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from backends.recording.sketch import content, sketch
from harness.fidelity.evidence import Replayed
from harness.fidelity.float32 import shown_again
from harness.fidelity.judge import judge_stage
from tests.harness.fidelity.conftest import Memory

SIZE = 5000
FORWARD = ("forward", "fp64")


@dataclasses.dataclass
class Sketched(Memory):
    """A side that has kept sketches; `moved` is by how much a variation moves those."""

    def entries(self, stage: str) -> list[Any]:
        """Return the entries of the whole tensors, as a recording makes them."""
        return [
            dataclasses.replace(
                entry,
                sketched=bool(np.all(np.isfinite(self.tensors[entry.name]))),
                content=content(self.tensors[entry.name]),
            )
            for entry in Memory.entries(self, stage)
        ]

    def read(self, stage: str, name: str) -> Any:
        """Return the sketch of what has one."""
        value = np.asarray(self.tensors[name])
        return sketch(value) if np.all(np.isfinite(value)) else value


def values() -> Any:
    return np.random.RandomState(0).normal(size=SIZE)


def test_rounding_passes_and_a_departure_of_one_value_does_not():
    """It is said to be that of a sketch, without a place that it does not know."""
    moved = {"w": 1e-15}
    near, off = values() * (1.0 + 2.0**-52), values()
    off[4321] += 1e-9
    passed = judge_stage(Sketched({"w": near}, moved), Sketched({"w": values()}, moved), *FORWARD)
    failed = judge_stage(Sketched({"w": off}, moved), Sketched({"w": values()}, moved), *FORWARD)
    assert ("PASS", "FAIL") == (passed.verdict, failed.verdict)
    assert failed.worst.sketched and failed.worst.shown is None
    assert "sums of its sketch" in failed.worst.reason


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_finite_on_one_side_alone_fails(odd: float):
    """The other side has kept no sketch of it."""
    broken = values()
    broken[3] = odd
    for sides in ((broken, values()), (values(), broken)):
        a, b = (Sketched({"w": side}) for side in sides)
        found = judge_stage(a, b, *FORWARD)
        assert "FAIL" == found.verdict and "0.0" not in found.worst.reason
        assert found.worst.shown is None


def test_a_sketch_is_held_against_no_whole_tensor(memory):
    """Whatever laid them beside each other is at fault, and no side."""
    with pytest.raises(ValueError, match="forward/w is whole on one side"):
        judge_stage(memory({"w": values()}), Sketched({"w": values()}), *FORWARD)


def test_the_same_bits_agree_however_their_sums_were_rounded(monkeypatch: pytest.MonkeyPatch):
    """Of a table that no variation moves, two releases of NumPy may make other sketches."""
    a, b = Sketched({"w": values()}), Sketched({"w": values()})
    monkeypatch.setattr(b, "read", lambda *_: sketch(values()) + 1e-13)
    assert ("PASS", 0.0) == (
        (found := judge_stage(a, b, *FORWARD)).verdict,
        found.worst.error,
    )


def test_weights_are_the_same_to_the_last_bit():
    """Also where their sketches are: a last place is lost in a sum."""
    other = values()
    other[1] = np.nextafter(other[1], 9.0)
    same = judge_stage(Sketched({"w": values()}), Sketched({"w": values()}), "weights", "fp64")
    apart = judge_stage(Sketched({"w": other}), Sketched({"w": values()}), "weights", "fp64")
    assert ("PASS", 0.0) == (same.verdict, same.worst.error)
    assert "FAIL" == apart.verdict and "the values are not all equal" in apart.worst.reason


def test_stages_that_were_recorded_again_are_taken_from_there(memory):
    """The others are as they were."""
    side = Replayed(Sketched({"w": values()}), memory({"w": values()}), frozenset({"forward"}))
    assert not side.entries("forward")[0].sketched and side.entries("update")[0].sketched
    assert (SIZE,) == side.read("forward", "w").shape != side.read("update", "w").shape
    assert {"repeat": [0.0]} == side.noise("forward", "w")


def test_what_was_kept_in_two_ways_is_not_held_against_each_other(memory):
    """A float64 pair that was recorded again, and its float32 runs as they were."""
    off = values() * (1.0 + 1e-7 * np.linspace(0.5, 1.0, SIZE))
    whole = memory({"w": off}), memory({"w": values()})
    full = [judge_stage(*whole, *FORWARD)]
    assert shown_again(full, whole, whole)
    sketched = Sketched({"w": off}), Sketched({"w": values()})
    assert not shown_again(full, whole, sketched)
    assert shown_again([judge_stage(*sketched, *FORWARD)], sketched, sketched)
