"""The numbers that stage D compares: what each is meant to see moves it, what is not defined
says so."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.fidelity.distribution import judge_distribution
from harness.fidelity.summaries import Draw, quantities

STEPS, ROWS, HOURS = 60, 40, 6
WEIGHTS = {"fit": 1.0, "kl": 0.1}


def draw(generator, weights=WEIGHTS, noise=0.1, mixing=1.0):
    """Return one seed: two terms whose levels vary from seed to seed by much more than a fault
    moves them, and their total."""
    levels = np.exp(generator.normal(size=2))
    curves = {
        name: level * (1.0 + noise * generator.normal(size=STEPS))
        for name, level in zip(("fit", "kl"), levels, strict=True)
    }
    total = sum(weights[name] * curve for name, curve in curves.items())
    losses = {f"joint/vae/{name}": curve for name, curve in {**curves, "total": total}.items()}
    # One series that all rows share, of every seed its own, and what is each row's.
    shared, own = generator.normal(size=(HOURS, 2)), generator.normal(size=(ROWS, HOURS, 2))
    return Draw(
        {name: curve.astype(np.float32).astype(np.float64) for name, curve in losses.items()},
        shared + mixing * own,
    )


def sides(seed=0, **changed):
    generator = np.random.RandomState(seed)
    return [draw(generator) for _ in range(8)], [draw(generator, **changed) for _ in range(8)]


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"weights": {"fit": 1.0, "kl": 0.05}}, "joint/vae/total, weight of kl"),
        ({"noise": 0.01}, "jumps"),
        ({"mixing": 0.0}, "share between rows"),
    ],
    ids=["a weight is halved", "the noise in training is off", "all rows are the same series"],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_fault_that_hides_between_seeds_is_found(changed, where, seed):
    """No mean and no deviation moves by as much as seeds differ; the number made for it does."""
    found = judge_distribution(*sides(seed, **changed), 8, "xy").verdict
    assert found.verdict == "FAIL"
    failed = [item.name for item in found.tensors if item.verdict == "FAIL"]
    assert any(where in name for name in failed) and not any("fifth" in name for name in failed)


def test_weights_are_those_of_the_sum_whatever_the_levels():
    """Exactly, for the fit is of curves that add up; the rounding of float32 is negligible."""
    found = {item.name: item for item in quantities(*sides(), "xy")}
    for name, weight in WEIGHTS.items():
        item = found[f"joint/vae/total, weight of {name}"]
        assert np.allclose(
            [*item.a, *item.b], weight, rtol=1e-4
        ) and item.negligible == pytest.approx(0.01 * weight, rel=1e-4)


@pytest.mark.parametrize(
    "curves",
    [
        {"fit": np.ones(STEPS), "kl": 2.0 * np.ones(STEPS)},
        {"fit": np.zeros(STEPS), "kl": np.linspace(1, 2, STEPS)},
        {"fit": np.array([1.0, 2.0, 4.0]), "kl": np.array([1.0, 3.0, 2.0])},
    ],
    ids=["as alike as can be", "one is zero", "too few steps"],
)
def test_weights_that_the_steps_do_not_tell_are_not_defined(curves):
    """NaN, which is listed and not counted."""
    size = len(curves["fit"])
    one = Draw(
        {
            **{f"p/{name}": curve for name, curve in curves.items()},
            "p/total": np.linspace(1, 3, size),
        },
        np.zeros((4, HOURS, 1)),
    )
    found = {item.name: item for item in quantities([one] * 3, [one] * 3, "x")}
    assert all(np.all(np.isnan(found[f"p/total, weight of {name}"].a)) for name in curves)


def test_a_curve_that_never_moves_has_no_jumps():
    """Its logarithm is not defined; one that moves by a tenth of itself has it."""
    losses = {"flat": np.full(STEPS, 3.0), "moves": np.where(np.arange(STEPS) % 2, 1.0, 1.1)}
    found = {
        item.name: item
        for item in quantities(
            [Draw(losses, np.zeros((4, 1, 1)))] * 3, [Draw(losses, np.zeros((4, 1, 1)))] * 3, "x"
        )
    }
    assert np.isnan(found["flat, jumps"].a).all()
    assert found["moves, jumps"].a == pytest.approx(np.full(3, np.log(0.1)))


def test_rows_are_compared_only_within_series():
    """Of values without steps what is between rows is all there is: the deviation says it."""
    generator = np.random.RandomState(0)
    flat = [
        Draw({"p/total": generator.normal(size=STEPS)}, generator.normal(size=(ROWS, 1, 1)))
        for _ in range(3)
    ]
    assert not [item for item in quantities(flat, flat, "x") if "between rows" in item.name]
    long = [
        Draw({"p/total": generator.normal(size=STEPS)}, generator.normal(size=(ROWS, HOURS, 1)))
        for _ in range(3)
    ]
    values = next(item for item in quantities(long, long, "x") if "between rows" in item.name)
    assert np.all(values.a > 2.0)
    same = [
        dataclasses.replace(draw, samples=np.repeat(draw.samples[:1], ROWS, axis=0))
        for draw in long
    ]
    values = next(item for item in quantities(same, same, "x") if "between rows" in item.name)
    assert np.all(values.a < -20.0)
