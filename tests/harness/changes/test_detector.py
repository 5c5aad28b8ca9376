"""The step detector: at its level where nothing changed, and quick where something did.
docs/changes.md has the larger simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.changes.detector import LevelStep, night_noise, steps
from harness.speed.replay import bound


def drawn(
    nights: int, seed: int, night: float = 0.01, luck: float = 0.02, rounds: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """Return values and errors of nights that differ by `night`, and whose rounds differ by
    `luck`, as standard deviations."""
    draw = np.random.RandomState(seed)
    logs = night * draw.standard_normal((nights, 1)) + luck * draw.standard_normal((nights, rounds))
    return logs.mean(1), logs.std(1, ddof=1) / math.sqrt(rounds)


def with_step(
    nights: int, at: int, share: float, seed: int, **more: float
) -> tuple[LevelStep, ...]:
    values, errors = drawn(nights, seed, **more)  # type: ignore[arg-type]
    values[at:] += math.log1p(share)
    return steps(values, errors)


@pytest.mark.parametrize(("night", "luck"), [(0.005, 0.01), (0.01, 0.04), (0.04, 0.04)])
def test_a_series_without_a_change_has_no_step(night: float, luck: float):
    """At most one in a hundred, on a quiet machine and on one where nights differ by more than
    the margin."""
    tries = 60
    found = sum(bool(steps(*drawn(40, seed, night, luck))) for seed in range(tries))
    assert found / tries <= bound(0.01, tries)


@pytest.mark.parametrize("share", [0.05, -0.05, 0.3])
def test_a_step_is_found_at_its_place_within_a_few_nights(share: float):
    """Five per cent, four nights after it, on at least nine machines of ten."""
    found = [with_step(34, 30, share, seed) for seed in range(20)]
    right = [
        told
        for told in found
        if len(told) == 1 and abs(told[0].place - 30) <= 1 and (told[0].change > 0) == (share > 0)
    ]
    assert len(right) >= 18
    assert sum(told[0].low <= math.log1p(share) <= told[0].high for told in right) >= 0.9 * len(
        right
    )


def test_a_step_below_the_margin_is_not_looked_for():
    """Two per cent, as clear as daylight."""
    assert () == with_step(60, 30, 0.02, 1, night=0.0005, luck=0.001) and with_step(
        60, 30, 0.05, 1, night=0.0005, luck=0.001
    )


def test_one_bad_night_is_no_step():
    """Planted: 30 % for one night, at the end and in the middle. A threshold for one night has
    called both."""
    for place in (39, 20):
        for seed in range(10):
            values, errors = drawn(40, seed)
            values[place] += 0.3
            assert () == steps(values, errors)
            assert abs(values[place] - np.median(values)) > 0.2


def test_steps_up_and_down_are_both_found():
    """Slower for ten nights, and mended."""
    values, errors = drawn(40, 2)
    values[15:27] += 0.1
    found = steps(values, errors)
    assert [15, 27] == [one.place for one in found] and found[0].change > 0.08 > -0.08 > found[
        1
    ].change
    assert all(one.material and not one.drift for one in found)


def test_a_drift_is_called_one():
    """Nine per cent over sixty nights, a little each: its place means nothing."""
    values, errors = drawn(60, 4, night=0.005)
    found = steps(values + np.linspace(0.0, 0.09, 60), errors)
    assert found and any(one.drift for one in found)
    assert not any(one.drift for one in with_step(60, 30, 0.09, 4, night=0.005))


def test_a_night_with_large_errors_counts_less():
    """Three nights of two wild rounds each, far off: their own errors say so."""
    values, errors = drawn(40, 6, night=0.002, luck=0.004)
    values[-3:] += [0.25, 0.3, 0.2]
    assert steps(values, errors)
    errors[-3:] = 0.25
    assert () == steps(values, errors)


def test_the_same_series_gives_the_same_steps():
    """The orders are drawn from a constant."""
    assert with_step(34, 30, 0.06, 9) == with_step(34, 30, 0.06, 9) != ()


@pytest.mark.parametrize("nights", range(6))
def test_too_few_nights_have_no_step(nights: int):
    """Three on both sides at least."""
    values = np.where(np.arange(nights) < nights // 2, 0.0, 1.0)
    assert () == steps(values, np.full(nights, 0.001))


def test_equal_nights_have_no_step():
    """Nothing varies."""
    assert () == steps([0.1] * 20, [0.0] * 20)


def test_the_noise_between_nights_is_told_from_that_of_rounds():
    """Nights that differ by 2 % beside their rounds; and nights that do not differ at all."""
    found = [night_noise(*drawn(80, seed, 0.02, 0.02))[0] for seed in range(20)]
    none = [night_noise(*drawn(80, seed, 0.0, 0.02))[0] for seed in range(20)]
    assert 0.016 < float(np.median(found)) < 0.024 and float(np.median(none)) < 0.003
    assert night_noise([0.1] * 5, [0.0] * 5) is None
