"""Builds of the user's own: what `harness.toml` may say. That they are made, and serve a pair, is
seen by `python -m tests.evaluation.wild`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from harness.environments import own_builds, release_environments, releases
from harness.environments.builds import BUILDS
from harness.environments.releases import Release
from harness.errors import InterpreterMissing, UnknownName, UsageError

MADE = """
[builds.torch24]
build = "torch"
requirements = ["numpy<2", "torch==2.4.1"]
minor = "3.11"
"""
WHOLE = f"""{MADE}
[builds.work]
build = "tf2"
python = "python"
"""


def written(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / own_builds.FILE).write_text(text)
    return folder


def test_a_file(tmp_path: Path) -> None:
    """The first folder that has one counts; an interpreter's path is beside the file."""
    assert {} == own_builds.read([tmp_path])
    first = written(tmp_path / "a", WHOLE)
    (first / "python").touch()
    own = own_builds.read([tmp_path, first, written(tmp_path / "b", "")])
    assert ["torch24", "work"] == [*own]
    made, work = own.values()
    assert (BUILDS["torch"], ("numpy<2", "torch==2.4.1"), "3.11") == (
        made.build,
        made.requirements,
        made.minor,
    )
    assert first / "python" == own_builds.interpreter(work, {}, print)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[builds", "no TOML"),
        ("[build]", "are known"),
        ("builds = 3", "are known"),
        ("[builds.torch]", "that no build has yet"),
        ("[builds.x]\nbuild = 'torch'\npin = 1", "known are"),
        ("[builds.x]\nbuild = 'torch'", "either python or requirements"),
        ("[builds.x]\nbuild = 'torch'\nrequirements = ['numpy']", "name the release of torch"),
        ("[builds.x]\nbuild = 'torch'\nrequirements = ['torch>=2']", "name the release of torch"),
        ("[builds.x]\nbuild = 'torch'\nrequirements = ['torch=2']", "is no requirement"),
        ("[builds.x]\nbuild = 'torch'\nrequirements = 'torch'", "a list of texts"),
        ("[builds.x]\nbuild = 'torch'\npython = 'nowhere'", "there is no file"),
        ("[builds.x]\nbuild = 'torch'\nrequirements = ['torch==2']\nminor = '2.7'", "is none of"),
    ],
)
def test_what_cannot_be_one(tmp_path: Path, text: str, said: str) -> None:
    """It is said with the file, the build and what is wanted."""
    with pytest.raises(UsageError, match=said) as caught:
        own_builds.read([written(tmp_path, text)])
    assert own_builds.FILE in str(caught.value)


def test_a_build_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="jax"):
        own_builds.read([written(tmp_path, "[builds.x]\nbuild = 'jax'\npython = 'p'")])


def test_what_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment as of a bisection: of the pinned release, with the other requirements."""
    own = own_builds.read([written(tmp_path, MADE)])["torch24"]
    asked = []

    def provide(recipe, release, environ, say):
        asked.append((recipe.package, recipe.needs(release), release))
        return tmp_path / "python", None

    monkeypatch.setattr(release_environments, "provide", provide)
    pythons = {"3.11": Path(sys.executable)}
    monkeypatch.setattr(releases, "pythons", lambda build, environ: pythons)
    assert tmp_path / "python" == own_builds.interpreter(own, os.environ, print)
    assert [("torch", ("torch==2.4.1", "numpy", "numpy<2"), Release("2.4.1", "3.11"))] == asked
    pythons.clear()
    with pytest.raises(InterpreterMissing, match=r"torch24 needs Python 3\.11"):
        own_builds.interpreter(own, os.environ, print)
