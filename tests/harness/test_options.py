"""Options are checked before any work starts: what is wrong, what was probably meant, what is allowed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness import options
from harness.errors import UnknownName, UsageError
from harness.options import Options

TWO = ("numpy", "numpy")
HOSTILE = Path(__file__).parents[1] / "e2e/hostile"


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
    """A name that does not exist is answered with the one that was probably meant and with all there are."""
    with pytest.raises(UnknownName, match=f"unknown {kind} ") as caught:
        options.request(chosen)
    assert f"Did you mean '{meant}'?" in str(caught.value) and f"Known: {', '.join(caught.value.known)}" in str(caught.value)
    assert caught.value.exit_code == 2


def test_nothing_like_it() -> None:
    """Where nothing is close, nothing is guessed."""
    with pytest.raises(UnknownName) as caught:
        options.request(Options(backends=TWO, workloads=("zzz",)))
    assert "Did you mean" not in str(caught.value) and "Known: cnn, ehr_mgan, ehr_mgan_conditional, linear" in str(caught.value)


@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        ("--backends: name at least one", Options(backends=())),
        ("there is no folder", Options(backends=("numpy@nowhere", "numpy"))),
        ("--ports nowhere: no such folder", Options(backends=TWO, ports=(Path("nowhere"),))),
        ("workload cnn has ports for tf1, tf2, torch", Options(backends=TWO, workloads=("cnn",))),
        ("has no such preset. It has: tiny, small", Options(backends=TWO, workloads=("linear",), preset="paper")),
        ("no distribution stage|has a distribution stage", Options(backends=TWO, stages=("D",))),
        ("leave nothing to do", Options(backends=TWO, no_speed=True, no_fidelity=True)),
        ("--seeds 0: must be at least 1", Options(backends=TWO, seeds=0)),
        ("--threads 0: must be at least 1", Options(backends=TWO, threads=0)),
        ("--seed -1: must lie between", Options(backends=TWO, seed=-1)),
        ("--budget nan", Options(backends=TWO, budget=float("nan"))),
        ("--limit 0", Options(backends=TWO, limit=0)),
    ],
)
def test_misfit(said: str, chosen: Options) -> None:
    """Values that exist but make no sense are wrong usage."""
    with pytest.raises(UsageError, match=said) as caught:
        options.request(chosen)
    assert caught.value.exit_code == 2


def test_request() -> None:
    """Both spellings of a stage, names given twice, and the same build twice."""
    asked = options.request(Options(
        backends=TWO, workloads=("linear", "linear"), precision=("fp64", "fp64"), stages=("F", "loss", "forward"), seed=3, seeds=2,
    ))
    assert ("forward", "loss") == asked.stages and ("fp64",) == asked.precisions and (3, 4) == asked.seeds
    assert ["numpy", "numpy#2"] == [side.label for side in asked.sides] and ["linear"] == [item.name for item in asked.workloads]


def test_folders() -> None:
    """A side's own folder comes before the ones that all sides share; a workload from outside the tree is known by its folder."""
    asked = options.request(Options(
        backends=(f"numpy@{HOSTILE / 'segfault'}", "numpy"), workloads=("hostile",), ports=(HOSTILE,),
    ))
    assert [side.folders for side in asked.sides] == [(str(HOSTILE / "segfault"), str(HOSTILE)), (str(HOSTILE),)]


def test_workload_that_does_not_load(tmp_path: Path) -> None:
    """A file that is no workload is named."""
    (tmp_path / "broken.py").write_text("import nothing_of_this_name")
    with pytest.raises(UsageError, match=r"broken\.py failed to load: ModuleNotFoundError"):
        options.request(Options(backends=TWO, ports=(tmp_path,)))
    (tmp_path / "broken.py").write_text("WORKLOAD = 5")
    with pytest.raises(UsageError, match=r"broken\.py defines no `WORKLOAD`"):
        options.request(Options(backends=TWO, ports=(tmp_path,)))


@pytest.mark.parametrize(
    ("item", "said"), [("torch", "BUILD=PATH"), ("torch=", "BUILD=PATH"), ("torch=/nowhere/python", "there is no file")]
)
def test_python_misfit(item: str, said: str) -> None:
    """--python takes a build and a file that exists."""
    with pytest.raises(UsageError, match=said):
        options.overrides(Options(backends=TWO, python=(item,)))


def test_python() -> None:
    """An interpreter is named for a build that exists."""
    assert options.overrides(Options(backends=TWO, python=(f"tf1={sys.executable}",))) == {"tf1": Path(sys.executable)}
    with pytest.raises(UnknownName, match="Did you mean 'torch'"):
        options.overrides(Options(backends=TWO, python=(f"pytorch={sys.executable}",)))
