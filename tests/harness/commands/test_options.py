"""Options are checked before any work starts: what is wrong, what was probably meant, what is
allowed."""

from __future__ import annotations

import dataclasses
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from harness import plan
from harness.commands import resolution
from harness.commands.options import Options
from harness.errors import UnknownName, UsageError

TWO = ("numpy", "numpy")
PAIR = ("tf2", "torch")
HOSTILE = Path(__file__).parents[2] / "e2e/hostile"


def write_cohort(place: Path, rows: int) -> None:
    """The four files of a small cohort."""
    generator = np.random.RandomState(0)
    for name, table in (
        ("vital_sign_24hrs", generator.uniform(size=(rows, 6, 2))),
        ("med_interv_24hrs", generator.randint(2, size=(rows, 6, 2))),
        ("statics", generator.randint(4, size=(rows, 1))),
    ):
        (place / f"{name}.pkl").write_bytes(pickle.dumps(table))
    np.savez(place / "norm_stats.npz", min_val=np.zeros(2), max_val=np.ones(2))


@pytest.mark.parametrize(
    ("kind", "meant", "chosen"),
    [
        ("workload", "linear", Options(backends=TWO, workloads=("linaer",))),
        ("backend or build", "torch", Options(backends=("numpy", "pytorch"))),
        ("backend or build", "tf1-compat", Options(backends=("tf1compat", "numpy"))),
        ("precision", "fp64", Options(backends=TWO, precision=("fp32", "FP64"))),
        ("precision", "bf16", Options(backends=TWO, precision=("b16",))),
        ("preset", "small", Options(backends=TWO, preset="smal")),
        ("device", "gpu", Options(backends=TWO, device="gpus")),
        ("execution", "compiled", Options(backends=TWO, execution="compile")),
        ("stage", "gradients", Options(backends=TWO, stages=("loss", "gradient"))),
    ],
)
def test_unknown(kind: str, meant: str, chosen: Options) -> None:
    """A name that does not exist is answered with the one that was probably meant and with all
    there are."""
    with pytest.raises(UnknownName, match=f"unknown {kind} ") as caught:
        resolution.resolve(chosen)
    assert f"Did you mean '{meant}'?" in str(
        caught.value
    ) and f"Known: {', '.join(caught.value.known)}" in str(caught.value)
    assert caught.value.exit_code == 2


def test_nothing_like_it() -> None:
    """Where nothing is close, nothing is guessed."""
    with pytest.raises(UnknownName) as caught:
        resolution.resolve(Options(backends=TWO, workloads=("zzz",)))
    assert "Did you mean" not in str(
        caught.value
    ) and "Known: cnn, ehr_mgan, ehr_mgan_conditional, linear" in str(caught.value)


@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        ("--backends: name at least one", Options(backends=())),
        ("there is no folder", Options(backends=("numpy@nowhere", "numpy"))),
        ("--ports nowhere: no such folder", Options(backends=TWO, ports=(Path("nowhere"),))),
        ("workload cnn has ports for tf1, tf2, torch", Options(backends=TWO, workloads=("cnn",))),
        (
            "has no such preset. It has: tiny, small",
            Options(backends=TWO, workloads=("linear",), preset="paper"),
        ),
        (
            "linear has no such stage.*have: ehr_mgan",
            Options(backends=TWO, workloads=("linear",), stages=("D",)),
        ),
        ("leave nothing to do", Options(backends=TWO, no_speed=True, no_fidelity=True)),
        (
            "--per-phase: linear has one phase only",
            Options(backends=TWO, workloads=("linear",), per_phase=True),
        ),
        (
            "--per-phase: nothing is timed",
            Options(backends=PAIR, workloads=("ehr_mgan",), per_phase=True, no_speed=True),
        ),
        ("--seeds 0: must be at least 1", Options(backends=TWO, seeds=0)),
        ("--threads 0: must be at least 1", Options(backends=TWO, threads=0)),
        ("--seed -1: must lie between", Options(backends=TWO, seed=-1)),
        ("--budget nan", Options(backends=TWO, budget=float("nan"))),
        ("--budget inf: must be at most", Options(backends=TWO, budget=float("inf"))),
        ("--limit 0", Options(backends=TWO, limit=0)),
        ("--limit inf: must be at most", Options(backends=TWO, limit=float("inf"))),
        ("--threads 9+: must be at most", Options(backends=TWO, threads=10**400 - 1)),
        ("--steps 999999999999: must be at most 100000", Options(backends=TWO, steps=10**12 - 1)),
        (
            r"ehr_mgan tiny would have 4295214240 bytes, and may have 4294967296 \(4 GiB\)."
            " At most 11404 steps fit",
            Options(backends=PAIR, workloads=("ehr_mgan",), steps=11405),
        ),
        ("--pass-env 'A=B': must be the name", Options(backends=TWO, pass_env=("A=B",))),
        ("--pass-env '': must be the name", Options(backends=TWO, pass_env=("A", ""))),
        ("--pass-env PYTHONPATH: would lead", Options(backends=TWO, pass_env=("PYTHONPATH",))),
    ],
)
def test_misfit(said: str, chosen: Options) -> None:
    """Values that exist but make no sense are wrong usage."""
    with pytest.raises(UsageError, match=said) as caught:
        resolution.resolve(chosen)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("place", "why", "remedy"),
    [
        ("nowhere/report.json", "there is no folder", "Name a file in a folder that exists"),
        ("file/report.json", "there is no folder", "Name a file in a folder that exists"),
        ("folder", "it is a folder", "Name a file, not a folder"),
        ("locked/report.json", "no file can be made in", "ame a"),
    ],
)
def test_json_that_cannot_be_written(tmp_path: Path, place: str, why: str, remedy: str) -> None:
    """Is found before any work starts, not after it; the message has the path, the reason and
    what to do."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    if (
        os.geteuid() == 0
    ):  # permissions do not stop root; the kernel's own file system takes no file from anybody
        (tmp_path / "locked").symlink_to("/proc")
    else:
        (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(UsageError, match=f"cannot be written: {why}.*{remedy}") as caught:
        resolution.resolve(Options(backends=TWO, workloads=("linear",), json=tmp_path / place))
    assert caught.value.exit_code == 2 and str(tmp_path / place) in str(caught.value)


def test_json_that_can_be_written_is_left_alone(tmp_path: Path) -> None:
    """Nothing is made before there is something to write, and an older report stays until then."""
    resolution.resolve(Options(backends=TWO, workloads=("linear",), json=tmp_path / "new.json"))
    assert [] == list(tmp_path.iterdir())
    (tmp_path / "old.json").write_text("old")
    resolution.resolve(Options(backends=TWO, workloads=("linear",), json=tmp_path / "old.json"))
    assert {"old.json": "old"} == {path.name: path.read_text() for path in tmp_path.iterdir()}


def test_request() -> None:
    """Both spellings of a stage, names given twice, and the same build twice."""
    asked = resolution.resolve(
        Options(
            backends=TWO,
            workloads=("linear", "linear"),
            precision=("fp64", "fp64"),
            stages=("F", "loss", "forward"),
            seed=3,
            seeds=2,
        )
    )
    assert (
        ("forward", "loss") == asked.stages
        and ("fp64",) == asked.precisions
        and (3, 4) == asked.seeds
    )
    assert ["numpy", "numpy#2"] == [side.label for side in asked.sides] and ["linear"] == [
        item.name for item in asked.workloads
    ]


def test_folders() -> None:
    """A side's own folder comes before the ones that all sides share; a workload from outside
    the tree is known by its folder."""
    asked = resolution.resolve(
        Options(
            backends=(f"numpy@{HOSTILE / 'segfault'}", "numpy"),
            workloads=("hostile",),
            ports=(HOSTILE,),
        )
    )
    assert [side.folders for side in asked.sides] == [
        (str(HOSTILE / "segfault"), str(HOSTILE)),
        (str(HOSTILE),),
    ]


def test_data() -> None:
    """The workloads that take data are bound to them, in the request and for the workers alike;
    others stay as they are."""
    chosen = Options(backends=PAIR, workloads=("ehr_mgan", "linear"), data="synthetic_icu")
    asked, known = resolution.resolve(chosen), resolution.known_workloads(chosen)
    assert [("ehr_mgan", "synthetic_icu"), ("linear", "")] == [
        (item.name, item.source) for item in asked.workloads
    ]
    assert ("synthetic_icu", "", "") == (
        known["ehr_mgan"].source,
        known["linear"].source,
        known["ehr_mgan_conditional"].source,
    )
    assert {""} == {
        item.source for item in resolution.known_workloads(Options(backends=PAIR)).values()
    }


def test_data_are_checked_before_anything_starts(tmp_path: Path) -> None:
    """For each preset that would be used: fidelity's and speed's, or the one asked for."""
    write_cohort(tmp_path, rows=130)
    chosen = Options(backends=PAIR, workloads=("ehr_mgan",), data=str(tmp_path), no_speed=True)
    assert str(tmp_path) == resolution.resolve(chosen).workloads[0].source
    for changed in ({"no_speed": False}, {"preset": "small"}):
        with pytest.raises(
            UsageError,
            match=(
                r"has 130 rows; preset small takes batches of 32 and needs .* 320\. Choose --preset"
                r" tiny"
            ),
        ):
            resolution.resolve(dataclasses.replace(chosen, **changed))
    (tmp_path / "statics.pkl").write_bytes(b"cos\nsystem\n(S'touch mark'\ntR.")
    with pytest.raises(
        UsageError, match=r"statics\.pkl: refused, because it asks for `os\.system`"
    ):
        resolution.resolve(chosen)


@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        (
            (
                r"--data daphnet: none of the workloads \(linear, cnn\) takes data\. Name one .*"
                r" --workloads ehr_mgan"
            ),
            Options(data="daphnet"),
        ),
        (
            r"none of the workloads \(cnn\) takes data",
            Options(data="synthetic_icu", workloads=("cnn",)),
        ),
        ("Did you mean 'synthetic_icu'", Options(data="sythetic_icu", workloads=("ehr_mgan",))),
        ("there is no such folder", Options(data="./sythetic_icu", workloads=("ehr_mgan",))),
        ("Did you mean 'ehr_mgan'", Options(data="daphnet", workloads=("ehrmgan",))),
    ],
)
def test_data_misfit(said: str, chosen: Options) -> None:
    """Data that nothing would read, or that do not exist, are wrong usage."""
    with pytest.raises(UsageError, match=said) as caught:
        resolution.resolve(dataclasses.replace(chosen, backends=PAIR))
    assert caught.value.exit_code == 2


def test_workload_that_does_not_load(tmp_path: Path) -> None:
    """A file that is no workload is named."""
    (tmp_path / "broken.py").write_text("import nothing_of_this_name")
    with pytest.raises(UsageError, match=r"broken\.py failed to load: ModuleNotFoundError"):
        resolution.resolve(Options(backends=TWO, ports=(tmp_path,)))
    (tmp_path / "broken.py").write_text("WORKLOAD = 5")
    with pytest.raises(UsageError, match=r"broken\.py defines no `WORKLOAD`"):
        resolution.resolve(Options(backends=TWO, ports=(tmp_path,)))


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("torch", "BUILD=PATH"),
        ("torch=", "BUILD=PATH"),
        ("torch=/nowhere/python", "there is no file"),
    ],
)
def test_python_misfit(item: str, said: str) -> None:
    """--python takes a build and a file that exists."""
    with pytest.raises(UsageError, match=said):
        resolution.interpreters((item,))


def test_python() -> None:
    """An interpreter is named for a build that exists."""
    assert resolution.interpreters((f"tf1={sys.executable}",)) == {"tf1": Path(sys.executable)}
    with pytest.raises(UnknownName, match="Did you mean 'torch'"):
        resolution.interpreters((f"pytorch={sys.executable}",))


def test_seeds_that_are_not_given_are_one_tape_and_eight_models():
    """One number means both."""
    asked = {"backends": PAIR, "workloads": ("ehr_mgan",), "stages": ("F", "D")}
    default, three = (resolution.resolve(Options(**asked, **more)) for more in ({}, {"seeds": 3}))
    assert ((0,), 8) == (default.seeds, default.models) and ((0, 1, 2), 3) == (
        three.seeds,
        three.models,
    )
    assert [8, 3] == [
        len({job.own_seed for job in plan.make(one).samples if job.side == "torch"})
        for one in (default, three)
    ]


def test_the_python_of_one_side() -> None:
    """Where a build is named twice, an interpreter may be that of the second alone; the build in
    the label has to exist."""
    assert resolution.interpreters((f"torch#2={sys.executable}",)) == {
        "torch#2": Path(sys.executable)
    }
    with pytest.raises(UnknownName, match="Did you mean 'torch'"):
        resolution.interpreters((f"pytorch#2={sys.executable}",))
