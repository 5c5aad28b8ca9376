"""Questions about runs, nights and series."""

from __future__ import annotations

import math

import pytest

from harness.errors import UnknownName, UsageError
from harness.history import History, SpeedKey, StageKey, Wanted

NIGHTS = [f"2026-11-{day:02d}" for day in range(1, 11)]


@pytest.fixture
def ten(history: History, sample) -> History:
    """Ten nights, added in no order; the ratio rises by a hundredth each night, and the eighth
    fails to have one."""
    for number in (3, 1, 9, 0, 2, 8, 4, 7, 5, 6):
        ratio = math.nan if number == 7 else 1.0 + number / 100
        history.add(
            sample.report(
                number,
                speed=(
                    sample.speed("train", ratio=ratio, verdict="SLOWER" if number > 4 else "SAME"),
                ),
            )
        )
    return history


def test_a_series_is_in_time_order(ten: History):
    """Not in the order in which runs were added; with a limit, the newest."""
    (key,) = ten.speed_keys()
    assert NIGHTS == [point.night for point in ten.series(key)]
    assert NIGHTS[-3:] == [point.night for point in ten.series(key, Wanted(limit=3))]
    assert NIGHTS[2:5] == [
        point.night for point in ten.series(key, Wanted(since=NIGHTS[2], until=NIGHTS[4]))
    ]
    assert sorted(point.time for point in ten.series(key)) == [
        point.time for point in ten.series(key)
    ]


def test_a_night_is_the_date_where_the_run_began(history: History, sample):
    """Half past eleven in the evening there is the same date in UTC; what is given counts more."""
    history.add(sample.report())
    history.add(sample.report(1), night="2026-10-31")
    assert ["2026-11-01", "2026-10-31"] == [night.night for night in history.nights()]
    assert {1: 1} == history.nights()[0].exit_codes


def test_runs_are_listed_newest_first(ten: History):
    """With verdicts, versions and what they were."""
    found = ten.runs(Wanted(limit=2))
    assert NIGHTS[:-3:-1] == [run.night for run in found]
    assert ({"SLOWER": 1}, {"FAIL": 1, "INCONCLUSIVE": 1, "PASS": 8}) == (
        found[0].speed,
        found[0].stages,
    )
    assert "3.9" == found[0].versions["tf2"]["keras"] and found[0].revision.endswith("-dirty")


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (Wanted(workloads=("cnn",)), 10),
        (Wanted(workloads=("linear",)), 0),
        (Wanted(builds=("tf2",)), 10),
        (Wanted(builds=("tf",)), 0),
        (Wanted(builds=("tf2.10",)), 0),
        (Wanted(precisions=("bf16",), subjects=("forward",)), 10),
        (Wanted(precisions=("bf16",), subjects=("train",)), 0),
        (Wanted(since=NIGHTS[8]), 2),
        (Wanted(presets=("tiny",)), 0),
    ],
)
def test_filters(ten: History, wanted: Wanted, count: int):
    """A run counts if it has a row of what is wanted; `tf2` is not `tf2.10`."""
    assert count == len(ten.runs(wanted))


def test_a_build_is_found_by_each_of_its_labels(history: History, sample):
    """`torch` is a side as `torch#2`, `torch@mine`, `torch-bf16` and `torch fp64` too;
    `torchless` is another."""
    labels = ("torch#2", "torch@mine", "torch-bf16", "torch fp64", "torchless")
    history.add(
        sample.report(
            stages=tuple(sample.stage("loss", a="tf2", b=label) for label in labels), speed=()
        )
    )
    assert set(labels[:4]) == {key.b for key in history.stage_keys(Wanted(builds=("torch",)))}


def test_a_run_is_found_by_the_beginning_of_its_id(ten: History):
    """As long as no other begins so."""
    run = ten.runs()[0]
    assert run.title == ten.report(run.id[:12]).title
    for wrong in ("", "zzz", "%"):
        with pytest.raises(UnknownName, match="unknown run"):
            ten.report(wrong)


def test_buckets_sum_up_a_series(ten: History):
    """Every row once; what is not finite is counted and not averaged."""
    (key,) = ten.speed_keys()
    halves = ten.buckets(key, "ratio", 2)
    assert [(5, 5), (5, 4)] == [(one.rows, one.values) for one in halves]
    assert pytest.approx((1.02, 1.0, 1.04)) == (halves[0].mean, halves[0].low, halves[0].high)
    assert pytest.approx((4.28 / 4, 1.05, 1.09)) == (halves[1].mean, halves[1].low, halves[1].high)
    assert [{"SAME": 5}, {"SLOWER": 5}] == [one.verdicts for one in halves]
    assert (
        10
        == len(ten.buckets(key, "ratio", 500))
        == sum(one.rows for one in ten.buckets(key, "ratio", 500))
    )
    assert [3] == [one.rows for one in ten.buckets(key, "ratio", 1, Wanted(since=NIGHTS[7]))]


def test_buckets_of_little(ten: History):
    """One point, no point, no number, a wrong one."""
    (key,) = ten.speed_keys()
    assert [(1, None)] == [
        (one.rows, one.mean)
        for one in ten.buckets(key, "ratio", 9, Wanted(since=NIGHTS[7], until=NIGHTS[7]))
    ]
    assert [] == ten.buckets(SpeedKey("x", "x", "x", "x", "x", "x"), "ratio")
    (stage,) = ten.stage_keys(Wanted(subjects=("loss",), precisions=("bf16",)))
    assert {None} == {one.mean for one in ten.buckets(stage, "error")}
    with pytest.raises(UnknownName, match="a_step_s"):
        ten.buckets(key, "error")
    with pytest.raises(UsageError, match="at least 1"):
        ten.buckets(key, "ratio", 0)


def test_verdicts_by_night(ten: History):
    """The oldest night first."""
    assert NIGHTS == list(ten.verdicts(SpeedKey))
    assert {"SAME": 1} == ten.verdicts(SpeedKey)[NIGHTS[4]] and {"SLOWER": 1} == ten.verdicts(
        SpeedKey
    )[NIGHTS[5]]
    assert {"FAIL": 1} == ten.verdicts(
        StageKey, Wanted(subjects=("forward",), precisions=("bf16",))
    )[NIGHTS[0]]
