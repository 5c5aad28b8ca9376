"""What a variation measures, what it shows, and what it is no rounding for."""

from __future__ import annotations

import numpy as np
import pytest

from harness.fidelity.judge import judge_stage
from harness.fidelity.variations import ALONE, Sieve


class Side:
    """One side with movements of several kinds: name -> kind -> how far."""

    digested = False

    def __init__(self, memory, tensors, moved=None, scales=None):
        self.inner, self.moved = memory(tensors, {}, scales or {}), moved or {}

    def entries(self, stage):
        return self.inner.entries(stage)

    def read(self, stage, name):
        return self.inner.read(stage, name)

    def noise(self, stage, name):
        return {
            kind: [value]
            for kind, value in {
                "ulp": 0.0,
                "weights": 0.0,
                "reorder": 0.0,
                **self.moved.get(name, {}),
            }.items()
        }


def pair(memory, moved_a, moved_b, shift=0.0, name="x", value=1.0):
    """Return two sides with one tensor, `shift` apart."""
    return Side(memory, {name: np.full(32, value + shift)}, {name: moved_a}), Side(
        memory, {name: np.full(32, value)}, {name: moved_b}
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("reorder", "b's x depends on the order of rows, a's does not"),
        (
            "ulp",
            "b's x jumps when weights and inputs move by one unit in the last place, a's does not",
        ),
        ("weights", "b's x jumps when weights move by one unit in the last place, a's does not"),
    ],
)
@pytest.mark.parametrize("stage", ["forward", "loss", "gradients", "update"])
def test_what_moves_one_side_alone_is_a_difference(memory, stage, kind, words):
    """However wide the movement is: it sets no threshold, and the sentence says whose it is."""
    found = judge_stage(*pair(memory, {}, {kind: 0.5}, shift=0.3), stage, "fp64")
    assert "FAIL" == found.verdict and words in found.reason
    swapped = judge_stage(*pair(memory, {kind: 0.5}, {}, shift=0.3), stage, "fp64")
    assert (
        "FAIL" == swapped.verdict
        and f"a's x {words.split(' x ')[1].split(',')[0]}" in swapped.reason
    )


def test_rows_in_another_order_leave_nothing_to_chance(memory):
    """Equal in the tape's order and another function of the rows: FAIL. A unit in the last place
    may have met an edge on one side."""
    assert "FAIL" == judge_stage(*pair(memory, {}, {"reorder": 0.5}), "forward", "fp64").verdict
    assert "PASS" == judge_stage(*pair(memory, {}, {"ulp": 0.5}), "forward", "fp64").verdict


@pytest.mark.parametrize("kind", ["reorder", "ulp"])
def test_what_moves_both_sides_is_no_rounding_and_the_others_judge(memory, kind):
    """Honest sides agree within what is left, a fault exceeds it; both are told why one
    variation did not count."""
    wide = {kind: 0.5, "weights": 1e-16}
    for shift, verdict in ((0.0, "PASS"), (1e-16, "PASS"), (1e-3, "FAIL")):
        found = judge_stage(*pair(memory, wide, wide, shift), "forward", "fp64")
        assert verdict == found.verdict and "not judged by that variation there" in found.reason


def test_where_every_variation_crosses_an_edge_only_equality_and_what_lies_beyond_are_told(memory):
    """Nothing measures rounding: equal is equal, a difference within the edge's reach is
    undecided, one far beyond it is a fault."""
    wide = dict.fromkeys(("ulp", "weights", "reorder"), 1e-3)
    for shift, verdict in (
        (0.0, "PASS"),
        (2.0**-52, "PASS"),
        (1e-3, "INCONCLUSIVE"),
        (0.9, "FAIL"),
    ):
        assert verdict == judge_stage(*pair(memory, wide, wide, shift), "forward", "fp64").verdict


def test_rounding_on_both_sides_is_a_floor_as_before(memory):
    """Even where one side is steadier than the other, as long as neither moves beyond rounding."""
    found = judge_stage(
        *pair(memory, {"ulp": 1e-13}, {"ulp": 1e-17}, shift=1e-13), "forward", "fp64"
    )
    assert "PASS" == found.verdict and "not judged" not in found.reason


def test_what_float64_has_shown_holds_in_float32(memory):
    """The wide floor of one side excuses nothing there either, with float32 asked for alone."""
    base = pair(memory, {}, {"reorder": 0.5}, shift=0.3)
    low = [
        Side(memory, {"x": np.full(32, value, np.float32)}, {"x": moved})
        for value, moved in ((1.3, {}), (1.0, {"reorder": 0.5}))
    ]
    assert "FAIL" == judge_stage(*low, "forward", "fp32").verdict
    found = judge_stage(*low, "forward", "fp32", (), base)
    assert "FAIL" == found.verdict and "depends on the order of rows" in found.reason


@pytest.mark.parametrize("kind", ["reorder", "ulp", "weights"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(("moved", "there"), [(8e-8, False), (1e-5, True), (1e-2, True)])
def test_float32_inside_a_float64_run_is_rounding_in_float32(memory, kind, precision, moved, there):
    """One side normalises in float32, the other does not: a difference in float64, and none below
    it. What moves by more than float32 rounds is one in every precision."""
    base = pair(memory, {kind: moved}, {}, shift=1e-3)
    assert "FAIL" == judge_stage(*base, "forward", "fp64").verdict
    low = [
        Side(memory, {"x": np.full(32, value, np.float32)}, {"x": {"ulp": 1e-7}})
        for value in (1.0 + 2.0**-20, 1.0)
    ]
    found = judge_stage(*low, "forward", precision, (), base)
    assert ("FAIL" if there else "PASS") == found.verdict


def test_a_whole_number_does_not_round(memory):
    """A bucket that a unit moves on both sides is an edge; one that differs is a fault, though 1
    of 1e9 is less than any threshold."""

    def side(value, moved):
        return Side(memory, {"id": np.full(32, value)}, {"id": moved})

    assert (
        "PASS"
        == judge_stage(side(7, {"ulp": 1.0}), side(7, {"ulp": 1.0}), "forward", "fp64").verdict
    )
    assert (
        "FAIL"
        == judge_stage(side(7, {"ulp": 1.0}), side(8, {"ulp": 1.0}), "forward", "fp64").verdict
    )
    assert "FAIL" == judge_stage(side(2**53, {}), side(2**53 + 1, {}), "forward", "fp64").verdict
    assert (
        "PASS" == judge_stage(side(2**53 + 1, {}), side(2**53 + 1, {}), "forward", "fp64").verdict
    )


def trajectory(memory, steps, moved):
    """Return one side whose loss of each step is moved by `moved[step]` in every kind of
    variation."""
    names = {step: f"step {step}/loss/total" for step in steps}
    return Side(
        memory,
        {name: np.array(1.0) for name in names.values()},
        {names[step]: dict.fromkeys(("ulp", "weights", "reorder"), moved[step]) for step in steps},
    )


def test_growth_is_told_from_a_jump(memory):
    """Sixty times a step is growth; from nothing to everything in one step is an edge, on both
    sides."""
    grown = {step: 1e-16 * 60.0**step for step in range(1, 10)}
    jumped = {step: 1e-16 if step < 5 else 0.3 for step in range(1, 10)}
    assert (
        {}
        == Sieve(
            trajectory(memory, grown, grown), trajectory(memory, grown, grown), "trajectory"
        ).crossed()
    )
    found = Sieve(
        trajectory(memory, jumped, jumped), trajectory(memory, jumped, jumped), "trajectory"
    )
    assert "step 5/loss/total" == found.crossed()["reorder"]
    assert ("ulp", "weights", "reorder") == found["step 4/loss/total"].usable and () == found[
        "step 6/loss/total"
    ].usable


def test_a_side_that_parts_from_its_own_run_later_is_found_at_that_step(memory):
    """What is carried from step to step shows in the second, not in the first."""
    quiet = dict.fromkeys((1, 2, 3), 1e-16)
    loud = {1: 1e-16, 2: 0.08, 3: 0.1}
    found = Sieve(trajectory(memory, quiet, quiet), trajectory(memory, loud, loud), "trajectory")
    assert () == found["step 1/loss/total"].alone
    assert {"b"} == {side for _, side, *_ in found["step 2/loss/total"].alone}


def test_a_tensor_of_nothing_is_measured_by_its_company(memory):
    """Zero on one side, 1e-17 on the other, beside values of one: rounding, and no side that
    moves alone."""
    a = Side(memory, {"x": np.ones(32), "zero": np.zeros(32)}, {"zero": {"ulp": 0.0}})
    b = Side(memory, {"x": np.ones(32), "zero": np.full(32, 1e-17)}, {"zero": {"ulp": 1e-17}})
    assert () == Sieve(a, b, "forward")["zero"].alone
    assert "PASS" == judge_stage(a, b, "forward", "fp64").verdict


def test_sides_that_differ_in_how_much_they_are_moved_are_no_strangers():
    """Two honest ports follow the same function: beyond rounding they move alike, within a
    factor far below this."""
    assert ALONE >= 1e3


@pytest.mark.parametrize("base", [True, False])
def test_what_is_wrong_in_float32_alone_does_not_excuse_itself_there(memory, base):
    """Rows in another order move one side in float32 by a hundredth, the other by rounding;
    float64 saw nothing, or was not to be had."""
    full = pair(memory, {"ulp": 1e-16}, {"ulp": 1e-16}) if base else None
    small = dict.fromkeys(("ulp", "weights", "reorder"), 1e-7)
    low = [
        Side(memory, {"x": np.full(64, value, np.float32)}, {"x": {**small, **more}})
        for value, more in ((1.0, {}), (1.01, {"reorder": 2e-2}))
    ]
    assert "FAIL" == judge_stage(*low, "gradients", "fp32", (), full).verdict
