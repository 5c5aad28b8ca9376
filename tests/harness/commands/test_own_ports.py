"""A folder that was named for a side has the port, or the workload does not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import plan
from harness.commands import resolution
from harness.commands.options import Options
from harness.errors import UsageError


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a port of `linear` to NumPy and one of `cnn` to torch, a package."""
    (tmp_path / "own/numpy").mkdir(parents=True)
    (tmp_path / "own/numpy/linear.py").touch()
    (tmp_path / "own/torch/cnn").mkdir(parents=True)
    (tmp_path / "own/torch/cnn/__init__.py").touch()
    return tmp_path / "own"


def test_workloads_that_nobody_named_are_left_out_with_a_line(own: Path):
    """And those that the folder has are compared, a package too."""
    asked = resolution.resolve(Options(backends=("tf2", f"torch@{own}")))
    assert ["cnn"] == [item.name for item in asked.workloads]
    assert (
        f"linear is left out: torch@own has no port of it ({own}/torch/linear.py)",
    ) == asked.left_out


def test_a_workload_that_was_named_is_wrong_usage(own: Path):
    """Also where --ports or the harness itself has a port."""
    for more in ({}, {"ports": (own,)}):
        with pytest.raises(
            UsageError, match=r"no port of linear; it would be .*own/torch/linear\.py"
        ):
            resolution.resolve(
                Options(backends=("tf2", f"torch@{own}"), workloads=("linear", "cnn"), **more)
            )


def test_where_nothing_is_left_it_is_wrong_usage(own: Path):
    """With the lines that say why."""
    (own / "empty").mkdir()
    with pytest.raises(
        UsageError, match=r"linear is left out: torch@empty.*cnn is left out.*no workload has ports"
    ):
        resolution.resolve(Options(backends=("tf2", f"torch@{own / 'empty'}")))


def test_the_ports_name_of_a_workload_counts(own: Path):
    """`ehr_mgan_conditional` is ported in files called `ehr_mgan`; one of its own name is
    another thing."""
    chosen = Options(
        backends=("torch", f"torch@{own}"),
        workloads=("ehr_mgan_conditional",),
        preset="tiny",
        no_speed=True,
    )
    (own / "torch/ehr_mgan_conditional.py").touch()
    with pytest.raises(UsageError, match=r"own/torch/ehr_mgan\.py"):
        resolution.resolve(chosen)
    (own / "torch/ehr_mgan.py").touch()
    assert ["torch", "torch@own"] == [side.label for side in resolution.resolve(chosen).sides]


def test_a_folder_brings_a_port_that_the_workload_does_not_know_of(own: Path):
    """`cnn` has no shipped port to NumPy."""
    (own / "numpy/cnn.py").touch()
    asked = resolution.resolve(Options(backends=("tf2", f"numpy@{own}"), workloads=("cnn",)))
    assert ("tf2", "numpy@own") == tuple(job.side for job in plan.make(asked).jobs[:2])


@pytest.mark.parametrize("way", ["own", "./own", "own/", "other/../own"])
def test_a_folder_is_called_by_its_name_however_it_was_reached(
    own: Path, monkeypatch: pytest.MonkeyPatch, way: str
):
    """Links are not followed: they are names too."""
    (own.parent / "other").mkdir()
    monkeypatch.chdir(own.parent)
    (side,) = resolution.resolve(Options(backends=(f"numpy@{way}",), workloads=("linear",))).sides
    assert ("numpy@own", (str(own),), True) == (side.label, side.folders, side.only)
