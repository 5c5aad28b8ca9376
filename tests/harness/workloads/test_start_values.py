"""Start values of the user's own: taken as they are, refused with a reason where they do not
fit, and part of what a run is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from harness import plan
from harness.errors import UsageError
from harness.records import tape
from harness.workloads.linear import WORKLOAD, Linear
from harness.workloads.spec import Parameter

KERNEL = np.arange(10.0)[:, None] / 16


class Own(Linear):
    """`linear` that begins with given weights."""

    initial: object = KERNEL

    def parameters(self, hyper):
        """Return the kernel with values of its own."""
        kernel, bias = super().parameters(hyper)
        return dataclasses.replace(kernel, initial=self.initial), bias


def test_an_array_is_where_the_parameter_starts():
    """Whatever the seed; what else is drawn does not move for it."""
    own, shipped = (tape.draw(item, item.config("tiny"), 3, 4).tape for item in (Own(), WORKLOAD))
    np.testing.assert_array_equal(KERNEL, own["weights/W"])
    np.testing.assert_array_equal(shipped["batches"], own["batches"])
    assert np.float64 == Parameter("b", (2,), [1, 2]).draw(np.random.RandomState(0)).dtype


@pytest.mark.parametrize("as_text", [True, False])
def test_a_file_holds_one_array_or_one_of_the_parameters_name(tmp_path: Path, as_text: bool):
    """A slash in the name is no obstacle."""
    np.save(tmp_path / "one.npy", KERNEL)
    np.savez(tmp_path / "all.npz", **{"a/kernel": KERNEL, "b": np.zeros(2)})
    for file in (tmp_path / "one.npy", tmp_path / "all.npz"):
        found = Parameter("a/kernel", (10, 1), str(file) if as_text else file).draw(
            np.random.RandomState(0)
        )
        np.testing.assert_array_equal(KERNEL, found)


@pytest.mark.parametrize(
    ("initial", "told"),
    [
        (KERNEL.T, r"shape \(1, 10\), declared is \(10, 1\)"),
        (KERNEL * np.nan, "10 of 10 start values are NaN"),
        (KERNEL * 1j, "complex128"),
        ([[1.0], [2.0, 3.0]], "no array of numbers"),
        (Path("nowhere.npy"), "no such file"),
        (Path("weights.pt"), r"from \.npy and \.npz"),
        ("none.npz", "no such file"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_parameters_name(initial: object, told: str):
    """Before anything runs: the configuration cannot be made."""
    own = Own()
    own.initial = initial
    with pytest.raises(UsageError, match=f"parameter W.*{told}"):
        own.config("tiny")


def test_files_that_cannot_be_used_are_refused(tmp_path: Path):
    """Objects would have to be unpickled; a damaged file is none; an archive has other names."""
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    (tmp_path / "damaged.npz").write_bytes(b"PK")
    np.savez(tmp_path / "other.npz", kernel=KERNEL)
    for name, told in (
        ("objects.npy", "cannot be read"),
        ("damaged.npz", "cannot be read"),
        ("other.npz", "it holds kernel"),
    ):
        with pytest.raises(UsageError, match=told):
            Parameter("W", (10, 1), tmp_path / name).draw(np.random.RandomState(0))


def test_a_word_that_is_neither_is_refused():
    """With what there is."""
    with pytest.raises(ValueError, match="'he' is not one of zeros, ones"):
        Parameter("W", (2,), "he").draw(np.random.RandomState(0))


def test_other_values_are_other_work():
    """A run is not resumed with them; what is drawn by name is as it was."""
    own, other = Own(), Own()
    other.initial = KERNEL + 1.0
    side = plan.Side("numpy", "numpy", "numpy")
    first, second = (
        plan.identity(
            plan.Request(
                workloads=(item,),
                sides=(side,),
                precisions=("fp64",),
                stages=("weights",),
                preset="tiny",
                device="cpu",
                execution="default",
                seeds=(0,),
                threads=1,
                fidelity_threads=1,
            )
        )
        for item in (own, other)
    )
    assert first != second and all(
        "given" not in item for item in WORKLOAD.config("tiny")["parameters"]
    )
