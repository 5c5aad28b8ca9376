"""Float32 inside float64: seen, named, and told from any other difference."""

from __future__ import annotations

import numpy as np
import pytest

from harness.fidelity.float32 import explains, first, named, shown_again, sign
from harness.fidelity.judge import judge_stage
from harness.fidelity.verdict import Sign

EXACT = np.linspace(0.1, 1.0, 64)


@pytest.mark.parametrize(
    ("a", "expected"),
    [
        (
            EXACT.astype(np.float32).astype(np.float64),
            Sign("all values of side a are float32 numbers", certain=True),
        ),
        (
            EXACT * (1.0 + 3e-8),
            Sign("the error is of the size of float32's rounding", certain=False),
        ),
        (EXACT * (1.0 + 1e-3), None),
        (EXACT * (1.0 + 1e-12), None),
    ],
)
def test_what_shows_float32(a, expected):
    """Values that float32 holds, or an error of its rounding; a large error and a tiny one are
    something else."""
    assert expected == sign(a, EXACT, float(np.max(np.abs(a - EXACT))))
    assert None is sign(
        np.ones(64), np.ones(64) + 1e-3, 1e-3
    )  # numbers that float32 holds by chance, far apart


def ladders(memory, shift, low_shift=1e-8):
    """Return the verdicts of a pair in float64, apart by `shift`, and in float32."""
    full = [
        judge_stage(memory({"x": EXACT + shift}), memory({"x": EXACT}), stage, "fp64")
        for stage in ("forward", "loss")
    ]
    a, b = (np.asarray(EXACT + value, np.float32) for value in (low_shift, 0.0))
    low = [
        judge_stage(memory({"x": a}), memory({"x": b}), stage, "fp32")
        for stage in ("forward", "loss")
    ]
    return full, low


def test_a_pair_that_differs_by_float32_alone_is_the_same_to_float32(memory):
    """Its own ladder in float32 passes, and no float64 error exceeds what float32 allows."""
    full, low = ladders(memory, 5e-8)
    assert "x" == first(full[0]).name and explains(full, low)
    said = named(full[0], same=True)
    assert (
        "float32 inside float64?, x first" in said.reason
        and "--accept float32-constants" in said.reason
    )
    assert full[0] is named(full[0], same=False, again=True)
    assert "--accept" not in named(full[0], same=False).reason


@pytest.mark.parametrize(("shift", "low_shift"), [(5e-8, 0.1), (1e-3, 1e-8), (0.0, 1e-8)])
def test_a_bug_is_not_taken_for_float32(memory, shift, low_shift):
    """A float32 ladder that fails, a float64 error beyond it, and a pair that does not fail at
    all."""
    full, low = ladders(memory, shift, low_shift)
    assert not explains(full, low)
    assert not explains(full, ())


@pytest.mark.parametrize(("again", "words"), [(True, False), (False, False), (True, True)])
def test_a_difference_that_float32_shows_as_well_is_no_constant(memory, again, words):
    """An epsilon differs in both precisions; a constant that one side holds in float32 in float64
    alone, and float32 shows its rounding. A kernel that exists in float32 only is told by its
    values, and rounds in the same way in both.
    """
    generator = np.random.RandomState(0)
    systematic, rounding = (
        1e-6 * generator.uniform(0.5, 1.0, 64),
        6e-8 * generator.uniform(-1.0, 1.0, 64),
    )
    a = (EXACT + systematic).astype(np.float32).astype(np.float64) if words else EXACT + systematic
    full = [judge_stage(memory({"x": a}), memory({"x": EXACT}), "forward", "fp64")]
    assert "FAIL" == full[0].verdict
    exact, honest = (memory({"x": a}), memory({"x": EXACT})), memory({"x": np.zeros(64)})
    low = memory({"x": systematic + rounding if again else rounding})
    assert (again and not words) is shown_again(full, exact, (low, honest))
    assert not shown_again(full, exact, (memory({}), honest))


def test_a_complex_difference_is_looked_at_in_both_parts(memory):
    """The same in the imaginary part alone."""
    shift = 1e-6j * np.linspace(0.5, 1.0, 64)
    exact = memory({"x": EXACT + shift}), memory({"x": EXACT + 0j})
    full = [judge_stage(*exact, "forward", "fp64")]
    assert shown_again(full, exact, (memory({"x": shift}), memory({"x": 0 * shift})))
    assert not shown_again(full, exact, (memory({"x": shift * 1j}), memory({"x": 0 * shift})))


def ordered(memory, by, values=EXACT, kind="reorder"):
    """Return the verdicts of a pair in float64 whose first stage shows float32, and whose second
    is moved by rows in another order, on side b alone; and in float32."""
    quiet = memory({"x": values}, {"x": 1e-16}, kind=kind)
    moved = memory({"x": values}, {"x": by}, kind=kind)
    full, low = ladders(memory, 5e-8)
    return [full[0], judge_stage(quiet, moved, "loss", "fp64")], low


def test_a_dependence_on_the_order_of_rows_is_no_constant(memory):
    """However small it is, and however alike both sides are in the order of the tape: float32's own
    runs pass, for they would move by as much."""
    for by in (1e-7, 3e-6):
        full, low = ordered(memory, by)
        assert ["FAIL", "FAIL"] == [verdict.verdict for verdict in full]
        assert "depends on the order of rows" in full[1].reason and {"PASS"} == {
            verdict.verdict for verdict in low
        }
        assert not explains(full, low)


def test_the_order_of_a_sum_in_float32_is_its_rounding(memory):
    """It moves the last places of numbers that float32 holds, be it a single one, as a loss is;
    nothing that is larger."""
    single = EXACT.astype(np.float32).astype(np.float64)
    for values in (single, single[5]):
        full, low = ordered(memory, 1e-7 * np.max(values), values)
        assert "depends on the order of rows" in full[1].reason and explains(full, low)
        assert not explains(*ordered(memory, 3e-6, values))


def test_what_a_unit_in_the_last_place_moves_as_well_may_be_a_cast(memory):
    assert explains(*ordered(memory, 1e-7, kind="ulp"))
