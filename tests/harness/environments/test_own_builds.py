"""Builds of the user's own: `harness.toml` read, and everything in it that is none refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.environments import own_builds, release_environments
from harness.environments.probe import Installed
from harness.errors import HarnessError, InterpreterMissing, UnknownName, UsageError

GOOD = """\
[builds.torch24]
build = "torch"
requirements = ["torch==2.4.1", "numpy<2"]
no_deps = ["peft==0.13.2"]
minor = "3.11"
"""
REQUIRED = "[builds.x]\nbuild = 'torch'\nrequirements = ['torch==2']\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file of one build."""
    (tmp_path / own_builds.FILE).write_text(GOOD, encoding="utf-8")
    return tmp_path


def test_the_first_folder_that_has_one_counts(folder: Path, tmp_path_factory):
    """Beside the pair file first, then where one stands; none is no error."""
    other = tmp_path_factory.mktemp("other")
    (other / own_builds.FILE).write_text(GOOD.replace("torch24", "old"), encoding="utf-8")
    empty = tmp_path_factory.mktemp("empty")
    assert ["torch24"] == list(own_builds.read([empty, folder, other]))
    assert {} == own_builds.read([empty])


def test_what_an_entry_says(folder: Path):
    """Which build it stands for, and what is installed."""
    own = own_builds.read([folder])["torch24"]
    assert ("torch", ("torch==2.4.1", "numpy<2"), ("peft==0.13.2",), "3.11", None) == (
        own.build.name,
        own.requirements,
        own.no_deps,
        own.minor,
        own.python,
    )


def test_an_interpreter_is_named_from_the_files_folder(folder: Path):
    """It is taken as it is: nothing is installed, nothing is started."""
    (folder / "python").write_text("", encoding="utf-8")
    text = '[builds.work]\nbuild = "tf2"\npython = "python"\n'
    (folder / own_builds.FILE).write_text(text, encoding="utf-8")
    own = own_builds.read([folder])["work"]
    assert folder / "python" == own_builds.interpreter(own, {}, print)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[builds", "no TOML"),
        ("[other]\n", "known"),
        ("builds = 7\n", "known"),
        ("[builds]\nx = 7\n", "known are"),
        ("[builds.torch]\nbuild = 'torch'\npython = 'x'\n", "no build has yet"),
        ("[builds.'a b']\nbuild = 'torch'\npython = 'x'\n", "letters and digits"),
        ("[builds.decided]\nbuild = 'torch'\npython = 'x'\n", "none of name, decided"),
        ("[builds.x]\nbuild = 'torch'\n", "either python or requirements"),
        ("[builds.x]\nbuild = 'torch'\npython = 'x'\nrequirements = ['torch==2']\n", "either"),
        ("[builds.x]\nbuild = 'torch'\npython = 7\n", "path of an interpreter"),
        ("[builds.x]\nbuild = 'torch'\npython = 'none'\n", "there is no file"),
        ("[builds.x]\nbuild = 'torch'\nrequirements = 'torch==2'\n", "a list of texts"),
        ("[builds.x]\nbuild = 'torch'\nrequirements = ['==']\n", "no requirement"),
        ("[builds.x]\nbuild = 'torch'\nrequirements = ['numpy==2']\n", "name the release"),
        ("[builds.x]\nbuild = 'torch'\nrequirements = ['torch>=2']\n", "name the release"),
        ("[builds.x]\nbuild = 'torch'\nrequirements = ['torch==2']\nminor = '2.7'\n", "minor"),
        ("[builds.x]\nbuild = 'torch'\nrequirements = ['torch==2']\nminor = []\n", "minor"),
        ("[builds.x]\nbuild = 'torch'\npython = 'x'\nmore = 1\n", "known are"),
        ("[builds.x]\nbuild = 'torch'\npython = 'x'\nno_deps = ['a']\n", "goes with requirements"),
        ("[builds.x]\nbuild = 'torch'\nno_deps = ['torch==2']\n", "either python or requirements"),
        (REQUIRED + "no_deps = 'peft'\n", "no_deps is a list of texts"),
        (REQUIRED + "no_deps = ['==']\n", "no_deps: '==' is no requirement"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str):
    """With the file and the entry."""
    (tmp_path / own_builds.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said) as caught:
        own_builds.read([tmp_path])
    assert own_builds.FILE in str(caught.value)


@pytest.mark.parametrize("build", ["'tensorflow'", "7", "[]"])
def test_a_build_that_there_is_not(tmp_path: Path, build: str):
    """The known ones are listed."""
    text = f"[builds.x]\nbuild = {build}\npython = 'x'\n"
    (tmp_path / own_builds.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(UnknownName, match="torch"):
        own_builds.read([tmp_path])


def test_an_environment_is_made_of_exactly_these_requirements(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """The framework's release, and the others beside it, on the Python that is asked for."""
    asked = []

    def provide(recipe, release, environ, say):
        asked.append((recipe, release))
        return Path(sys.executable), Installed("3.11", True, {})

    monkeypatch.setattr(release_environments, "provide", provide)
    monkeypatch.setattr(own_builds.releases, "pythons", lambda *_: {"3.11": Path(sys.executable)})
    own = own_builds.read([folder])["torch24"]
    assert Path(sys.executable) == own_builds.interpreter(own, {}, print)
    ((recipe, release),) = asked
    assert ("torch", "2.4.1", "3.11", ("numpy<2",), ("peft==0.13.2",)) == (
        recipe.package,
        release.version,
        release.minor,
        recipe.extra,
        recipe.no_deps,
    )
    assert {"torch==2.4.1", "numpy<2"} <= {*recipe.needs(release)}


def test_a_python_that_is_not_here(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Nothing else stands in for the one that was named."""
    monkeypatch.setattr(own_builds.releases, "pythons", lambda *_: {"3.12": Path(sys.executable)})
    with pytest.raises(InterpreterMissing, match=r"torch24 needs Python 3\.11") as caught:
        own_builds.interpreter(own_builds.read([folder])["torch24"], {}, print)
    assert isinstance(caught.value, HarnessError)
