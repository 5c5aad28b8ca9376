"""Which build runs a package's releases, what a release is compared with, and which options do
not fit together."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.bisecting import request
from harness.bisecting.request import BisectOptions
from harness.commands import options
from harness.errors import UsageError

PYTHON = Path(sys.executable)


def asked(**more: object) -> BisectOptions:
    given = {"first": "tensorflow-cpu==2.16.1", "last": "2.21.0", "workload": "linear", **more}
    return BisectOptions(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "last", "build"),
    [
        ("tensorflow-cpu==2.10.1", "2.21.0", "tf2"),
        ("tensorflow==1.15.0", "1.15.5", "tf1"),
        ("torch==2.4.0", "2.13.0", "torch"),
        ("numpy==1.26.4", "2.2.0", "numpy"),
    ],
)
def test_the_build_follows_from_the_package(first: str, last: str, build: str) -> None:
    """The build whose ports run all of these releases."""
    assert build == request.serving(asked(first=first, last=last)).name


def test_the_fixed_side_is_the_first_release_or_a_build() -> None:
    """Both sides of one build have an interpreter each; against another build, only the release
    needs one."""
    own = asked().comparison(PYTHON, PYTHON)
    assert (("tf2", "tf2"), (f"tf2={PYTHON}", f"tf2#2={PYTHON}")) == (own.backends, own.python)
    other = asked(against="torch", python=(f"torch={PYTHON}",)).comparison(None, PYTHON)
    assert (("torch", "tf2"), (f"torch={PYTHON}", f"tf2={PYTHON}")) == (
        other.backends,
        other.python,
    )
    same = asked(against="tf2").comparison(None, PYTHON)
    assert (("tf2", "tf2"), (f"tf2#2={PYTHON}",)) == (same.backends, same.python)


def test_a_release_is_judged_or_timed() -> None:
    """float64 and fidelity by default; float32 and nothing but time for --speed."""
    plain, timed = request.check(asked(stage=("F", "G"))), request.check(asked(speed="train"))
    assert (("fp64",), ("forward", "gradients"), True, False) == (
        plain.precisions,
        plain.stages,
        plain.fidelity,
        plain.speed,
    )
    assert (("fp32",), False, True) == (timed.precisions, timed.fidelity, timed.speed)
    assert options.DEFAULT_BUDGET_S == asked().budget


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"first": "tensroflow==2.16.1"}, "Did you mean 'tensorflow'"),
        ({"first": "keras==3.4.0", "last": "3.5.0"}, "--build tf2 --with"),
        ({"first": "tensorflow==1.15.5"}, "no build runs all of these"),
        ({"build": "tf2.10"}, "--build tf2.10 runs tensorflow"),
        ({"build": "pytorch"}, "unknown build"),
        ({"against": "pytorch"}, "unknown backend or build"),
        ({"workload": "lienar"}, "Did you mean 'linear'"),
        ({"speed": "traning"}, "unknown action"),
        ({"speed": "train", "against": "torch"}, "--against is for fidelity"),
        ({"speed": "train", "stage": ("forward",)}, "Drop one"),
        ({"speed": "train", "precision": ("fp64", "fp32")}, "takes one precision"),
        ({"precision": ("fp65",)}, "unknown precision"),
        ({"stage": ("forwards",)}, "unknown stage"),
        ({"confirm": -1}, "at least 0"),
        ({"beside": ("--index-url=x",)}, "--with --index-url=x"),
        ({"python": (f"tf2={PYTHON}",)}, "only the build named by --against"),
    ],
)
def test_what_does_not_fit(more: dict[str, object], said: str) -> None:
    """Said before anything is listed or installed."""
    with pytest.raises(UsageError, match=said):
        request.check(asked(**more))


def test_a_package_that_is_no_framework_names_its_build() -> None:
    """Keras runs in a build of TensorFlow, which --with names."""
    given = asked(
        first="keras==3.4.0", last="3.5.0", build="tf2", beside=("tensorflow-cpu==2.21.0",)
    )
    assert "tf2" == request.serving(given).name
    assert request.check(given).sides
