"""What a report says of a release: every kind of row, and nothing that was not judged taken for
agreement."""

from __future__ import annotations

import dataclasses

import pytest

from harness.bisecting import verdicts
from harness.results.model import JobRow, Report, SpeedRow, StageRow

EMPTY = Report("", "", "", "", "NONE", "", (), (), (), (), {})
PASSED = StageRow(
    "linear",
    "tf2",
    "tf2#2",
    "fp64",
    "forward",
    "PASS",
    "within the floor",
    "prediction",
    1e-12,
    1e-13,
    1e-9,
)
FAILED = dataclasses.replace(
    PASSED, stage="gradients", verdict="FAIL", reason="W departs", worst="W", error=0.5
)
UNSURE = dataclasses.replace(
    PASSED, stage="trajectory", verdict="INCONCLUSIVE", reason="beyond the horizon"
)
BROKEN = JobRow(
    "j", "tf2#2", "linear", "fidelity", "fp64", "crashed", "killed by SIGSEGV", 1.0, "log"
)
TIMED = SpeedRow(
    "linear", "tf2", "tf2#2", "fp32", "small", "train", "SAME", "", 1.0, 0.99, 1.01, rounds=8
)


def report(*rows: StageRow | SpeedRow | JobRow) -> Report:
    """Return a report with these rows."""
    kinds = {StageRow: "stages", SpeedRow: "speed", JobRow: "jobs"}
    return dataclasses.replace(
        EMPTY,
        **{
            name: tuple(row for row in rows if isinstance(row, kind))
            for kind, name in kinds.items()
        },
    )


@pytest.mark.parametrize(
    ("rows", "stages", "state", "said"),
    [
        ((PASSED,), (), "PASS", "forward"),
        ((PASSED, FAILED), (), "FAIL", "gradients W: W departs"),
        ((PASSED, FAILED), ("forward",), "PASS", "forward"),
        ((PASSED, FAILED, UNSURE), (), "FAIL", "W departs"),
        ((PASSED, UNSURE), (), None, "beyond the horizon"),
        ((PASSED,), ("update",), None, "no stage was judged"),
        ((), (), None, "no stage was judged"),
        ((dataclasses.replace(PASSED, verdict="INFO"),), (), None, "no stage was judged"),
        ((PASSED, BROKEN), (), None, "killed by SIGSEGV"),
        (
            (dataclasses.replace(BROKEN, status="unsupported", reason="no bf16"),),
            (),
            None,
            "no bf16",
        ),
    ],
)
def test_fidelity(rows, stages, state, said) -> None:
    """The worst of the stages asked for; INCONCLUSIVE, nothing, or a job that ended badly is no
    verdict."""
    found = verdicts.of_fidelity(report(*rows), stages)
    assert found.state == state
    assert said in found.reason


@pytest.mark.parametrize(
    ("row", "state", "said"),
    [
        (TIMED, "AS BEFORE", "inside the margin"),
        (
            dataclasses.replace(TIMED, verdict="SLOWER", low=1.001, high=1.02),
            "AS BEFORE",
            "inside the margin",
        ),
        (
            dataclasses.replace(TIMED, verdict="SLOWER", low=1.10, high=1.20, material=True),
            "SLOWER",
            "",
        ),
        (
            dataclasses.replace(TIMED, verdict="FASTER", low=0.80, high=0.90, material=True),
            "FASTER",
            "",
        ),
        (
            dataclasses.replace(TIMED, verdict="SLOWER", low=1.01, high=1.09),
            None,
            "rounds are too few",
        ),
        (
            dataclasses.replace(TIMED, verdict="UNCLEAR", low=0.95, high=1.09, more_rounds=40),
            None,
            "about 40 rounds",
        ),
        (
            dataclasses.replace(
                TIMED, verdict="UNCLEAR", low=None, high=None, reason="no interval"
            ),
            None,
            "no interval",
        ),
        (
            dataclasses.replace(
                TIMED, verdict="REFUSED", ratio=None, low=None, high=None, reason="threads differ"
            ),
            None,
            "threads differ",
        ),
        (dataclasses.replace(TIMED, action="generate"), None, "train was not timed"),
        (dataclasses.replace(TIMED, gain=True), None, "train was not timed"),
    ],
)
def test_speed(row, state, said) -> None:
    """Outside the margin as a whole is changed, inside as a whole is as before, and between the
    two nobody knows."""
    found = verdicts.of_speed(report(row), "train")
    assert found.state == state
    assert said in found.reason


def test_a_round_that_failed_is_no_verdict_on_speed() -> None:
    """Some rounds are not all."""
    assert verdicts.of_speed(report(TIMED, BROKEN), "train").state is None


def test_a_release_that_differs_from_itself_is_noise() -> None:
    """Nothing can be found where the first release is slower than itself."""
    slower = verdicts.of_speed(
        report(dataclasses.replace(TIMED, verdict="SLOWER", low=1.10, high=1.20, material=True)),
        "train",
    )
    assert slower.state == "SLOWER"
    assert verdicts.of_itself(slower).state is None
    as_before = verdicts.of_speed(report(TIMED), "train")
    assert verdicts.of_itself(as_before) == as_before
