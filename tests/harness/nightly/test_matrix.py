"""Cells, their order, their share of the time, and the exit code."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import cli
from harness.nightly import matrix
from harness.nightly.matrix import MatrixEntry

ENTRY = MatrixEntry(
    name="one",
    priority=0,
    workloads=("linear",),
    builds=("tf2", "torch"),
    devices=("cpu",),
    precisions=("fp64",),
    presets=(),
    seeds=(0,),
    judge=("fidelity", "speed"),
    stages=(),
    execution="default",
    timing_s=120.0,
)


def test_everything_but_builds_and_precisions_is_multiplied() -> None:
    """A cell for each workload, device, preset and seed; names tell them apart by what the entry
    has several of."""
    entry = dataclasses.replace(
        ENTRY,
        workloads=("linear", "cnn"),
        devices=("cpu", "gpu"),
        presets=("tiny", "small"),
        seeds=(0, 1),
        precisions=("fp64", "fp32"),
    )
    found = matrix.cells([entry])
    assert 16 == len(found) == len({cell.name for cell in found})
    assert {("tf2", "torch")} == {cell.builds for cell in found} and {("fp64", "fp32")} == {
        cell.precisions for cell in found
    }
    assert set(itertools.product(("linear", "cnn"), ("cpu", "gpu"), ("tiny", "small"), (0, 1))) == {
        (cell.workload, cell.device, cell.preset, cell.seed) for cell in found
    }
    assert "one-cnn-small-gpu-seed1" in {cell.name for cell in found}
    assert ["one-linear"] == [cell.name for cell in matrix.cells([ENTRY])]


def test_priority_is_the_order() -> None:
    """The highest first; among equals, as they stand in the file."""
    entries = [
        dataclasses.replace(ENTRY, name=name, priority=priority)
        for name, priority in (("a", 1), ("b", 5), ("c", 5), ("d", -2))
    ]
    assert ["b", "c", "a", "d"] == [cell.name.partition("-")[0] for cell in matrix.cells(entries)]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"presets": ("small",), "seeds": (7,), "threads": 2, "steps": 9},
        {"judge": ("speed",)},
        {"judge": ("fidelity",), "stages": ("F", "G")},
    ],
)
def test_the_command_of_a_cell_makes_the_same_comparison(more) -> None:
    """What is printed for a cell is a command that `harness` takes, and it says what the cell
    says."""
    (cell,) = matrix.cells([dataclasses.replace(ENTRY, **more)])
    _, bound, _ = cli.app.parse_args(cell.words()[1:], exit_on_error=False, print_error=False)
    chosen = bound.arguments["chosen"]
    assert (
        cell.builds,
        (cell.workload,),
        cell.precisions,
        cell.preset,
        cell.seed,
        cell.threads,
        cell.steps,
    ) == (
        chosen.backends,
        chosen.workloads,
        chosen.precision,
        chosen.preset,
        chosen.seed,
        chosen.threads,
        chosen.steps,
    )
    assert ("speed" in cell.judge, "fidelity" in cell.judge) == (
        not chosen.no_speed,
        not chosen.no_fidelity,
    )


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.integers(0, 20))
def test_the_shares_never_exceed_what_is_left(left_s: float, needed_s: float, timed: int) -> None:
    """What the timed cells get beyond their need, together, is at most what remains."""
    share_s = matrix.share_s(left_s, needed_s, timed)
    assert share_s >= 0 and share_s * timed <= max(0.0, left_s - needed_s) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("codes", "regressed", "code"),
    [
        ([], False, 5),
        ([5, 5], False, 5),
        ([0], False, 0),
        ([0, 5], False, 0),
        ([0, 4], False, 4),
        ([1, 4, 6], True, 1),
        ([6, 0, 5], True, 6),
        ([0, 0], True, 3),
        ([4, 0], True, 4),
        ([5], True, 3),
        ([6], False, 6),
        ([3, 0], False, 3),
    ],
)
def test_the_exit_code_is_that_of_the_worst_cell(
    codes: list[int], regressed: bool, code: int
) -> None:
    """1, 4, 5, 6, 3: the first that applies; what cannot run here counts only if nothing can."""
    assert code == matrix.exit_code(codes, regressed)
