"""Every figure in which two runs differ, the exit code, and whether they can be compared at all."""

from __future__ import annotations

import dataclasses

import pytest

from harness.changes.figures import SECTIONS, diff
from harness.changes.model import RATIO, JudgedNight
from harness.results.model import QualityRow


def sections(found) -> dict[str, list]:
    return {
        name: rows
        for name in SECTIONS
        if (rows := [one for one in found.differences if one.section == name])
    }


def test_the_same_run_twice_has_no_difference(sample):
    """Nothing, and the code of success."""
    base = sample.night(sample.report())
    found = diff(base, base)
    assert ((), (), (), 0, True) == (
        found.changes,
        found.differences,
        found.apart,
        found.exit_code,
        found.comparable,
    )


def test_each_figure_is_told_in_its_section(sample):
    """Planted one in each; nothing else differs, and none of them alone is a regression."""
    base = sample.report(("tf2", "torch"))
    quality = QualityRow("cnn", "torch", "fp32", "tiny", "MMD", "lower", 0.31, 0.30, 0.32, 8)
    base = dataclasses.replace(base, quality=(quality,))
    row = base.speed[0]
    planted = {
        "errors": sample.staged(
            base, lambda one: one.stage == "loss" and one.precision == "fp64", error=2.5e-15
        ),
        "speed ratios": dataclasses.replace(
            base, speed=(dataclasses.replace(row, ratio=1.01), *base.speed[1:])
        ),
        "step times": dataclasses.replace(
            base, speed=(dataclasses.replace(row, b_step_s=2.1e-3), *base.speed[1:])
        ),
        "memory": dataclasses.replace(
            base, speed=(dataclasses.replace(row, b_peak_bytes=400_000_001), *base.speed[1:])
        ),
        "quality": dataclasses.replace(base, quality=(dataclasses.replace(quality, mean=0.32),)),
        "versions": sample.rebuilt(
            base, "torch", versions={"framework": "2.14.0", "numpy": "2.4.6"}
        ),
        "settings": sample.rebuilt(base, "torch", effective={"threads": 2, "tf32": True}),
        "data": dataclasses.replace(base, tapes={"cnn/tiny/0": "cd" * 32}),
        "jobs": dataclasses.replace(base, jobs=base.jobs[1:]),
    }
    for section, after in planted.items():
        found = diff(sample.night(base), sample.night(after))
        assert [section] == [*sections(found)] and 1 == len(found.differences), section
        assert 0 == found.exit_code and found.differences[0].before != found.differences[0].after


@pytest.mark.parametrize(
    ("was", "now", "code"),
    [
        ("PASS", "FAIL", 3),
        ("PASS", "INCONCLUSIVE", 3),
        ("INCONCLUSIVE", "FAIL", 3),
        ("FAIL", "PASS", 0),
        ("FAIL", "FAIL", 0),
    ],
)
def test_a_lost_verdict_ends_with_three(sample, was, now, code):
    """A PASS that was won, or a FAIL that stays, does not."""
    base = sample.report(("tf2", "torch"))
    nights = [
        sample.night(sample.staged(base, lambda row: row.stage == "loss", verdict=word))
        for word in (was, now)
    ]
    found = diff(*nights)
    assert code == found.exit_code and ("verdicts" in sections(found)) == (was != now)


def test_a_material_slow_down_ends_with_three(sample):
    """Judged from the rounds; a speed-up, or rounds too few to tell, does not."""
    base = sample.report()
    before = sample.night(base)
    assert 3 == diff(before, sample.night(base, {"torch": 0.15}, seed=1)).exit_code
    assert 0 == diff(before, sample.night(base, {"torch": -0.15}, seed=1)).exit_code
    assert 0 == diff(before, sample.night(base, {"torch": 0.15}, rounds=4, seed=1)).exit_code


def test_a_ratio_that_moved_of_two_builds_ends_with_three(sample):
    """Whichever way: tf2 may have become slower, or torch faster, and a release of both does not
    tell."""
    base = sample.report(("tf2", "torch"))
    for build in ("tf2", "torch"):
        for share in (0.15, -0.15):
            found = diff(sample.night(base), sample.night(base, {build: share}, seed=1))
            assert (3, [RATIO]) == (found.exit_code, [one.kind for one in found.changes])


def test_memory_that_grew_is_shown_and_ends_with_nothing(sample):
    """Among what got worse, but no verdict."""
    base = sample.report(("tf2", "torch"))
    after = dataclasses.replace(
        base, speed=tuple(dataclasses.replace(row, b_peak_bytes=500_000_000) for row in base.speed)
    )
    found = diff(sample.night(base), sample.night(after))
    assert ["memory", "memory"] == [one.kind for one in found.changes] and 0 == found.exit_code


@pytest.mark.parametrize(
    ("name", "more"),
    [("workload", {"workload": "linear"}), ("seed", {"seed": 1}), ("preset", {"preset": "paper"})],
)
def test_runs_of_different_things_are_said_to_be_so(sample, name, more):
    """Other workloads, seeds or presets: nothing is judged, and the code is that of wrong usage.
    Silence would read as a PASS."""
    base = sample.report(("tf2", "torch"))
    other = dataclasses.replace(
        base,
        stages=tuple(dataclasses.replace(row, **more) for row in base.stages),
        speed=tuple(dataclasses.replace(row, **more) for row in base.speed),
    )
    found = diff(sample.night(base), sample.night(other))
    assert not found.comparable and 2 == found.exit_code and () == found.changes
    assert any(f"Only the first run has {name} " in text for text in found.apart)
    assert any(f"Only the second run has {name} " in text for text in found.apart)


def test_runs_of_partly_the_same_are_compared_as_far_as_they_go(sample):
    """One has a build more; the common rows are judged, and what is in one only is said."""
    five, two = sample.report(), sample.report(("tf2", "torch"))
    found = diff(sample.night(two), sample.night(five, {"torch": 0.3}, seed=1))
    assert found.comparable and 3 == found.exit_code
    assert any(
        text.startswith("Only the second run has comparison tf1 : tf1-compat")
        for text in found.apart
    )


def test_another_port_or_tape_is_said_first(sample):
    """Its figures are of another thing."""
    base = sample.report(("tf2", "torch"))
    other = sample.rebuilt(
        base, "torch", port={"cnn": "backends/ports/torch/cnn.py, sha256 ffffffffffff"}
    )
    found = diff(
        JudgedNight(base), JudgedNight(dataclasses.replace(other, tapes={"cnn/tiny/0": "cd" * 32}))
    )
    assert ["tape cnn/tiny/0", "port of cnn on torch"] == [
        text.split(" is ")[0].removeprefix("The ") for text in found.apart
    ]
