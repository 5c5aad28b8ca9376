"""What of two stored runs is measured against each other: where the rounds come from, and what may
not be compared."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.changes.model import moments
from harness.commands import diff
from harness.results.model import Report
from harness.results.series import Turns
from harness.speed import estimate
from tests.harness import contents
from tests.harness.commands.stored_runs import report, written


def test_the_rounds_come_from_the_records(tmp_path: Path) -> None:
    """A slow-down that the reports themselves do not show, since they are the same to the byte,
    is found in the rounds."""
    before, after = (
        written(tmp_path / "a", report(), 0.0),
        written(tmp_path / "b", report(), 0.2, seed=1),
    )
    found = diff.compare(before, after)
    # Neither the versions nor the step times of these reports tell of which build.
    assert 3 == found.exit_code and ["ratio"] == [one.kind for one in found.changes]
    assert 0 == diff.compare(before, written(tmp_path / "c", report(), 0.0, seed=1)).exit_code
    assert 3 == diff.compare(before / "report.json", after / "report.json").exit_code


def test_a_report_without_records_has_its_plots_step_times(tmp_path: Path) -> None:
    """Palindrome by palindrome, round by round: the same slow-down is found."""

    def with_turns(shift: float, seed: int) -> Report:
        draw = np.random.RandomState(seed)
        b = tuple(
            tuple(1e-3 * (1 + shift) * math.exp(0.01 * luck) for _ in range(3))
            for luck in draw.standard_normal(8)
        )
        row = dataclasses.replace(report().speed[0], turns=Turns(((1e-3,) * 3,) * 8, b))
        return report(speed=(row,))

    runs = [
        written(tmp_path / name, with_turns(shift, seed))
        for name, shift, seed in (("a", 0.0, 1), ("b", 0.2, 2), ("c", 0.0, 3))
    ]
    assert [3, 0] == [diff.compare(runs[0], run).exit_code for run in runs[1:]]


def test_an_older_report_has_its_intervals(tmp_path: Path) -> None:
    """Its standard error is what the interval was made from, or larger; a clear slow-down is
    found, and none where there is none."""
    logs = 0.01 * np.random.RandomState(1).standard_normal(8)
    for final in (True, False):
        told = estimate.estimate_logs(list(logs), final)
        row = dataclasses.replace(report().speed[0], ratio=told.ratio, low=told.low, high=told.high)
        found, true = diff._from_interval(row), moments(list(logs))
        assert (
            found is not None
            and found.mean == pytest.approx(true.mean)
            and found.error >= 0.999 * true.error
        )
        assert (found.error == pytest.approx(true.error)) == final
    rows = [
        dataclasses.replace(report().speed[0], ratio=mid, low=0.98 * mid, high=1.02 * mid)
        for mid in (1.0, 1.3, 1.01)
    ]
    runs = [written(tmp_path / str(place), report(speed=(row,))) for place, row in enumerate(rows)]
    assert [3, 0] == [diff.compare(runs[0], run).exit_code for run in runs[1:]]


@pytest.mark.parametrize(
    "more",
    [
        {"low": None},
        {"rounds": 1},
        {"low": 0.0},
        {"low": 1.1, "high": 1.0},
        {"high": math.inf},
        {"rounds": 3},
    ],
)
def test_no_interval_is_no_measurement(tmp_path: Path, more: dict[str, Any]) -> None:
    """Said, not judged."""
    row = dataclasses.replace(report().speed[0], **more)
    found = diff.compare(
        written(tmp_path / "a", report(speed=(row,))), written(tmp_path / "b", report())
    )
    assert ["not judged"] == [one.kind for one in found.changes] and 0 == found.exit_code


def test_other_conditions_are_not_compared(tmp_path: Path) -> None:
    """A row tells the device that it was measured on."""
    row = report().speed[0]
    gpu = report(speed=(dataclasses.replace(row, device="gpu"),))
    found = diff.compare(written(tmp_path / "a", report(), 0.0), written(tmp_path / "b", gpu, 0.5))
    assert 0 == found.exit_code and "device cpu -> gpu" in found.changes[0].text


def test_another_machine_is_not_compared(tmp_path: Path) -> None:
    """Planted: 40 % slower and twice the memory on another CPU. Neither is a regression, and the
    reason is said; on the same CPU it is."""
    row, runs = report().speed[0], []
    for place, (processor, shift, peak) in enumerate(
        (("Xeon", 0.0, 10**8), ("EPYC", 0.4, 2 * 10**8), ("Xeon", 0.4, 2 * 10**8))
    ):
        opened = {
            "torch": {
                "identity": {
                    **contents.IDENTITY,
                    "processor": processor,
                    "cpus": 4,
                    "machine": "x86_64",
                    "platform": "Linux-6.1",
                }
            }
        }
        made = report(speed=(dataclasses.replace(row, b_peak_bytes=peak),))
        runs.append(written(tmp_path / str(place), made, shift, seed=place, opened=opened))
    elsewhere, here = (diff.compare(runs[0], run) for run in runs[1:])
    assert 0 == elsewhere.exit_code and {"note"} == {one.severity for one in elsewhere.changes}
    assert {"not judged", "memory"} == {one.kind for one in elsewhere.changes}
    assert all("measured under other conditions: machine " in one.text for one in elsewhere.changes)
    assert 3 == here.exit_code and {"ratio", "memory"} == {one.kind for one in here.changes}


def test_another_specification_is_another_thing(tmp_path: Path) -> None:
    """Planted: the preset's batch became larger, and every step 40 % slower. Records that tell
    no specification are compared."""
    runs = [
        written(
            tmp_path / str(place),
            report(),
            shift,
            seed=place,
            opened={"torch": {"spec_hash": hashed}} if hashed else None,
        )
        for place, (hashed, shift) in enumerate((("ab" * 8, 0.0), ("cd" * 8, 0.4), ("", 0.4)))
    ]
    other, unknown = (diff.compare(runs[0], run) for run in runs[1:])
    assert 0 == other.exit_code and ["not judged"] == [one.kind for one in other.changes]
    assert (
        "specification or data changed (abababababab -> cdcdcdcdcdcd): another thing was measured"
        in other.changes[0].text
    )
    assert 3 == unknown.exit_code
