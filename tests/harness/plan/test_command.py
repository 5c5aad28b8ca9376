"""The command that a verdict carries finds the same ports again."""

from __future__ import annotations

import dataclasses

import pytest

from backends.contract import Stage
from harness import plan
from harness.commands import options, resolution
from harness.plan import command
from harness.workloads.ehr_mgan import WORKLOAD, sources


@pytest.mark.parametrize(
    ("folders_a", "folders_b", "words"),
    [
        ((), (), ["tf2", "torch"]),
        ((), ("/own",), ["tf2", "torch@/own"]),
        (("/shared",), ("/shared",), ["tf2", "torch", "--ports", "/shared"]),
        (("/shared",), ("/own", "/shared"), ["tf2", "torch@/own", "--ports", "/shared"]),
    ],
)
def test_names_the_folders_of_ports_again(
    folders_a: tuple[str, ...], folders_b: tuple[str, ...], words: list[str]
):
    """A folder that all sides look into is given by --ports, where workloads are found too; a
    side's own one after @."""
    sides = (
        plan.Side("tf2", "tf2", "tf2", folders_a),
        plan.Side("torch", "torch", "torch", folders_b, only="/own" in folders_b),
    )
    assert ["--backends", *words] == plan.arguments(sides)


def test_names_the_interpreters_again():
    """Of the sides in the command alone, by the names that they have in it."""
    first = plan.Side("torch", "torch", "torch")
    second = plan.Side("torch#2", "torch", "torch", python="/opt/python")
    own = plan.Side("torch@mine", "torch", "torch", ("/mine",), only=True, python="/opt/other")
    assert ["--backends", "torch", "torch", "--python", "torch#2=/opt/python"] == plan.arguments(
        (first, second)
    )
    assert [
        "--backends",
        "torch",
        "torch@/mine",
        "--python",
        "torch=/opt/python",
        "torch@mine=/opt/other",
    ] == plan.arguments((second, own))


def test_names_the_folders_of_a_pair_again():
    """A pair file names its sides itself; where the user's packages lie only the user can say."""
    drafted = plan.make(
        resolution.resolve(
            options.Options(backends=("tf2", "torch"), workloads=("cnn",), precision=("fp64",))
        )
    )
    a, b = (
        dataclasses.replace(job, pair="mine.py", path=("/code", "/more code"))
        for job in drafted.jobs[:2]
    )
    line = command.of_stage(a, b, Stage.FORWARD)
    assert line.startswith("harness compare mine.py --path /code '/more code' --precision fp64 ")


def test_names_the_limit_the_steps_and_the_seed_again():
    """At every stage: the noise of a tape is drawn after the batches of all its steps. The usual
    limit goes without saying."""
    asked = {
        "backends": ("tf2", "torch"),
        "workloads": ("cnn",),
        "precision": ("fp64",),
        "steps": 7,
        "seed": 3,
    }
    plain, limited = (
        plan.make(resolution.resolve(options.Options(**asked, **more)))
        for more in ({}, {"limit": 33.5, "pass_env": ("MY_B", "MY_A", "MY_B")})
    )
    for stage in (Stage.WEIGHTS, Stage.FORWARD, Stage.TRAJECTORY):
        line = command.of_stage(limited.pairs[0].a, limited.pairs[0].b, stage)
        assert (
            line.endswith(f"--stages {stage} --steps 7 --limit 33.5 --pass-env MY_A MY_B")
            and "--seed 3" in line
        )
        usual = command.of_stage(plain.pairs[0].a, plain.pairs[0].b, stage)
        assert "--limit" not in usual and "--pass-env" not in usual
    assert "--seed 3" in command.of_speed(limited.speed[0]) and "--limit 33.5" in command.of_speed(
        limited.speed[0]
    )


def request(data: str | None, preset: str | None = None) -> plan.Request:
    return resolution.resolve(
        options.Options(
            backends=("tf2", "torch"),
            workloads=("ehr_mgan",),
            precision=("fp64",),
            preset=preset,
            data=data,
        )
    )


@pytest.mark.parametrize(("data", "words"), [(None, ""), ("synthetic_icu", "--data synthetic_icu")])
def test_names_the_data_again(data: str | None, words: str):
    """Those of the workload's own are not named; fidelity's and speed's commands say the same."""
    planned = plan.make(request(data))
    fidelity = command.of_stage(planned.pairs[0].a, planned.pairs[0].b, Stage.FORWARD)
    speed = command.of_speed(planned.speed[0])
    for line in (fidelity, speed):
        assert ("--data" in line) == bool(words) and words in line


def test_names_the_phases_again():
    """Where they were timed; a workload that has but one has no use for them."""
    asked = options.Options(
        backends=("tf2", "torch"), workloads=("ehr_mgan", "cnn"), per_phase=True
    )
    ehr_mgan, cnn = plan.make(resolution.resolve(asked)).speed
    assert command.of_speed(ehr_mgan).endswith(
        " --per-phase"
    ) and "--per-phase" not in command.of_speed(cnn)


def test_other_data_are_other_work(monkeypatch: pytest.MonkeyPatch):
    """A run is not resumed with other data, also where its folder has the same name."""
    (before,) = plan.identity(request("synthetic_icu", "tiny"))["workloads"]
    cohort = WORKLOAD.cohort("tiny")
    changed = dataclasses.replace(cohort, continuous=1.0 - cohort.continuous)
    monkeypatch.setitem(sources.NAMED, "synthetic_icu", lambda preset: changed)
    (after,) = plan.identity(request("synthetic_icu", "tiny"))["workloads"]
    assert {**before, "data_digest": after["data_digest"]} == after != before
