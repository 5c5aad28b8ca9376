"""From a request to jobs and pairs: everything that has to run, once, and nothing else."""

from __future__ import annotations

import dataclasses
import json

import pytest

from harness import plan
from harness.plan import LOCKSTEP_STAGES, Request, Side
from harness.workloads.cnn import WORKLOAD as CNN
from harness.workloads.linear import WORKLOAD as LINEAR

TF1, TF2, TORCH, NUMPY = (Side(name, name, name) for name in ("tf1", "tf2", "torch", "numpy"))


def request(*sides, **changed):
    """Return a request for both workloads in float64."""
    settings = {
        "workloads": (LINEAR, CNN), "precisions": ("fp64",), "stages": LOCKSTEP_STAGES, "preset": None, "device": "cpu",
        "execution": "default", "seeds": (0,), "threads": 2, "fidelity_threads": 1, **changed,
    }
    return Request(sides=sides, **settings)


def test_every_pair_of_sides_is_judged_and_no_job_is_planned_twice():
    """Three sides make three pairs a workload, from three jobs."""
    made = plan.make(request(TF2, TORCH, NUMPY))
    assert [("tf2", "torch"), ("tf2", "numpy"), ("torch", "numpy")] == [
        (pair.a.side, pair.b.side) for pair in made.pairs if pair.workload == "linear"]
    assert [("tf2", "torch")] == [(pair.a.side, pair.b.side) for pair in made.pairs if pair.workload == "cnn"]
    assert 5 == len(made.jobs) == len({job.name for job in made.jobs})


def test_each_seed_is_a_comparison_of_its_own():
    """Its jobs read another tape."""
    made = plan.make(request(TF2, TORCH, workloads=(LINEAR,), seeds=(3, 4)))
    assert [3, 4] == [pair.seed for pair in made.pairs] == sorted({job.seed for job in made.jobs})


def test_a_pair_with_tf1s_adam_runs_its_chain_on_both_sides_and_others_do_not():
    """Judged as strictly as any pair; one extra row says what the chain costs on a build that has both."""
    made = plan.make(request(TF1, TF2, TORCH, workloads=(CNN,)))
    powers = {(pair.a.side, pair.b.side): {pair.a.powers, pair.b.powers} for pair in made.pairs}
    assert {("tf1", "tf2"): {"float32"}, ("tf1", "torch"): {"float32"}, ("tf2", "torch"): {"variable"}} == powers
    (chain,) = made.chains
    assert ("tf2", "float32", "variable") == (chain.chain.side, chain.chain.powers, chain.plain.powers)
    assert 5 == len(made.jobs)


def test_sgd_has_no_powers():
    """A workload without Adam is planned the same with TF1 as without."""
    made = plan.make(request(TF1, TORCH, workloads=(LINEAR,)))
    assert {"variable"} == {job.powers for job in made.jobs} and () == made.chains


def test_a_lower_precision_brings_its_float64_runs_and_its_bounds():
    """Even when float64 was not asked for: they tell what is zero and what the precision must cost."""
    made = plan.make(request(TF2, TORCH, workloads=(CNN,), precisions=("bf16",), stages=("weights",)))
    (pair,) = made.pairs
    assert ("bf16", "fp64", "fp64") == (pair.precision, pair.base_a.precision, pair.base_b.precision)
    assert [("tf2", "bf16", "fp64"), ("torch", "bf16", "fp64")] == [(low.side, low.precision, full.precision) for low, full in made.bounds]
    kinds = [dict(variant)["kind"] for variant in pair.base_a.variants]
    assert ["ulp"] * 3 + ["repeat"] + ["reorder"] * 2 + ["round:bf16", "ulp:bf16", "ulp:bf16"] == kinds
    assert ("weights", "forward", "gradients") == pair.a.stages and ("weights",) == pair.stages


def test_stages_are_recorded_in_the_order_of_the_ladder():
    """However they were asked for."""
    (job, *_) = plan.make(request(TF2, TORCH, stages=("update", "weights"))).jobs
    assert ("weights", "update") == job.stages


def test_one_side_alone_is_recorded_and_compared_with_nothing():
    """`harness run` needs no second side."""
    made = plan.make(request(TORCH, speed=False))
    assert 2 == len(made.jobs) and () == made.pairs == made.speed


def test_speed_takes_all_able_sides_together_and_never_float64_alone():
    """One timed job a workload and precision; float64 only where nothing else was asked for."""
    made = plan.make(request(TF2, TORCH, NUMPY, precisions=("fp64", "fp32")))
    assert [("linear", "fp32", 3), ("cnn", "fp32", 2)] == [(job.workload, job.precision, len(job.sides)) for job in made.speed]
    assert {"small"} == {job.preset for job in made.speed} and {2} == {job.threads for job in made.speed}
    assert {"fp64"} == {job.precision for job in plan.make(request(TF2, TORCH)).speed}
    assert () == plan.make(request(TF2, TORCH, fidelity=False)).jobs


def test_the_same_build_twice_gets_two_labels():
    """So that it can be compared with itself, or with ports of another folder."""
    made = plan.sides([("torch", "torch", ()), ("torch", "torch", ("/own",)), ("tf2", "tf2", ())])
    assert ["torch", "torch#2", "tf2"] == [side.label for side in made]


@pytest.mark.parametrize("change", [
    {"seed": 1}, {"precision": "fp32"}, {"folders": ("/own",)}, {"powers": "float32"}, {"steps": 3}, {"threads": 9}, {"variants": ()},
])
def test_a_jobs_name_changes_with_whatever_changes_its_work(change):
    """A folder with that name holds exactly this work: that is what resuming rests on."""
    (job, *_) = plan.make(request(TORCH)).jobs
    assert job.name != dataclasses.replace(job, **change).name
    assert job.name == dataclasses.replace(job).name
    assert "/" not in job.name and " " not in dataclasses.replace(job, side="torch fp64 #2").name


def test_descriptions_are_plain_json():
    """They go into records and into the key of a run."""
    asked = request(TF2, TORCH)
    made = plan.make(asked)
    for document in (plan.describe(made.jobs[0]), plan.describe(made.speed[0]), plan.identity(asked)):
        assert json.loads(json.dumps(document, allow_nan=False))
    assert {"linear", "cnn"} == {config["workload"] for config in plan.identity(asked)["workloads"]}
