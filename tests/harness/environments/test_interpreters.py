"""Interpreters are found on PATH and in the folders of pyenv, uv and conda; shims are not
interpreters."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.environments import interpreters


def executable(path: Path) -> Path:
    """Write a file that may be executed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n# {path}\n")
    path.chmod(0o755)
    return path


def test_own_interpreter() -> None:
    """The interpreter that runs this test is found when its folder is on PATH."""
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    base = Path(sys.base_prefix) / "bin"
    found = interpreters.find(minor, {"PATH": str(base)})
    assert [path.parent for path in found] == [base]


def test_order(tmp_path: Path) -> None:
    """PATH comes first, then pyenv with its newest release first, then uv, then conda."""
    on_path = executable(tmp_path / "bin/python3.7")
    older = executable(tmp_path / "pyenv/versions/3.7.9/bin/python3.7")
    newer = executable(tmp_path / "pyenv/versions/3.7.16/bin/python3.7")
    uv = executable(tmp_path / "uv/cpython-3.7.9-linux-x86_64-gnu/bin/python3.7")
    conda = executable(tmp_path / "home/miniconda3/envs/old/bin/python3.7")
    environ = {
        "PATH": str(tmp_path / "bin"),
        "PYENV_ROOT": str(tmp_path / "pyenv"),
        "UV_PYTHON_INSTALL_DIR": str(tmp_path / "uv"),
        "HOME": str(tmp_path / "home"),
    }
    assert interpreters.find("3.7", environ) == [on_path, newer, older, uv, conda]


@pytest.mark.parametrize(
    "place",
    [
        ".pyenv/versions/3.7.16/bin",
        ".local/share/uv/python/cpython-3.7.9-linux-x86_64-gnu/bin",
        "anaconda3/bin",
        "miniforge3/envs/tf1/bin",
    ],
)
def test_usual_places(tmp_path: Path, place: str) -> None:
    """The tools' usual folders below HOME are searched without any variable set."""
    python = executable(tmp_path / place / "python3.7")
    assert interpreters.find("3.7", {"HOME": str(tmp_path)}) == [python]


def test_conda_listing(tmp_path: Path) -> None:
    """Environments that conda lists are found wherever they are; lines that lead nowhere do no
    harm."""
    python = executable(tmp_path / "far/away/bin/python3.7")
    listing = tmp_path / "home/.conda/environments.txt"
    listing.parent.mkdir(parents=True)
    listing.write_text(f"/nowhere\n\n{tmp_path}/far/away\n")
    assert interpreters.find("3.7", {"HOME": str(tmp_path / "home")}) == [python]


def test_shims_and_virtual_environments_are_passed_over(tmp_path: Path) -> None:
    """A shim may exit with 127, and a virtual environment's packages are none of a build's
    business."""
    executable(tmp_path / "pyenv/shims/python3.7")
    executable(tmp_path / "venv/bin/python3.7")
    (tmp_path / "venv/pyvenv.cfg").touch()
    executable(tmp_path / "pyenv/versions/3.7.16-venv/bin/python3.7")
    (tmp_path / "pyenv/versions/3.7.16-venv/pyvenv.cfg").touch()
    environ = {
        "PATH": f"{tmp_path}/pyenv/shims:{tmp_path}/venv/bin",
        "PYENV_ROOT": str(tmp_path / "pyenv"),
    }
    assert interpreters.find("3.7", environ) == []


def test_other_implementations_and_versions_are_passed_over(tmp_path: Path) -> None:
    """pypy3.7, 3.70 and a file that may not be executed are not CPython 3.7."""
    executable(tmp_path / "versions/pypy3.7-7.3.5/bin/python3.7")
    executable(tmp_path / "versions/3.70.1/bin/python3.7")
    (executable(tmp_path / "versions/3.7.1/bin/python3.7")).chmod(0o644)
    assert interpreters.find("3.7", {"PYENV_ROOT": str(tmp_path)}) == []


def test_same_interpreter_once(tmp_path: Path) -> None:
    """Two names of one file are one interpreter."""
    python = executable(tmp_path / "versions/3.7.16/bin/python3.7")
    link = tmp_path / "bin/python3.7"
    link.parent.mkdir()
    link.symlink_to(python)
    assert interpreters.find("3.7", {"PATH": str(link.parent), "PYENV_ROOT": str(tmp_path)}) == [
        link
    ]


def test_works(tmp_path: Path) -> None:
    """What the caller finds not to work is left out, and the next one is taken."""
    broken = executable(tmp_path / "versions/3.7.16/bin/python3.7")
    sound = executable(tmp_path / "versions/3.7.9/bin/python3.7")
    assert interpreters.find(
        "3.7", {"PYENV_ROOT": str(tmp_path)}, works=lambda path: path != broken
    ) == [sound]
