"""The interpreter of a build is asked what it has; environments are repaired; messages say what to
do.

A real installation is exercised by the builds' own tox environments and by the end-to-end tests,
not here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import venv
from pathlib import Path

import pytest

from harness.environments import installation, provision
from harness.environments.builds import BUILDS
from harness.environments.probe import pins, probe
from harness.errors import (
    BuildError,
    FrameworkMissing,
    InterpreterMissing,
    UsageError,
)

ENVIRON = dict(os.environ)
MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an empty virtual environment."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    return folder / "bin/python"


def add_distribution(python: Path, name: str, version: str, record: bool = True) -> None:
    """Put an importable module and its metadata into an environment, as pip would leave them."""
    site = python.parent.parent / f"lib/python{MINOR}/site-packages"
    (site / name).mkdir(exist_ok=True)
    (site / name / "__init__.py").touch()
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    if record:
        (info / "RECORD").touch()


@pytest.fixture
def checkout(tmp_path: Path) -> provision.Search:
    """A search for torch in a checkout whose tox environment is a bare one."""
    where = installation.Places(
        tmp_path, tmp_path / "tox.ini", tmp_path / "backends", tmp_path / ".tox"
    )
    folder = where.backends / "torch/requirements"
    folder.mkdir(parents=True)
    (folder / "torch-cpu.txt").write_text("# pins\ntorch==2.13.0\n")
    venv.create(where.workdir / "torch-cpu", symlinks=True)
    build = dataclasses.replace(BUILDS["torch"], pythons=(MINOR,))
    return provision.Search(build, "cpu", {}, ENVIRON, where)


def existing(search: provision.Search) -> Path:
    """Return the Python of the tox environment."""
    return search.places.workdir / "torch-cpu/bin/python"


def origin(search: provision.Search) -> str:
    """Return where the search finds its interpreter; this one may have torch as well."""
    found = provision.available(search)
    return found.origin if found else ""


def test_probe(bare: Path) -> None:
    """An interpreter tells its version, its finished distributions and whether the module can be
    found."""
    add_distribution(bare, "solo", "1.2")
    add_distribution(bare, "torn", "3.4", record=False)
    found = probe(bare, "solo", ENVIRON)
    assert found is not None
    assert found.minor == MINOR
    assert found.module
    assert found.version(("other", "solo")) == "1.2"
    assert "torn" not in found.versions


@pytest.mark.parametrize("path", ["/nowhere/python", "/bin/false", "/bin/echo"])
def test_probe_of_no_python(path: str) -> None:
    """What is no Python has nothing."""
    assert probe(Path(path), "solo", ENVIRON) is None


def test_pins_include_other_files(tmp_path: Path) -> None:
    """Pins follow -r, relative to the file that says so, and skip comments."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "base.txt").write_text("numpy==1.18.5  # old\n\n")
    (tmp_path / "deep/more.txt").write_text("# more\n-r ../base.txt\ntorch==2.13.0,!=2.13.0+cpu\n")
    assert [pin.name for pin in pins(tmp_path / "deep/more.txt")] == ["numpy", "torch"]


def test_existing_environment(checkout: provision.Search) -> None:
    """An environment with what the pins ask for is used; a local version label is the same
    release."""
    add_distribution(existing(checkout), "torch", "2.13.0+cpu")
    found = provision.available(checkout)
    assert found is not None
    assert (existing(checkout), "tox environment torch-cpu", "2.13.0+cpu") == (
        found.path,
        found.origin,
        found.framework,
    )


@pytest.mark.parametrize(
    ("version", "record"), [("2.12.0", True), ("2.13.0", False)], ids=["other release", "torn"]
)
def test_unfit_environment(checkout: provision.Search, version: str, record: bool) -> None:
    """Another release, or an installation that was cut off, does not serve."""
    add_distribution(existing(checkout), "torch", version, record)
    assert origin(checkout) != "tox environment torch-cpu"


def test_interrupted_environment(checkout: provision.Search) -> None:
    """While the marker lies there, the environment is being installed or was cut off."""
    add_distribution(existing(checkout), "torch", "2.13.0")
    (checkout.places.workdir / ".torch-cpu.installing").touch()
    assert origin(checkout) != "tox environment torch-cpu"


def test_wrong_python_in_environment(checkout: provision.Search) -> None:
    """An environment with a Python that cannot carry the build does not serve."""
    add_distribution(existing(checkout), "torch", "2.13.0")
    other = dataclasses.replace(
        checkout, build=dataclasses.replace(checkout.build, pythons=("3.7",))
    )
    assert origin(other) != "tox environment torch-cpu"


def test_twin_serves(checkout: provision.Search) -> None:
    """An environment of a build with the same pins is used before another one is installed."""
    add_distribution(existing(checkout), "torch", "2.13.0")
    own = checkout.places.backends / "torch/requirements/torchtoo-cpu.txt"
    own.write_text("-r torch-cpu.txt\n")
    too = dataclasses.replace(checkout.build, name="torch-too", factor="torchtoo", twin="torch")
    assert origin(dataclasses.replace(checkout, build=too)) == "tox environment torch-cpu"


def test_own_interpreter() -> None:
    """NumPy is served by this interpreter."""
    found = provision.locate("numpy", "cpu", overrides={}, environ=ENVIRON, progress=pytest.fail)
    assert (Path(sys.executable).absolute(), "the harness's own interpreter") == (
        found.path,
        found.origin,
    )


def test_named(bare: Path) -> None:
    """--python comes before everything else."""
    add_distribution(bare, "torch", "2.5.1")
    found = provision.locate(
        "torch", "cpu", overrides={"torch": bare}, environ=ENVIRON, progress=pytest.fail
    )
    assert (bare, "--python", "2.5.1") == (found.path, found.origin, found.framework)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (
            "tf2",
            (
                r"has no tensorflow; build tf2 needs tensorflow>=2\.4,<3 on CPython"
                r" .*tensorflow-cpu==2\.21\.0"
            ),
        ),
        (
            "tf1",
            (
                r"has no tensorflow; build tf1 needs .* on CPython 3\.7\. Install"
                r" 'tensorflow==1\.15\.5'"
            ),
        ),
    ],
)
def test_named_without_framework(bare: Path, build: str, says: str) -> None:
    """An interpreter that lacks the framework is refused, with what to install."""
    with pytest.raises(FrameworkMissing, match=says):
        provision.locate(
            build, "cpu", overrides={build: bare}, environ=ENVIRON, progress=pytest.fail
        )


def test_named_with_another_framework_version(bare: Path) -> None:
    """TensorFlow 2 is not accepted for build tf1."""
    add_distribution(bare, "tensorflow", "2.16.1")
    with pytest.raises(
        FrameworkMissing,
        match=r"there has tensorflow 2\.16\.1; build tf1 needs tensorflow>=1\.15,<2",
    ):
        provision.locate(
            "tf1", "cpu", overrides={"tf1": bare}, environ=ENVIRON, progress=pytest.fail
        )


def test_named_that_is_no_python() -> None:
    """A file that does not run as Python is said to be none."""
    with pytest.raises(FrameworkMissing, match="does not run as a Python interpreter"):
        provision.locate(
            "tf2",
            "cpu",
            overrides={"tf2": Path("/bin/false")},
            environ=ENVIRON,
            progress=pytest.fail,
        )


def test_every_named_interpreter_is_checked_before_an_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong --python of one build is said before the environment of another is installed."""
    monkeypatch.setattr(provision, "available", lambda search: None)
    with pytest.raises(FrameworkMissing, match="--python tf1="):
        provision.locate(
            "torch",
            "cpu",
            overrides={"tf1": Path("/bin/false")},
            environ={"HOME": str(tmp_path)},
            progress=pytest.fail,
        )


def test_missing_interpreter(checkout: provision.Search, tmp_path: Path) -> None:
    """Without Python 3.7 the message has three ways to get one and two ways to do without."""
    search = dataclasses.replace(
        checkout,
        build=dataclasses.replace(BUILDS["tf1"], devices=("cpu",)),
        environ={"HOME": str(tmp_path), "PATH": ""},
    )
    with pytest.raises(InterpreterMissing) as caught:
        provision.install(search, pytest.fail)
    ways = (
        "pyenv install 3.7",
        "uv python install 3.7",
        "conda create -n py37 python=3.7",
        "--python tf1=PATH",
    )
    for way in (*ways, "`tf1-compat`", "recorded references"):
        assert way in str(caught.value)


def test_missing_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that is not there is said before anything is installed."""
    monkeypatch.setattr(
        provision.devices, "missing", lambda device, environ: "this machine has none: ..."
    )
    with pytest.raises(BuildError, match="build tf2 on tpu needs a TPU, and this machine has none"):
        provision.locate(
            "tf2", "tpu", overrides={}, environ={"HOME": str(tmp_path)}, progress=pytest.fail
        )


def test_no_environment_for_the_device() -> None:
    """A combination that does not exist is a wrong usage."""
    with pytest.raises(UsageError, match=r"tf2\.10 has no environment for tpu"):
        provision.locate("tf2.10", "tpu", overrides={}, environ=ENVIRON, progress=pytest.fail)


def test_existing_environments_are_listed(tmp_path: Path) -> None:
    """What `harness clean` may delete are the builds' environments and nothing else."""
    listed = provision.environments({"XDG_CACHE_HOME": str(tmp_path)})
    assert {path.name for path in listed} <= {
        f"{build.factor}-{device}" for build in BUILDS.values() for device in build.devices
    }


def test_interpreters_on_path_are_started_and_get_everything(
    checkout: provision.Search, tmp_path: Path
) -> None:
    """To ask what they have: with the user's secrets, and without what would lead them to our
    packages."""
    program = tmp_path / "python3.7"
    program.write_text(f"#!/bin/sh\nexport -p > '{tmp_path}/seen'\nexit 1\n")
    program.chmod(0o755)
    search = dataclasses.replace(
        checkout,
        build=BUILDS["tf1"],
        environ={"PATH": str(tmp_path), "GITHUB_TOKEN": "t0ken", "PYTHONPATH": "/ours"},
    )
    with pytest.raises(InterpreterMissing):
        provision.require_python(search)
    seen = (tmp_path / "seen").read_text()
    assert "GITHUB_TOKEN" in seen and "t0ken" in seen and "PYTHONNOUSERSITE" in seen
    assert "PYTHONPATH" not in seen


def test_nothing_is_installed_for_an_interpreter_that_is_named(bare: Path, tmp_path: Path) -> None:
    """It has the framework, or is refused."""
    environ = {**ENVIRON, "XDG_CACHE_HOME": str(tmp_path)}
    add_distribution(bare, "torch", "2.5.1")
    added = sorted(bare.parent.parent.rglob("*"))
    for build in ("torch", "tf2"):
        with contextlib.suppress(FrameworkMissing):
            provision.locate(
                build, "cpu", overrides={build: bare}, environ=environ, progress=pytest.fail
            )
    assert added == sorted(bare.parent.parent.rglob("*"))
    assert [] == list(tmp_path.iterdir())
