"""The wheel in an environment of its own, used from a folder with no checkout: lists, judges, and
can provision builds.

The environment sees the dependencies of the interpreter that runs the tests through a `.pth` file,
so nothing is downloaded; the harness and `backends` come from the wheel.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.environments import builds, installation, provision
from tests import pointed

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 300.0
# A port that looks around instead of computing: what it raises ends its job as `unsupported`, the
# file stays.
LOOKING_PORT = """
import json, os, sys
from backends.contract import Unsupported
from backends.ports.torch.linear import Port as Shipped

class Port(Shipped):
    def __init__(self, config, setting):
        with open(os.path.join(os.path.dirname(__file__), "seen.json"), "w") as file:
            folder = sorted(os.listdir(os.getcwd()))
            json.dump({"path": sys.path, "folder": folder, "environ": dict(os.environ)}, file)
        raise Unsupported("only looked")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a virtual environment that has the wheel, built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--wheel-dir",
            str(folder),
            str(ROOT),
        ],
        folder,
    )
    (wheel,) = folder.glob("parity_harness-*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv/bin/python"
    _run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(python),
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            str(wheel),
        ],
        folder,
    )
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / "venv"


@pytest.fixture(scope="module")
def torch_python() -> Path:
    """Return the interpreter of the build `torch`, provisioned if it is not there."""
    return provision.locate("torch", "cpu", overrides={}, environ=os.environ, progress=print).path


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Return an empty working folder with no checkout above it."""
    folder = tmp_path / "bare"
    folder.mkdir()
    return folder


def _run(argv: Sequence[str], folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TOX_", "_TOX_", "PYTEST_", "COV_"))
    }
    done = subprocess.run(
        list(argv),
        cwd=folder,
        env={**environ, "COLUMNS": "120", **more},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0 or "harness" in Path(argv[0]).name, done.stdout + done.stderr
    return done


def _harness(
    installed: Path, folder: Path, *words: str, **more: str
) -> subprocess.CompletedProcess[str]:
    return _run(
        [str(installed / "bin/harness"), *words],
        folder,
        XDG_CACHE_HOME=str(folder / "cache"),
        **more,
    )


def _site(installed: Path) -> Path:
    return Path(sysconfig.get_path("purelib", vars={"base": str(installed)}))


def test_the_wheel_is_what_runs(installed: Path, bare: Path):
    """The package comes from the wheel's own folder, not from the checkout that the tests run
    in."""
    done = _run(
        [
            str(installed / "bin/python"),
            "-c",
            "import harness, backends; print(harness.__file__, backends.__file__)",
        ],
        bare,
    )
    assert all(Path(path).is_relative_to(installed) for path in done.stdout.split())


def test_both_packages_say_that_they_are_typed(installed: Path):
    """A user's checker reads the annotations of what a port or a workload subclasses."""
    site = _site(installed)
    assert [True, True] == [
        (site / name / "py.typed").is_file() for name in ("harness", "backends")
    ]


def test_pytest_has_the_plugin(installed: Path, bare: Path):
    """By its entry point alone: the fixture is there, and a marker for each build; without it, as
    the page says, neither."""
    (bare / "test_mine.py").write_text("def test_mine(harness):\n    assert harness.compare\n")
    python = str(installed / "bin/python")
    done = _run([python, "-m", "pytest", "-q", "-W", "error", "test_mine.py"], bare)
    assert "1 passed" in done.stdout
    listed = _run([python, "-m", "pytest", "--markers"], bare).stdout
    assert all(f"@pytest.mark.{name}: compares" in listed for name in builds.BUILDS)
    without = _run([python, "-m", "pytest", "-p", "no:harness", "--markers"], bare).stdout
    assert "@pytest.mark.tf1" not in without


def test_the_pages_that_messages_name_are_in_the_wheel(installed: Path):
    """Each that a module asks the address of; another page has none here."""
    named = pointed.pages_named(ROOT / "harness")
    assert {"ehr_mgan.md", "nightly.md"} <= named
    folder = _site(installed) / "harness/docs"
    assert set() == named - {path.name for path in folder.iterdir()}


def test_a_message_names_the_page_of_the_wheel(installed: Path, bare: Path):
    """A reader without a checkout opens it where the message says it is."""
    done = _harness(installed, bare, "nightly", "--config", "none.toml", COLUMNS="1000")
    said = re.search(r"Write one \((.*)\)", done.stderr)
    assert said is not None, done.stderr
    assert Path(said[1]).read_text(encoding="utf-8").startswith("# Every night")


def test_lists_workloads_builds_and_references(installed: Path, bare: Path):
    """What needs no build works at once, the shipped references included."""
    listed = _harness(installed, bare, "list")
    assert 0 == listed.returncode, listed.stderr
    assert all(name in listed.stdout for name in (*builds.BUILDS, "linear", "cnn"))
    references = _harness(installed, bare, "reference", "list")
    assert 0 == references.returncode, references.stderr
    assert "linear-tiny-fp64-seed0" in references.stdout
    assert "1.15.5" in references.stdout


def test_compares_and_writes_a_report(installed: Path, bare: Path, torch_python: Path):
    """NumPy and PyTorch compute the same function, from a folder that holds nothing of the
    project."""
    done = _harness(
        installed,
        bare,
        "compare",
        "--backends",
        "numpy",
        "torch",
        "--python",
        f"torch={torch_python}",
        "--workloads",
        "linear",
        "--no-speed",
        "--json",
        "result.json",
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    document = json.loads((bare / "result.json").read_text(encoding="utf-8"))
    assert "PASS" == document["summary"]["fidelity"]
    assert {"numpy", "torch"} == {row["build"] for row in document["builds"]}
    assert 1 == len(list((bare / "reports").glob("*/report.md")))


def test_a_worker_sees_nothing_of_the_orchestrator(installed: Path, bare: Path, torch_python: Path):
    """A real worker's own sys.path holds its build and the package `backends`: no site-packages
    of ours, no PYTHONPATH."""
    (bare / "ports/torch").mkdir(parents=True)
    (bare / "ports/torch/linear.py").write_text(LOOKING_PORT, encoding="utf-8")
    leak = bare / "leak"
    leak.mkdir()
    done = _harness(
        installed,
        bare,
        "run",
        "--backends",
        "torch@ports",
        "--python",
        f"torch={torch_python}",
        "--workloads",
        "linear",
        "--precision",
        "fp64",
        PYTHONPATH=str(leak),
    )
    assert 5 == done.returncode, done.stdout + done.stderr
    seen = json.loads((bare / "ports/torch/seen.json").read_text(encoding="utf-8"))
    ours = {str(leak), str(_site(installed)), sysconfig.get_path("purelib"), str(ROOT)}
    assert set() == ours & {os.path.realpath(path) for path in seen["path"]} | ours & set(
        seen["path"]
    )
    assert ["backends"] == seen["folder"]
    assert not {"PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME"} & set(seen["environ"])
    others = [path for path in seen["path"] if "site-packages" in path]
    assert others and all(Path(path).is_relative_to(torch_python.parent.parent) for path in others)


def test_the_shipped_provisioning_resolves(installed: Path, bare: Path):
    """tox reads the configuration of the wheel, and every requirement file that it names is
    there."""
    where = installation.places(
        {"XDG_CACHE_HOME": str(bare / "cache")}, package=_site(installed) / "harness"
    )
    assert _site(installed) / "harness/provisioning/tox.ini" == where.config
    names = sorted(
        {
            name
            for build in builds.BUILDS.values()
            for device in build.devices
            for name in builds.environments(build, device)
        }
    )
    done = _run(
        [
            str(installed / "bin/python"),
            "-m",
            "tox",
            "config",
            "-c",
            str(where.config),
            "--root",
            str(bare),
            "--workdir",
            str(where.workdir),
            "-e",
            ",".join(names),
            "-k",
            "deps",
            "package",
            "base_python",
        ],
        bare,
        HARNESS_BACKENDS=str(where.backends),
    )
    config = configparser.ConfigParser(interpolation=None, strict=True)
    config.read_string(
        "\n".join(line for line in done.stdout.splitlines() if not line.startswith("ROOT"))
    )
    assert {f"testenv:{name}" for name in names} == set(config.sections())
    for name in names:
        section = config[f"testenv:{name}"]
        files = [
            Path(line.strip()[2:].strip())
            for line in section["deps"].splitlines()
            if line.strip().startswith("-r")
        ]
        assert files and all(
            path.is_file() and path.is_relative_to(_site(installed)) for path in files
        )
        assert "skip" == section["package"]


def test_a_dry_run_says_what_it_would_install(installed: Path, bare: Path):
    """Without a build the harness names the environment that it would make, with time and size,
    and makes nothing."""
    done = _harness(installed, bare, "compare", "--backends", "tf2", "torch", "--dry-run")
    assert 0 == done.returncode, done.stderr
    assert "would install tf2-cpu" in done.stdout and "would install torch-cpu" in done.stdout
    assert (
        not (bare / "cache/parity-harness/tox/tf2-cpu").exists() and not (bare / "reports").exists()
    )
