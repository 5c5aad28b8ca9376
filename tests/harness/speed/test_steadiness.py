"""Steps that change while they are measured, and memory that grows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.speed.steadiness import changed, growth

MB = 1 << 20


def noisy(levels: list[float], seed: int = 3) -> list[float]:
    """Return logs of ratios of ten palindromes a level, with 3 % of noise."""
    generator = np.random.RandomState(seed)
    return [math.log(level) + 0.03 * generator.normal() for level in levels for _ in range(10)]


@pytest.mark.parametrize(
    ("levels", "factor"),
    [
        ([1.0, 1.0, 1.0], None),
        ([7.0, 7.0, 7.0], None),
        ([6.0, 6.0, 1.0], 1 / 6),
        ([1.0, 1.0, 2.0], 2.0),
        ([1.0, 1.02, 1.05], None),
        ([6.0, 1.0, 1.0], 1 / 6),
    ],
)
def test_a_plateau_that_ends_inside_a_round_shows(
    levels: list[float], factor: float | None
) -> None:
    """By its factor, up or down; a ratio that stays, however large, does not."""
    found = changed(noisy(levels))
    assert found is None if factor is None else found == pytest.approx(factor, rel=0.05)


def test_too_few_palindromes_tell_nothing() -> None:
    """Nor do ratios that are no numbers."""
    assert changed([0.0, 0.0, 1.0, 1.0, 1.0]) is None and changed([math.nan] * 9) is None


def test_a_leak_is_found_with_its_size() -> None:
    """What an allocator takes once, and noise of pages, are none."""
    leak = [(100 * turn, 50 * MB + 100 * turn * 2000) for turn in range(100)]
    assert growth(leak) == pytest.approx(2000.0, rel=0.01)
    assert (
        growth([(step, 50 * MB + 40 * MB * (turn > 20)) for turn, (step, _) in enumerate(leak)])
        is None
    )
    assert growth(
        [(step, 50 * MB + 40 * MB * (turn > 60)) for turn, (step, _) in enumerate(leak)]
    ) != pytest.approx(0.0)
    assert (
        growth([(step, 50 * MB + turn % 7 * 4096) for turn, (step, _) in enumerate(leak)]) is None
    )
    assert growth([(step, 90 * MB - size // 8) for step, size in leak]) is None
    assert growth(leak[:5]) is None and growth([]) is None


def test_two_speeds_that_come_and_go_are_no_plateau():
    """A round of `generate` as it was measured: 0.4 and 0.6 early and late. The same values
    sorted, which do not come back, are one."""
    met = [0.42, 0.40, 0.59, 0.60, 0.41, 0.61, 0.60, 0.41, 0.40, 0.60, 0.61, 0.60]
    assert changed([math.log(value) for value in met]) is None
    assert changed([math.log(value) for value in sorted(met)]) == pytest.approx(1.5, abs=0.1)
