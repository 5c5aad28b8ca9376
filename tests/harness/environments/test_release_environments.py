"""What goes into a release's environment. That tox makes it is seen in tests/e2e/test_bisect.py."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from harness.commands import clean
from harness.environments import installation, release_environments
from harness.environments.builds import BUILDS
from harness.environments.release_environments import Recipe
from harness.environments.releases import Release
from harness.errors import InterpreterMissing, ProvisionFailed

PYTHONS = {minor: Path(f"/opt/{minor}/bin/python") for minor in ("3.7", "3.10", "3.11")}


@pytest.mark.parametrize(
    ("package", "build", "version", "extra", "expected"),
    [
        ("tensorflow-cpu", "tf2", "2.21.0", (), ("tensorflow-cpu==2.21.0", "numpy")),
        ("tensorflow-cpu", "tf2", "2.10.1", (), ("tensorflow-cpu==2.10.1", "numpy<2")),
        (
            "tensorflow",
            "tf1",
            "1.15.5",
            ("numpy==1.18.5",),
            ("tensorflow==1.15.5", "numpy<2", "protobuf<4", "numpy==1.18.5"),
        ),
        ("torch", "torch", "2.2.2", (), ("torch==2.2.2", "numpy<2")),
        ("torch", "torch", "2.3.0", (), ("torch==2.3.0", "numpy")),
        ("numpy", "numpy", "2.0.0", (), ("numpy==2.0.0",)),
        (
            "keras",
            "tf2",
            "2.4.0",
            ("tensorflow-cpu==2.21.0",),
            ("keras==2.4.0", "numpy", "tensorflow-cpu==2.21.0"),
        ),
    ],
)
def test_what_is_installed(package, build, version, extra, expected) -> None:
    """The release, NumPy for the worker, what the wheel needs and does not ask for, and what the
    user adds."""
    assert expected == Recipe(package, BUILDS[build], extra, PYTHONS).needs(
        Release(version, "3.10")
    )


def test_no_name_reads_as_a_python() -> None:
    """tox takes a part between dashes for a version of Python if it looks like one; other
    requirements make another environment."""
    recipe = Recipe("tensorflow-cpu", BUILDS["tf2"], (), PYTHONS)
    name = recipe.name(Release("2.12.0", "3.11"))
    assert "-" not in name
    other = Recipe("tensorflow-cpu", BUILDS["tf2"], ("keras==3.4.1",), PYTHONS).name(
        Release("2.12.0", "3.11")
    )
    assert (
        len(
            {
                name,
                other,
                recipe.name(Release("2.12.0", "3.10")),
                recipe.name(Release("2.12.1", "3.11")),
            }
        )
        == 4
    )
    assert re.fullmatch(r"\w+[\w.]*", other)


def test_what_comes_without_dependencies_makes_another_environment() -> None:
    """The same packages with their dependencies are not the same environment; the names of those
    that exist stay."""
    release, build = Release("2.3.0", "3.11"), BUILDS["torch"]
    names = [
        Recipe("torch", build, extra, PYTHONS, no_deps).name(release)
        for extra in ((), ("peft==0.13.2",))
        for no_deps in ((), ("peft==0.13.2",), ("peft==0.13.1",))
    ]
    assert len(names) == len({*names})
    assert ("torch_2.3.0_on_3.11", "torch_2.3.0_on_3.11_8f2304") == (names[0], names[3])


@pytest.mark.parametrize(("minor", "old"), [("3.7", True), ("3.11", False)])
def test_the_configuration_that_tox_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minor: str, old: bool
) -> None:
    """The interpreter by its path, wheels only for the package, and an old virtualenv for an old
    Python; a failure is told."""
    recipe = Recipe("torch", BUILDS["torch"], (), PYTHONS)
    section = _written(tmp_path, monkeypatch, recipe, Release("2.3.0", minor))
    assert str(PYTHONS[minor]) == section["base_python"]
    assert ["torch==2.3.0", "numpy"] == section["deps"].split()
    assert ["SSL_CERT_DIR"] == section["pass_env"].split()
    assert "--only-binary torch {opts} {packages}" in section["install_command"]
    assert old == ("virtualenv_spec" in section)
    assert "extra_setup_commands" not in section


def test_what_comes_without_dependencies_is_installed_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a command of its own, which tox runs when everything else is there; what a shell would
    read is quoted."""
    no_deps = ("peft==0.13.2", "trl; python_version > '3'")
    recipe = Recipe("torch", BUILDS["torch"], ("accelerate",), PYTHONS, no_deps)
    section = _written(tmp_path, monkeypatch, recipe, Release("2.3.0", "3.11"))
    assert ["torch==2.3.0", "numpy", "accelerate"] == section["deps"].split()
    words = shlex.split(section["extra_setup_commands"])
    assert ["python", "-I", "-m", "pip", "install", "--no-deps", *no_deps] == words


def _written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe, release: Release
) -> configparser.SectionProxy:
    """Return the section of an environment that tox fails to make."""
    monkeypatch.setattr(installation, "run_logged", lambda argv, **given: 1)
    environ = {"XDG_CACHE_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    with pytest.raises(ProvisionFailed, match=r"tox could not make torch_2.3.0_on_"):
        release_environments.provide(recipe, release, environ, print)
    config = configparser.ConfigParser(interpolation=None)
    config.read(release_environments.folder(environ) / recipe.name(release) / "tox.ini")
    return config[f"testenv:{recipe.name(release)}"]


def test_a_python_that_has_gone(tmp_path: Path) -> None:
    """A list that was kept may name one that was removed since."""
    recipe = Recipe("torch", BUILDS["torch"], (), PYTHONS)
    with pytest.raises(InterpreterMissing, match=r"torch 2.3.0 was to run on Python 3.12"):
        release_environments.provide(
            recipe, Release("2.3.0", "3.12"), {"XDG_CACHE_HOME": str(tmp_path)}, print
        )


def test_clean_shows_what_is_there(tmp_path: Path) -> None:
    """The folders of releases are found, and removing one takes its environment along."""
    recipe, release = (
        Recipe("numpy", BUILDS["numpy"], (), {"3.11": Path(sys.executable)}),
        Release("2.0.0", "3.11"),
    )
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    assert [] == release_environments.existing(environ)
    made = release_environments.folder(environ) / recipe.name(release)
    (made / "bin").mkdir(parents=True)
    assert [made] == release_environments.existing(environ)
    clean.delete(clean.Item("environment", made, 0))
    release_environments.remove(recipe, release, environ)  # gone already
    assert [] == release_environments.existing(environ)
