"""Where environments are installed, one process at a time, from what; and what is said when that
fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.environments import installation
from harness.errors import ProvisionFailed


def test_places(tmp_path: Path) -> None:
    """A checkout keeps environments in its .tox; an installed package in the cache, with the
    configuration that it ships."""
    package = tmp_path / "harness"
    package.mkdir()
    installed = installation.places({"XDG_CACHE_HOME": "/cache"}, package)
    assert installed == installation.Places(
        Path("/cache/parity-harness"),
        package / "provisioning/tox.ini",
        tmp_path / "backends",
        Path("/cache/parity-harness/tox"),
    )
    for name in ("pyproject.toml", "tox.ini"):
        (tmp_path / name).touch()
    assert installation.places({}, package).workdir == tmp_path / ".tox"


def test_failed_installation(tmp_path: Path) -> None:
    """When tox fails, the log is named, its telling lines are shown, and the marker stays for
    the next call."""
    where = installation.Places(tmp_path, tmp_path / "tox.ini", tmp_path, tmp_path / "work")
    where.config.write_text("[tox]\n[testenv:torch-cpu]\npackage = skip\nbase_python = python9.9\n")
    said: list[str] = []
    with (
        installation.lock(where, "torch-cpu", said.append),
        pytest.raises(ProvisionFailed) as caught,
    ):
        installation.install(where, "torch-cpu", dict(os.environ), said.append, recreate=False)
    assert str(installation.log(where, "torch-cpu")) in str(caught.value)
    assert "python9.9" in str(caught.value)
    assert (where.workdir / ".torch-cpu.installing").exists()
    assert said[0].startswith("torch-cpu: installing (about ")


def test_lock_is_released(tmp_path: Path) -> None:
    """The lock can be taken again by another holder as soon as it is released."""
    where = installation.Places(tmp_path, tmp_path / "tox.ini", tmp_path, tmp_path / "work")
    for _ in range(2):
        with installation.lock(where, "torch-cpu", pytest.fail):
            assert (where.workdir / ".torch-cpu.lock").exists()


def test_outer_environment_does_not_leak() -> None:
    """pip's settings and proxies reach tox; an outer tox's, a virtual environment's and
    PYTHONPATH do not."""
    environ = {
        "PIP_INDEX_URL": "x",
        "HTTPS_PROXY": "y",
        "TOX_WORK_DIR": "w",
        "VIRTUAL_ENV": "v",
        "PYTHONPATH": "p",
        "TOX_DISCOVER": "d",
    }
    where = installation.Places(Path("/r"), Path("/r/tox.ini"), Path("/r/backends"), Path("/w"))
    assert installation.tox_environment(where, environ) == {
        "PIP_INDEX_URL": "x",
        "HTTPS_PROXY": "y",
        "TOX_DISCOVER": "d",
        "HARNESS_BACKENDS": "/r/backends",
    }
