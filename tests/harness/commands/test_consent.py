"""What a command would install is told before it does, all of it at once; nothing where all is
there."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence

import pytest

from harness.commands import interpreters, options, resolution
from harness.context import Context
from harness.environments import devices, provision
from harness.errors import BuildError, InterpreterMissing, UsageError

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def told(
    *backends: str, agrees: bool = False, device: str = "cpu"
) -> tuple[list[Sequence[str]], str]:
    """Look for the builds of a comparison; return the lines of each question, and the error."""
    asked: list[Sequence[str]] = []

    def agree(lines: Sequence[str]) -> None:
        asked.append(lines)
        if not agrees:
            raise UsageError("no")

    context = Context(dict(os.environ), NOW, "harness compare", print, agree)
    chosen = options.Options(backends=backends, workloads=("linear",), device=device)
    try:
        interpreters.locate(resolution.resolve(chosen), context)
    except BuildError as error:
        return asked, str(error)
    except UsageError as error:
        return asked, str(error)
    return asked, ""


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine without environments; returns the builds that are installed."""
    installed: list[str] = []

    def install(search: provision.Search, progress: object) -> None:
        installed.append(search.build.name)
        raise BuildError("no index")

    monkeypatch.setattr(provision, "available", lambda search: None)
    monkeypatch.setattr(provision, "require_python", lambda search: None)
    monkeypatch.setattr(provision, "install", install)
    return installed


def test_all_is_told_at_once(bare: list[str]):
    """One question for both, with sizes; after a no nothing is installed."""
    ((first, second),), error = told("tf2", "torch")
    assert first.startswith("tf2 (tf2-cpu): 1.6 GB, about 42 s")
    assert second.startswith("torch (torch-cpu): ")
    assert ("no", []) == (error, bare)


def test_after_a_yes_it_is_installed(bare: list[str]):
    """As if nobody had asked."""
    assert "no index" in told("torch", "torch", agrees=True)[1]
    assert ["torch"] == bare


def test_an_environment_that_serves_two_builds_is_told_once(bare: list[str]):
    """`tf1-compat` runs in the environment of `tf2`."""
    ((line,),) = told("tf1-compat", "tf2")[0]
    assert line.startswith("tf1-compat and tf2 (tf2-cpu): ")


def test_where_all_is_there_nothing_is_asked():
    """`numpy` runs in the harness's own interpreter."""
    assert ([], "") == told("numpy", "numpy")


def test_what_no_environment_is_made_for_is_not_asked_for(bare: list[str]):
    """`numpy` has none: whoever looks for it says that it is missing."""
    assert [] == told("numpy", "numpy")[0]


def test_what_cannot_be_installed_is_not_asked_for(
    bare: list[str], monkeypatch: pytest.MonkeyPatch
):
    """A Python or a device that is missing is an error of its own, in the words that it has."""

    def none(search: provision.Search) -> None:
        raise InterpreterMissing("no Python")

    monkeypatch.setattr(devices, "missing", lambda device, environ: "there is no card")
    assert [] == told("torch", "torch", device="gpu")[0]
    monkeypatch.setattr(devices, "missing", lambda device, environ: None)
    monkeypatch.setattr(provision, "require_python", none)
    assert [] == told("torch", "torch")[0]
