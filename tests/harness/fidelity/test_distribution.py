"""Stage D: planted differences fail, too few seeds never pass and say how many would, what is
not finite is evidence."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.fidelity.distribution import judge_distribution
from harness.fidelity.summaries import Draw, series

ROWS, HOURS, TERMS, STEPS = 30, 6, 8, 20


def draw(generator, shift=0.0, noise=1.0, swap=False):
    """Return what one seed leaves: eight loss curves with levels of their own, three walking
    channels and a binary one."""
    levels = 1.0 + 0.05 * generator.normal(size=TERMS)
    losses = {
        f"joint/{index}": level + 0.02 * generator.normal(size=STEPS)
        for index, level in enumerate(levels)
    }
    losses["joint/3"] = losses["joint/3"] + shift
    centre = np.array([0.0, 1.0, 2.0]) + 0.1 * generator.normal(size=3)
    walk = centre + 0.5 * noise * np.cumsum(generator.normal(size=(ROWS, HOURS, 3)), axis=1)
    binary = generator.uniform(size=(ROWS, HOURS, 1)) < 0.4 + 0.05 * generator.normal()
    rows = np.concatenate([walk, binary], axis=2)
    return Draw(losses, rows[:, :, [1, 0, 2, 3]] if swap else rows)


def side(generator, seeds, **changed):
    return [draw(generator, **changed) for _ in range(seeds)]


def judge(seeds, seed=0, asked=None, **changed):
    generator = np.random.RandomState(seed)
    return judge_distribution(
        side(generator, seeds), side(generator, seeds, **changed), asked or seeds, "abcd"
    )


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"shift": 0.5}, "joint/3"),
        ({"noise": 0.4}, "deviation"),
        ({"swap": True}, "mean"),
    ],
    ids=["a loss is shifted", "a source of noise is missing", "two channels are swapped"],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_planted_difference_fails_and_is_named(change, where, seed):
    """With both means, in the spreads that the original shows between its own seeds."""
    found = judge(8, seed, **change).verdict
    assert (found.verdict, "differences shown" in found.reason) == ("FAIL", True)
    assert where in found.worst.name and found.worst.error > found.worst.threshold
    assert found.worst.difference.value_a != found.worst.difference.value_b


def test_the_same_distribution_never_fails_and_passes_when_there_are_seeds_enough():
    """Over repetitions; with few seeds it is inconclusive, and so is a difference that is not
    significant."""
    enough = [judge(12, seed).verdict.verdict for seed in range(12)]
    assert "FAIL" not in enough and enough.count("PASS") >= 9
    few = [judge(3, seed).verdict.verdict for seed in range(12)]
    assert few.count("PASS") == 0 and few.count("FAIL") <= 1


def test_the_seeds_named_suffice():
    """Of the median of what inconclusive comparisons ask for, four of five pass."""
    asked = [judge(4, seed).needed for seed in range(9)]
    known = sorted(number for number in asked if number is not None)
    assert len(known) >= 5
    needed = known[len(known) // 2]
    passed = [judge(needed, 100 + seed).verdict.verdict for seed in range(15)]
    assert (
        4 < needed < 40 and passed.count("PASS") >= 12 - 2
    )  # 80 %, less one standard error of fifteen runs


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_say_how_many_are_needed(seeds):
    """A spread of two is no spread."""
    found = judge(seeds)
    assert ("INCONCLUSIVE", (seeds, seeds)) == (found.verdict.verdict, found.seeds)
    assert 3 <= found.needed < 20 and f"about {found.needed} seeds" in found.verdict.reason


def test_a_missing_model_keeps_a_pass_away():
    """Eleven of twelve seeds, all equivalent: the twelfth may have been the one that differs."""
    generator = np.random.RandomState(3)
    a, b = side(generator, 12), side(generator, 12)
    assert judge_distribution(a, b, 12).verdict.verdict == "PASS"
    found = judge_distribution(a, b[1:], 12).verdict
    assert found.verdict == "INCONCLUSIVE" and "12 of a and 11 of b" in found.reason
    assert judge_distribution(a, [], 12).verdict.reason == "side b left no trained model"


def spoil(item, count=1):
    losses = dict(item.losses)
    losses["joint/0"] = np.append(losses["joint/0"][:-1], np.nan)
    return dataclasses.replace(item, losses=losses)


def test_trainings_that_diverge_never_pass_and_fail_where_only_one_side_has_them():
    """One of twelve on either side is inconclusive, ten of twelve on one side are a difference."""
    generator = np.random.RandomState(3)
    a, b = side(generator, 12), side(generator, 12)
    one = judge_distribution([spoil(a[0]), *a[1:]], [spoil(b[0]), *b[1:]], 12)
    assert ("INCONCLUSIVE", "diverged trainings", None) == (
        one.verdict.verdict,
        one.verdict.worst.name,
        one.needed,
    )
    many = judge_distribution(a, [*(spoil(item) for item in b[:10]), *b[10:]], 12).verdict
    assert ("FAIL", "diverged trainings") == (
        many.verdict,
        many.worst.name,
    ) and "10 of 12 of b" in many.reason
    assert (
        judge_distribution(
            [spoil(item) for item in a], [spoil(item) for item in b], 12
        ).verdict.verdict
        == "INCONCLUSIVE"
    )


def test_a_seed_without_effect_is_a_fault():
    """On one side; on both there is nothing to judge by."""
    generator = np.random.RandomState(3)
    a, same = side(generator, 4), [draw(generator)] * 4
    assert (
        "side b gives the same run for every seed" in judge_distribution(a, same, 4).verdict.reason
    )
    assert judge_distribution(a, same, 4).verdict.verdict == "FAIL"
    assert judge_distribution(same, same, 4).verdict.verdict == "INCONCLUSIVE"


def test_other_terms_and_other_shapes_are_differences():
    """And samples that are missing are not looked over."""
    generator = np.random.RandomState(3)
    a, b = side(generator, 4), side(generator, 4)
    fewer = [
        dataclasses.replace(
            item, losses={name: value for name, value in item.losses.items() if name != "joint/1"}
        )
        for item in b
    ]
    found = judge_distribution(a, fewer, 4).verdict
    assert found.verdict == "FAIL" and "joint/1" in found.reason
    assert (
        judge_distribution(
            a, [dataclasses.replace(item, samples=item.samples[:, :3]) for item in b], 4
        ).verdict.verdict
        == "FAIL"
    )
    assert (
        judge_distribution(
            a, [dataclasses.replace(item, samples=None) for item in b], 4
        ).verdict.verdict
        == "INCONCLUSIVE"
    )


def test_a_constant_channel_is_listed_and_not_counted():
    """Where it is the same on both sides; where it is not, it is a difference."""
    generator = np.random.RandomState(3)

    def still(items, value):
        extra = np.full((ROWS, HOURS, 1), value)
        return [
            dataclasses.replace(item, samples=np.concatenate([item.samples, extra], axis=2))
            for item in items
        ]

    a, b = side(generator, 12), side(generator, 12)
    same = judge_distribution(still(a, 0.0), still(b, 0.0), 12, "abcde").verdict
    assert same.verdict == "PASS" and {
        "e, probability",
        "e, autocorrelation",
        "a and e, correlation",
    } <= set(same.null)
    other = judge_distribution(still(a, 0.0), still(b, 1.0), 12, "abcde").verdict
    assert ("FAIL", "e, probability") == (other.verdict, other.worst.name)


def test_judging_again_gives_the_same():
    """Random labellings and simulated power have fixed seeds."""
    assert repr(judge(5)) == repr(judge(5))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((4,), (4, 1, 1)), ((4, 3), (4, 1, 3)), ((4, 5, 3), (4, 5, 3)), ((4, 5, 3, 2), (4, 5, 6))],
)
def test_samples_of_any_shape_are_series(shape, expected):
    """A table has one step, further axes are channels."""
    assert expected == series(np.zeros(shape, np.float32)).shape
