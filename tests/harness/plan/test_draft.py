"""From a request to jobs and pairs: everything that has to run, once, and nothing else."""

from __future__ import annotations

import dataclasses
import json

import pytest

from harness import plan
from harness.plan import LOCKSTEP_STAGES, Request, Side
from harness.plan.jobs import HOW
from harness.workloads.cnn import WORKLOAD as CNN
from harness.workloads.ehr_mgan import WORKLOAD as EHR_MGAN
from harness.workloads.linear import WORKLOAD as LINEAR

TF1, TF2, TORCH, NUMPY = (Side(name, name, name) for name in ("tf1", "tf2", "torch", "numpy"))


def request(*sides, **changed):
    """Return a request for both workloads in float64."""
    settings = {
        "workloads": (LINEAR, CNN),
        "precisions": ("fp64",),
        "stages": LOCKSTEP_STAGES,
        "preset": None,
        "device": "cpu",
        "execution": "default",
        "seeds": (0,),
        "threads": 2,
        "fidelity_threads": 1,
        **changed,
    }
    return Request(sides=sides, **settings)


def test_every_pair_of_sides_is_judged_and_no_job_is_planned_twice():
    """Three sides make three pairs a workload, from three jobs."""
    made = plan.make(request(TF2, TORCH, NUMPY))
    assert [("tf2", "torch"), ("tf2", "numpy"), ("torch", "numpy")] == [
        (pair.a.side, pair.b.side) for pair in made.pairs if pair.workload == "linear"
    ]
    assert [("tf2", "torch")] == [
        (pair.a.side, pair.b.side) for pair in made.pairs if pair.workload == "cnn"
    ]
    assert 5 == len(made.jobs) == len({job.name for job in made.jobs})


def test_each_seed_is_a_comparison_of_its_own():
    """Its jobs read another tape."""
    made = plan.make(request(TF2, TORCH, workloads=(LINEAR,), seeds=(3, 4)))
    assert [3, 4] == [pair.seed for pair in made.pairs] == sorted({job.seed for job in made.jobs})


def test_a_pair_with_tf1s_adam_runs_its_chain_on_both_sides_and_others_do_not():
    """Judged as strictly as any pair; one extra row says what the chain costs on a build that
    has both."""
    made = plan.make(request(TF1, TF2, TORCH, workloads=(CNN,)))
    powers = {(pair.a.side, pair.b.side): {pair.a.powers, pair.b.powers} for pair in made.pairs}
    assert {
        ("tf1", "tf2"): {"float32"},
        ("tf1", "torch"): {"float32"},
        ("tf2", "torch"): {"variable"},
    } == powers
    (chain,) = made.chains
    assert ("tf2", "float32", "variable") == (
        chain.chain.side,
        chain.chain.powers,
        chain.plain.powers,
    )
    assert 5 == len(made.jobs)


def test_sgd_has_no_powers():
    """A workload without Adam is planned the same with TF1 as without."""
    made = plan.make(request(TF1, TORCH, workloads=(LINEAR,)))
    assert {"variable"} == {job.powers for job in made.jobs} and () == made.chains


def test_a_lower_precision_brings_its_float64_runs_and_its_bounds():
    """Even when float64 was not asked for: they tell what is zero and what the precision must
    cost."""
    made = plan.make(
        request(TF2, TORCH, workloads=(CNN,), precisions=("bf16",), stages=("weights",))
    )
    (pair,) = made.pairs
    assert ("bf16", "fp64", "fp64") == (
        pair.precision,
        pair.base_a.precision,
        pair.base_b.precision,
    )
    assert [("tf2", "bf16", "fp64"), ("torch", "bf16", "fp64")] == [
        (low.side, low.precision, full.precision) for low, full in made.bounds
    ]
    kinds = [dict(variant)["kind"] for variant in pair.base_a.variants]
    assert ["ulp"] * 2 + ["weights", "repeat"] + ["reorder"] * 2 + [
        "round:bf16",
        "ulp:bf16",
        "ulp:bf16",
    ] == kinds
    assert ("weights", "forward", "gradients") == pair.a.stages and ("weights",) == pair.stages


def test_stages_are_recorded_in_the_order_of_the_ladder():
    """However they were asked for."""
    job, *_ = plan.make(request(TF2, TORCH, stages=("update", "weights"))).jobs
    assert ("weights", "update") == job.stages


def test_one_side_alone_is_recorded_and_compared_with_nothing():
    """`harness run` needs no second side."""
    made = plan.make(request(TORCH, speed=False))
    assert 2 == len(made.jobs) and () == made.pairs == made.speed


def test_speed_takes_all_able_sides_together_and_never_float64_alone():
    """One timed job a workload and precision; float64 only where nothing else was asked for."""
    made = plan.make(request(TF2, TORCH, NUMPY, precisions=("fp64", "fp32")))
    assert [("linear", "fp32", 3), ("cnn", "fp32", 2)] == [
        (job.workload, job.precision, len(job.sides)) for job in made.speed
    ]
    assert {"small"} == {job.preset for job in made.speed} and {2} == {
        job.threads for job in made.speed
    }
    assert {"fp64"} == {job.precision for job in plan.make(request(TF2, TORCH)).speed}
    assert () == plan.make(request(TF2, TORCH, fidelity=False)).jobs


def test_single_phases_are_timed_where_they_were_asked_for_and_there_are_several():
    """All of them, those before the last segment too; a workload's only phase is a whole step
    already."""
    made = plan.make(request(TF2, TORCH, workloads=(CNN, EHR_MGAN), per_phase=True))
    phases = EHR_MGAN.config("small")["phases"]
    assert [("train", "generate"), ("train", "generate", *phases)] == [
        job.actions for job in made.speed
    ] and 12 == len(phases)
    plain = plan.make(request(TF2, TORCH, workloads=(CNN, EHR_MGAN)))
    assert {("train", "generate")} == {job.actions for job in plain.speed}
    assert made.speed[0].name == plain.speed[0].name and made.speed[1].name != plain.speed[1].name


def test_the_same_build_twice_gets_two_labels():
    """So that it can be compared with itself, or with ports of another folder."""
    made = plan.sides([TORCH, dataclasses.replace(TORCH, folders=("/shared",)), TF2])
    assert ["torch", "torch#2", "tf2"] == [side.label for side in made]


@pytest.mark.parametrize(
    ("folders", "labels"),
    [
        (("/mine/bare", "/mine/bad"), ["torch", "torch@bare", "torch@bad"]),
        (("/a/v1", "/b/v1"), ["torch", "torch@v1", "torch@v1#2"]),
        (("/a/my port, <b>#2/", "/"), ["torch", "torch@my-port---b--2", "torch@root"]),
        ((f"/{'x' * 90}",), ["torch", f"torch@{'x' * 40}"]),
    ],
)
def test_a_side_with_ports_of_its_own_is_called_by_their_folder(folders, labels):
    """One word, whatever the folder is called: it stands in tables, paths and commands."""
    made = plan.sides(
        [
            TORCH,
            *(
                dataclasses.replace(TORCH, folders=(folder, "/shared"), only=True)
                for folder in folders
            ),
        ]
    )
    assert labels == [side.label for side in made]
    assert all("/" not in side.label and " " not in side.label for side in made)


def test_a_port_in_a_sides_own_folder_needs_no_word_of_the_workload():
    """A shipped workload does not know what the user has ported it to."""
    own = dataclasses.replace(NUMPY, label="numpy@mine", folders=("/mine",), only=True)
    assert not plan.has_port(NUMPY, CNN) and plan.has_port(own, CNN)
    assert ["tf2", "numpy@mine"] == [
        job.side
        for job in plan.make(request(TF2, own, workloads=(CNN,), precisions=("fp64",))).jobs
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"precision": "fp32"},
        {"folders": ("/own",)},
        {"powers": "float32"},
        {"steps": 3},
        {"threads": 9},
        {"variants": ()},
    ],
)
def test_a_jobs_name_changes_with_whatever_changes_its_work(change):
    """A folder with that name holds exactly this work: that is what resuming rests on."""
    job, *_ = plan.make(request(TORCH)).jobs
    assert job.name != dataclasses.replace(job, **change).name
    assert job.name == dataclasses.replace(job).name
    assert "/" not in job.name and " " not in dataclasses.replace(job, side="torch fp64 #2").name


def test_every_field_of_every_kind_of_job_is_in_its_name():
    """Those of the classes that they derive from too; a field that is left out would let a run
    resume on other work."""
    work = (
        *plan.make(request(TF2, TORCH)).jobs[:1],
        *plan.make(request(TF2, TORCH)).speed[:1],
        *distribution(TF2, TORCH).samples[:1],
    )
    assert [plan.Job, plan.SpeedJob, plan.SampleJob] == [type(job) for job in work]
    for job in work:
        what = [field.name for field in dataclasses.fields(job) if field.name not in HOW]
        names = {
            dataclasses.replace(job, **{name: _other(getattr(job, name))}).name for name in what
        }
        assert len(what) == len(names - {job.name}) >= 10


def test_how_long_a_request_may_take_and_which_python_it_was_change_no_name():
    """A run whose job ran out of time is resumed with a longer limit, and finds the other jobs."""
    made = plan.make(request(TF2, TORCH))
    for job in (made.jobs[0], made.speed[0]):
        assert job.name == dataclasses.replace(job, limit=5.0).name
    assert made.jobs[0].name == dataclasses.replace(made.jobs[0], python="/opt/python").name
    (timed,) = (
        dataclasses.replace(
            made.speed[0],
            sides=tuple(dataclasses.replace(side, python="/opt/python") for side in (TF2, TORCH)),
        ),
    )
    assert made.speed[0].name == timed.name
    assert plan.identity(request(TF2, TORCH)) == plan.identity(
        request(TF2, TORCH, limit=5.0, left_out=("a line",))
    )


def _other(value):
    if value is None:
        return "set"
    return (
        value + 1
        if isinstance(value, int)
        else f"{value}x"
        if isinstance(value, str)
        else value[:-1] or ("more",)
    )


def test_descriptions_are_plain_json():
    """They go into records and into the key of a run."""
    asked = request(TF2, TORCH)
    made = plan.make(asked)
    for document in (
        made.jobs[0].describe(),
        made.speed[0].describe(),
        plan.identity(asked),
    ):
        assert json.loads(json.dumps(document, allow_nan=False))
    assert {"linear", "cnn"} == {config["workload"] for config in plan.identity(asked)["workloads"]}


def distribution(*sides, **changed):
    """Return the plan of the distribution stage alone, three seeds."""
    return plan.make(
        request(
            *sides,
            **{
                "workloads": (EHR_MGAN,),
                "stages": ("distribution",),
                "seeds": (5, 6, 7),
                "models": 3,
                **changed,
            },
        )
    )


def test_the_distribution_stage_trains_each_side_from_each_seed_once():
    """However many pairs it is judged in; nothing else is recorded for it."""
    made = distribution(TF1, TF2, TORCH)
    assert () == made.jobs == made.pairs == made.chains == made.bounds
    assert 9 == len(made.samples) == len({job.name for job in made.samples})
    assert [("tf1", "tf2"), ("tf1", "torch"), ("tf2", "torch")] == [
        (pair.a[0].side, pair.b[0].side) for pair in made.distributions
    ]
    assert all(3 == len(pair.a) == len(pair.b) and pair.seed == 5 for pair in made.distributions)
    assert {(EHR_MGAN.distribution("tiny").steps, EHR_MGAN.distribution("tiny").rows)} == {
        (job.steps, job.rows) for job in made.samples
    }


def test_no_two_trainings_share_a_seed_and_each_keeps_its_own():
    """Not between builds, not between seeds, and whoever else takes part; another base gives
    others."""
    seeds = [job.own_seed for job in distribution(TF1, TF2, TORCH).samples]
    assert 9 == len(set(seeds)) and all(0 <= seed < 2**31 for seed in seeds)
    alone = [job.own_seed for job in distribution(TORCH).samples]
    assert alone == seeds[6:] and not {*seeds} & {
        job.own_seed for job in distribution(TORCH, seeds=(6, 7, 8)).samples
    }
    twice = distribution(*plan.sides([TORCH, TORCH])).samples
    assert 6 == len({job.own_seed for job in twice})


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("fp64", "fp32"), {"fp32"}),
        (("fp32", "bf16"), {"fp32"}),
        (("fp64", "bf16", "fp16"), {"bf16", "fp16"}),
        (("fp64",), {"fp64"}),
    ],
)
def test_models_are_trained_in_float32_unless_only_others_were_asked_for(asked, expected):
    """float64 is for lockstep."""
    assert expected == {job.precision for job in distribution(TF2, TORCH, precisions=asked).samples}


def test_workloads_without_the_stage_are_not_in_it():
    """And without it in the request nobody trains; one side alone is compared with nothing."""
    assert () == distribution(TF2, TORCH, workloads=(CNN,)).samples
    assert () == distribution(TF2, TORCH, stages=LOCKSTEP_STAGES).samples
    assert () == distribution(TF2, TORCH, fidelity=False).samples
    alone = distribution(TORCH)
    assert 3 == len(alone.samples) and () == alone.distributions
