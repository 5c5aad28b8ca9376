"""Where environments are installed, one process at a time, from what; and what is said when that
fails."""

from __future__ import annotations

import configparser
import fnmatch
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.environments import installation
from harness.errors import ProvisionFailed

ROOT = Path(__file__).parents[3]


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


def test_one_environment_is_installed_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one says that it waits, and begins once the first is done."""
    where = installation.Places(tmp_path, tmp_path / "tox.ini", tmp_path, tmp_path / "work")
    events: list[str] = []
    begun, waits = threading.Event(), threading.Event()

    def run_tox(_: object, name: str, *__: object, **___: object) -> None:
        events.append(f"{name} begins")
        if name == "torch-cpu":
            begun.set()
            assert waits.wait(30)
        events.append(f"{name} ends")

    def install(name: str) -> None:
        with installation.lock(where, name, pytest.fail):
            installation.install(where, name, {}, said, recreate=False)

    def said(line: str) -> None:
        if line == "tf2-cpu: another environment is being installed; waiting":
            waits.set()

    monkeypatch.setattr(installation, "_run_tox", run_tox)
    first = threading.Thread(target=install, args=("torch-cpu",))
    first.start()
    assert begun.wait(30)
    install("tf2-cpu")
    first.join()
    assert ["torch-cpu begins", "torch-cpu ends", "tf2-cpu begins", "tf2-cpu ends"] == events


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


@pytest.mark.parametrize("given", [{}, {"PYTHONNOUSERSITE": "1"}])
def test_tox_gets_the_users_secrets_and_site(given: dict[str, str]) -> None:
    """pip may need a password; packages of the user's own are hidden from tox only on their
    word."""
    where = installation.Places(Path("/r"), Path("/r/tox.ini"), Path("/r/backends"), Path("/w"))
    environ = {"GITHUB_TOKEN": "t", "_TOX_X": "x", **given}
    assert installation.tox_environment(where, environ) == {
        "GITHUB_TOKEN": "t",
        "HARNESS_BACKENDS": "/r/backends",
        **given,
    }


def test_what_tox_hands_on_to_pip(tmp_path: Path) -> None:
    """What `pass_env` of tox.ini names, the settings of pip and of proxies; no secret beside
    them."""
    words = [sys.executable, "-m", "tox", "config", "-c", "tox.ini", "--workdir", str(tmp_path)]
    words += ["-e", "torch-cpu", "-k", "pass_env"]
    environ = installation.tox_environment(
        installation.places({}), {**os.environ, "NO_COLOR": "1", "TOX_OVERRIDE": "x"}
    )
    done = subprocess.run(
        words, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=True
    )
    passed = [line.strip().upper() for line in done.stdout.splitlines() if line.startswith(" ")]

    def passes(name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, form) for form in passed)

    named = configparser.ConfigParser(interpolation=None)
    named.read(ROOT / "tox.ini", encoding="utf-8")
    own = [name for name in named["testenv"]["pass_env"].split() if "{" not in name]
    assert len(own) > 5 and {*own} <= {*passed}
    bases = [section.get("base", "") for section in named.values() if section.name != "testenv"]
    assert [] == [base for base in bases if base == "build-environment"]  # its base is not followed
    assert all(map(passes, ("PIP_INDEX_URL", "HTTPS_PROXY")))
    assert not any(map(passes, ("GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "MY_DATA")))
