"""The floor: what honest variations measured, never below the last place, never lost in a NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.fidelity import noise


def test_the_floor_is_the_largest_movement_on_the_tensors_scale():
    """A movement of 1e-6 of a tensor of size 2 is 5e-7."""
    found = noise.floor(2.0, 1e-6, "fp32", "forward")
    assert (2.0, 5e-7, noise.coverage("forward") * 5e-7) == (
        found.scale,
        found.relative,
        found.threshold,
    )


@pytest.mark.parametrize("precision", noise.UNIT_ROUNDOFF)
def test_no_result_is_known_better_than_its_last_place(precision):
    """Without any movement the floor is the unit roundoff."""
    assert noise.UNIT_ROUNDOFF[precision] == noise.floor(1.0, 0.0, precision, "forward").relative


def test_noise_larger_than_the_tensor_is_its_scale():
    """A value that is all noise is measured against the noise."""
    found = noise.floor(1e-17, 1e-16, "fp64", "forward")
    assert (1e-16, 1.0) == (found.scale, found.relative)
    assert 0.0 == noise.floor(0.0, 0.0, "fp64", "forward").scale


@pytest.mark.parametrize("values", [[math.nan, 1.0], [1.0, math.nan], [math.inf, 0.0]])
def test_a_variation_that_is_not_finite_leaves_no_threshold(memory, values):
    """Wherever the NaN stands, it is neither lost nor turned into a threshold."""
    side = memory({"x": np.ones(2)})
    side.noise = lambda stage, name: {"ulp": values}
    moved = noise.movement(side, "forward", "x")
    assert math.inf == moved == noise.floor(1.0, moved, "fp64", "forward").threshold


def test_only_the_kinds_asked_for_count(memory):
    """Rounding to a lower precision is no noise of the precision at hand."""
    side = memory({"x": np.ones(2)}, {"x": 0.1}, kind="round:bf16")
    assert 0.0 == noise.movement(side, "forward", "x")
    assert 0.1 == noise.movement(side, "forward", "x", ("round:bf16",))


def test_a_floor_is_raised_to_its_companys_and_never_lowered():
    """The scale and the movement stay what was measured, and a raised floor still tells things
    apart."""
    own = noise.floor(1.0, 1e-12, "fp64", "forward")
    raised = noise.at_least(own, 1e-10, "forward")
    assert (own.movement, own.scale, 1e-10) == (raised.movement, raised.scale, raised.relative)
    assert noise.coverage("forward") * 1e-10 == raised.threshold
    assert own == noise.at_least(own, 1e-14, "forward") == noise.at_least(own, 0.0, "forward")
    for company in (1.0, math.inf):
        assert noise.at_least(own, company, "forward").threshold < 1e-3 < noise.HORIZON


def test_the_coverage_factor_holds_what_was_measured_and_room_for_what_was_not(monkeypatch):
    """The largest ratio of a stage in any precision, times the surprise; never below one floor."""
    monkeypatch.setattr(
        noise.honest_spread,
        "LARGEST",
        {"fp64": {"forward": 1.5, "loss": 0.2}, "fp32": {"forward": 3.0}},
    )
    monkeypatch.setattr(noise.honest_spread, "SURPRISE", 1.5)
    assert (4.5, 1.5, 1.5) == (
        noise.coverage("forward"),
        noise.coverage("loss"),
        noise.coverage("update"),
    )
