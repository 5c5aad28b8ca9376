"""The judge of a stage: what names a fault, what is NULL, what is beyond the horizon."""

from __future__ import annotations

import numpy as np
import pytest

from harness.fidelity.judge import judge_stage
from harness.fidelity.nulls import null_tensors


def test_the_first_tensor_that_departs_is_named_not_the_worst(memory):
    """A fault spreads and grows downstream; the reader wants to know where it starts."""
    b = {"conv": np.ones(4), "dense": np.ones(4), "logits": np.ones(4)}
    a = {"conv": np.ones(4), "dense": np.ones(4) + 1e-6, "logits": np.ones(4) + 1.0}
    found = judge_stage(memory(a), memory(b), "forward", "fp64")
    assert ("FAIL", "dense") == (found.verdict, found.worst.name)
    assert found.reason.startswith("2 of 3 tensors depart, dense first")
    assert (1.0 + 1e-6, 1.0) == (found.worst.difference.value_a, found.worst.difference.value_b)


def test_a_pass_names_the_tensor_nearest_to_its_threshold(memory):
    """So that a reader sees how much room is left."""
    b = {"x": np.ones(4), "y": np.ones(4)}
    a = {"x": np.ones(4), "y": np.ones(4) + 2.0**-52}
    found = judge_stage(memory(a), memory(b), "forward", "fp64")
    assert ("PASS", "y") == (found.verdict, found.worst.name)
    assert 0.0 < found.worst.margin <= 1.0


def test_weights_have_no_tolerance(memory):
    """They are loaded, not computed."""
    a, b = {"w": np.ones(3)}, {"w": np.nextafter(np.ones(3), 2.0)}
    assert (
        "FAIL"
        == judge_stage(memory(a, {"w": 1.0}), memory(b, {"w": 1.0}), "weights", "fp64").verdict
    )
    assert "PASS" == judge_stage(memory(a), memory(a), "weights", "fp64").verdict


@pytest.mark.parametrize("stage", ["gradients", "update"])
def test_null_needs_both_sides_to_be_no_larger_than_their_noise(memory, stage):
    """Noise against noise is NULL; noise against something real is a fault."""
    real = {"w": np.ones(3), "bias": np.full(3, 1e-8)}
    zero_a, zero_b = (
        {"w": np.ones(3), "bias": np.full(3, 1e-17)},
        {
            "w": np.ones(3),
            "bias": np.full(3, -3e-17),
        },
    )
    moved = {"bias": 2e-17}
    found = judge_stage(memory(zero_a, moved), memory(zero_b, moved), stage, "fp64")
    assert ("PASS", ("bias",)) == (found.verdict, found.null)
    for sides in ((zero_a, real), (real, zero_b)):
        found = judge_stage(*(memory(side, moved) for side in sides), stage, "fp64")
        assert ("FAIL", "bias", ()) == (found.verdict, found.worst.name, found.null)


def test_a_stage_of_nulls_is_inconclusive(memory):
    """Nothing was compared, so nothing agrees."""
    side = memory({"bias": np.full(3, 1e-17)}, {"bias": 1e-17})
    assert "INCONCLUSIVE" == judge_stage(side, side, "gradients", "fp32", {"bias"}).verdict


def test_activations_and_losses_are_never_null(memory):
    """A zero output on both sides is agreement; a small one against another small one is
    compared."""
    a, b = (
        memory({"x": np.full(3, 1e-17)}, {"x": 1e-20}),
        memory({"x": np.full(3, -1e-17)}, {"x": 1e-20}),
    )
    assert "FAIL" == judge_stage(a, b, "forward", "fp64").verdict


def test_names_that_float64_found_to_be_zero_are_null_in_a_lower_precision(memory):
    """Zero in float64 and no larger than its own noise here; a value that is larger, or a NaN,
    is not hidden."""
    wide = memory({"w": np.ones(3), "bias": np.full(3, 1e-17)}, {"bias": 1e-17})
    names = null_tensors(wide, wide, "gradients")
    assert {"bias"} == names
    low = {"w": np.ones(3, np.float32), "bias": np.full(3, 1e-8, np.float32)}
    noise = {"bias": 1e-8}
    assert (
        "PASS"
        == judge_stage(
            memory(low, noise),
            memory({**low, "bias": -low["bias"]}, noise),
            "gradients",
            "fp32",
            names,
        ).verdict
    )
    real = memory({**low, "bias": np.full(3, 5.0, np.float32)}, noise)
    assert "FAIL" == judge_stage(memory(low, noise), real, "gradients", "fp32", names).verdict
    odd = {**low, "bias": np.full(3, np.nan, np.float32)}
    assert "FAIL" == judge_stage(memory(odd), memory(low), "gradients", "fp32", names).verdict
    assert (
        "INCONCLUSIVE" == judge_stage(memory(odd), memory(odd), "gradients", "fp32", names).verdict
    )


def test_noise_that_is_not_finite_makes_nothing_pass(memory):
    """A variation that overflowed gives no threshold: neither NULL nor PASS nor FAIL."""
    side = memory({"w": np.ones(3)}, {"w": np.inf})
    other = memory({"w": np.zeros(3)}, {"w": np.nan})
    for stage in ("forward", "gradients"):
        assert "INCONCLUSIVE" == judge_stage(side, other, stage, "fp64").verdict


def test_what_lies_beyond_the_horizon_is_listed_and_not_counted(memory):
    """Where honest variations differ by as much as the value, agreement says nothing and a stage
    of it is inconclusive."""
    moved = {f"step {step}/loss/total": 1e-15 * 60.0**step for step in range(1, 10)}
    a, b = (
        {name: np.array(1.0 + shift * size) for name, size in moved.items()} for shift in (0.0, 0.5)
    )
    found = judge_stage(memory(a, moved), memory(b, moved), "trajectory", "fp64")
    assert (
        "PASS" == found.verdict
        and "2 more are beyond the horizon, from step 8/loss/total on" in found.reason
    )


def test_a_floor_that_was_never_small_has_not_grown(memory):
    """The same movement without the steps that lead to it is an edge, and excuses nothing; nor
    does one at the first step."""
    for name in ("step 9/loss/total", "step 1/loss/total"):
        names, moved = ["step 1/loss/other", name], {name: 0.2}
        a, b = ({names[0]: np.array(1.0), name: np.array(1.0 + shift)} for shift in (0.0, 0.1))
        found = judge_stage(memory(a, moved), memory(b, moved), "trajectory", "fp64")
        assert ("INCONCLUSIVE", name) == (found.verdict, found.worst.name)


def test_a_stage_of_training_without_its_parameters_is_no_pass(memory):
    """Losses agree, every parameter is left out: nothing was said of the update."""
    names = [f"step 1/train/parameter/{name}" for name in "vw"]
    slots = {"step 1/train/slot/adam/step": np.array(1)}
    side = memory(
        {**slots, **dict.fromkeys(names, np.ones(3, np.float32))},
        dict.fromkeys(names, 1.0),
        dict.fromkeys(names, 1.0),
    )
    other = memory(
        {**slots, **dict.fromkeys(names, np.full(3, 1.5, np.float32))}, side.moved, side.scales
    )
    found = judge_stage(side, other, "update", "fp32")
    assert "INCONCLUSIVE" == found.verdict
    assert found.reason.startswith(
        "no parameter was compared: of 2, 0 are mathematically zero and 2 beyond"
    )


def test_a_lucky_step_inherits_the_noise_of_the_steps_before(memory):
    """One number's movement over a few runs can be small by chance; rounding does not shrink."""
    names = ["step 1/loss/total", "step 2/loss/total"]
    a = memory({names[0]: np.array(1.0), names[1]: np.array(1.0 + 1e-13)}, {names[0]: 1e-13})
    b = memory({names[0]: np.array(1.0), names[1]: np.array(1.0)})
    assert "PASS" == judge_stage(a, b, "trajectory", "fp64").verdict
    assert "FAIL" == judge_stage(memory(a.tensors), b, "trajectory", "fp64").verdict


def test_a_parameter_is_judged_on_the_scale_of_its_update(memory):
    """1e-12 of a weight of 1 is nothing, of an update of 1e-9 it is a fault."""
    name = "step 1/train/parameter/w"
    a, b = {name: np.ones(3) + 1e-12}, {name: np.ones(3)}
    moved = {name: 2e-16}
    assert (
        "FAIL"
        == judge_stage(
            memory(a, moved, {name: 1e-9}), memory(b, moved, {name: 1e-9}), "update", "fp64"
        ).verdict
    )


def test_a_run_that_does_not_repeat_itself_is_not_judged(memory):
    """A port that draws its own noise or batches widens its own floor; repeating the run gives
    it away."""
    steady = memory({"x": np.ones(3)}, {"x": 0.3})
    wandering = memory({"x": np.ones(3)}, {"x": 0.3}, repeats={"x": 0.3})
    for a, b in ((steady, wandering), (wandering, steady)):
        found = judge_stage(a, b, "forward", "fp32")
        side = "a" if a is wandering else "b"
        assert (
            "FAIL" == found.verdict
            and f"{side}'s x is another one when the same run is repeated" in found.reason
        )
    found = judge_stage(wandering, wandering, "forward", "fp32")
    assert "INCONCLUSIVE" == found.verdict and "when the same run is repeated" in found.reason
    slightly = memory({"x": np.ones(3)}, repeats={"x": 1e-5})
    assert "INCONCLUSIVE" == judge_stage(steady, slightly, "forward", "fp32").verdict


def test_a_floor_that_float64_cannot_have_is_no_pass(memory):
    """Something inside a float64 run that moves like float32 makes the stage inconclusive, and a
    departure there still fails."""
    wide = memory({"x": np.ones(3)}, {"x": 1e-7})
    assert "PASS" == judge_stage(wide, wide, "loss", "fp32").verdict
    other = memory({"x": np.full(3, 1.0 + 1e-8)}, {"x": 1e-7})
    found = judge_stage(wide, other, "loss", "fp64")
    assert (
        "INCONCLUSIVE" == found.verdict
        and "no honest variation measures rounding here" in found.reason
    )
    shaky = memory({"x": np.full(3, 1.0 + 1e-10)}, {"x": 1e-9})
    found = judge_stage(memory({"x": np.ones(3)}, {"x": 1e-9}), shaky, "loss", "fp64")
    assert "INCONCLUSIVE" == found.verdict and "lower precision" in found.reason
    assert (
        "FAIL"
        == judge_stage(wide, memory({"x": np.full(3, 1.1)}, {"x": 1e-7}), "loss", "fp64").verdict
    )


MEDIAN = 1e-12


def scalars(step: int = 1, count: int = 9, **changed: float) -> dict[str, np.ndarray]:
    """Return as many losses of one step; `changed` by number, as in `of0`."""
    return {
        f"step {step}/loss/of{index}": np.array(1.0 + changed.get(f"of{index}", 0.0))
        for index in range(count)
    }


def moved_but_first(found: dict[str, np.ndarray]) -> dict[str, float]:
    """Return movements of `MEDIAN` for all but the first, which honest variations did not move
    at all, by chance."""
    return {name: MEDIAN if index else 0.0 for index, name in enumerate(found)}


@pytest.mark.parametrize(("departure", "verdict"), [(4 * MEDIAN, "PASS"), (1e3 * MEDIAN, "FAIL")])
def test_a_single_number_that_did_not_move_has_the_floor_of_its_company(memory, departure, verdict):
    """Its neighbours moved by 1e-12: a departure of that size is rounding, one a thousand times
    as large is a fault."""
    b = scalars()
    found = judge_stage(
        memory(scalars(of0=departure), moved_but_first(b)),
        memory(b, moved_but_first(b)),
        "trajectory",
        "fp64",
    )
    assert (verdict, "step 1/loss/of0") == (found.verdict, found.worst.name)


def test_company_is_eight_of_the_same_kind_at_the_same_step(memory):
    """Seven neighbours say little, those of another step or another kind nothing: a floor of the
    number's own is all there is."""
    slots = {f"step 1/train/slot/adam/of{index}": np.array(1.0) for index in range(8)}
    for b in (
        scalars(count=7),
        {**scalars(count=1), **scalars(step=2)},
        {**scalars(count=1), **slots},
    ):
        a = {**b, "step 1/loss/of0": np.array(1.0 + 4 * MEDIAN)}
        found = judge_stage(
            memory(a, moved_but_first(b)), memory(b, moved_but_first(b)), "trajectory", "fp64"
        )
        assert ("FAIL", "step 1/loss/of0") == (found.verdict, found.worst.name)


def test_a_large_tensor_has_no_company(memory):
    """Among many elements chance leaves none unmoved: its own movement is its floor."""
    b = {"step 1/loss/each": np.ones(16), **scalars()}
    a = {**b, "step 1/loss/each": np.ones(16) + 4 * MEDIAN}
    moved = {**dict.fromkeys(b, MEDIAN), "step 1/loss/each": 0.0}
    found = judge_stage(memory(a, moved), memory(b, moved), "trajectory", "fp64")
    assert ("FAIL", "step 1/loss/each") == (found.verdict, found.worst.name)


def test_one_wild_neighbour_is_no_company(memory):
    """The median decides: a tensor that moves by all of its size excuses nobody."""
    b = scalars()
    moved = {**dict.fromkeys(b, 0.0), "step 1/loss/of8": 0.1}
    found = judge_stage(
        memory(scalars(of0=4 * MEDIAN), moved), memory(b, moved), "trajectory", "fp64"
    )
    assert ("FAIL", "step 1/loss/of0") == (found.verdict, found.worst.name)


def test_whole_numbers_are_equal_or_not_however_large(memory):
    """One more than 3 * 2^53 is within a unit in the last place of float64, and another key all
    the same."""
    key = 3 * 2**53
    a, b = memory({"key": np.array([key, key + 5])}), memory({"key": np.array([key, key + 4])})
    assert ("FAIL", "PASS") == tuple(
        judge_stage(a, other, "forward", "fp64").verdict for other in (b, a)
    )


@pytest.mark.parametrize(("noise_a", "verdict"), [(3e-16, "FAIL"), (4e-10, "PASS")])
def test_one_side_does_not_excuse_itself_by_its_own_noise(memory, noise_a, verdict):
    """A small term in float32 moves its own side by as much as it is wrong; the other side says
    how much float64 moves."""
    b = {"step 1/train/slot/m": np.ones(32)}
    a = {"step 1/train/slot/m": np.ones(32) + 4e-10}
    sides = memory(a, {"step 1/train/slot/m": 4e-10}), memory(b, {"step 1/train/slot/m": noise_a})
    assert verdict == judge_stage(*sides, "update", "fp64").verdict
    assert "PASS" == judge_stage(*sides, "update", "fp32").verdict
