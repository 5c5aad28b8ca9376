"""What a lower precision gains in time, in the same build: planned beside the comparison of
builds, in jobs of its own."""

from __future__ import annotations

import shlex

from harness import plan
from harness.evaluation import speed_rows
from harness.plan import LOCKSTEP_STAGES, Request, Side, SpeedJob, command
from harness.workloads.cnn import WORKLOAD as CNN

TF2, TORCH, AGAIN = (
    Side("tf2", "tf2", "tf2"),
    Side("torch", "torch", "torch"),
    Side("torch#2", "torch", "torch"),
)


def jobs(*sides: Side, precisions: tuple[str, ...]) -> list[SpeedJob]:
    """Return the jobs that compare precisions."""
    asked = Request(
        workloads=(CNN,),
        sides=sides,
        precisions=precisions,
        stages=LOCKSTEP_STAGES,
        preset=None,
        device="cpu",
        execution="default",
        seeds=(0,),
        threads=2,
        fidelity_threads=1,
        fidelity=False,
    )
    return [job for job in plan.make(asked).speed if job.precisions]


def test_every_build_is_timed_against_its_own_float32() -> None:
    """Its precisions are sides of one job, so that they are measured in turns; a build named
    twice gains the same."""
    found = jobs(TF2, TORCH, AGAIN, precisions=("fp64", "fp32", "bf16", "fp16"))
    assert [["tf2-fp32", "tf2-bf16", "tf2-fp16"], ["torch-fp32", "torch-bf16", "torch-fp16"]] == [
        [side.label for side in job.sides] for job in found
    ]
    job = found[1]
    assert ["fp32", "bf16", "fp16"] == [
        job.opening(side.label).setting.precision for side in job.sides
    ]
    assert {("torch", "torch")} == {(side.build, side.backend) for side in job.sides}
    assert "fp32:bf16" == job.spelled("torch-fp32", "torch-bf16") and "fp16" == job.spelled(
        "torch-fp16", "torch-fp16"
    )
    assert len({item.name for item in found}) == 2


def test_one_build_is_enough() -> None:
    """There is something to pair, even where no two builds are compared."""
    assert 1 == len(jobs(TORCH, precisions=("fp32", "bf16")))


def test_nothing_is_gained_over_what_was_not_asked_for() -> None:
    """Neither float64 nor a lower precision alone makes a pair."""
    for precisions in (("fp64",), ("fp32",), ("fp64", "fp32"), ("bf16",), ("fp64", "bf16", "fp16")):
        assert [] == jobs(TF2, TORCH, precisions=precisions), precisions


def test_pairs_are_with_float32_and_the_command_repeats_them() -> None:
    """Not bf16 with fp16; and one build with its precisions is all that has to be named."""
    (job,) = jobs(TORCH, precisions=("fp32", "bf16", "fp16"))
    one = speed_rows.Timed(job, [side.label for side in job.sides])
    assert [("torch-fp32", "torch-bf16"), ("torch-fp32", "torch-fp16")] == speed_rows.pairs(one)
    words = shlex.split(command.of_speed(job))
    assert ["--backends", "torch", "--precision", "fp32", "bf16", "fp16", "--preset"] == words[4:11]
