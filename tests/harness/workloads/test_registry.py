"""Workloads are found by name, the shipped ones and those of folders that the user named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.errors import UnknownName, UsageError
from harness.workloads import registry

OUTSIDE = Path(__file__).parents[2] / "e2e" / "outside"


def test_the_shipped_workloads_and_one_from_a_folder():
    """The folder's come after; ports in folders of their own are no workloads."""
    shipped = ["linear", "cnn", "ehr_mgan", "ehr_mgan_conditional"]
    assert shipped == list(registry.known(()))
    assert [*shipped, "wine"] == list(registry.known([OUTSIDE]))
    assert "wine" == registry.get("wine", [OUTSIDE]).name


def test_an_unknown_name_lists_what_there_is():
    """With the nearest."""
    with pytest.raises(UnknownName, match=r"cnn"):
        registry.get("cnm")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise RuntimeError('no')", "RuntimeError: no"),
        ("X = 1", "no `WORKLOAD`"),
        ("def (", "SyntaxError"),
        ("WORKLOAD = 3", "no `WORKLOAD`"),
    ],
)
def test_a_file_that_is_no_workload_is_said_to_be_so(tmp_path, text, said):
    """Which file, and what is wrong with it."""
    (tmp_path / "odd.py").write_text(text)
    with pytest.raises(UsageError, match=r"odd\.py") as caught:
        registry.known([tmp_path])
    assert said in str(caught.value)


def test_a_folder_that_does_not_exist_is_wrong_usage(tmp_path):
    """And says what should be there."""
    with pytest.raises(UsageError, match="no such folder"):
        registry.known([tmp_path / "nowhere"])


def test_files_that_are_no_workloads_by_name_are_left_alone(tmp_path):
    """Private modules, tests and conftest."""
    shutil.copy(OUTSIDE / "wine.py", tmp_path / "wine.py")
    for name in ("_private.py", "test_wine.py", "conftest.py"):
        (tmp_path / name).write_text("raise RuntimeError")
    assert "wine" in registry.known([tmp_path])
