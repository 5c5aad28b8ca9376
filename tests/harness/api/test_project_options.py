"""Defaults of a project's file in a call from Python: as the command has them, and the command that
a report gives does the same."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App

import harness
from harness import cli
from harness.api import arguments, project_options
from harness.commands.options import Options
from harness.errors import UnknownName, UsageError

TEXT = """
[compare]
precision = ["fp64"]
seed = 7
accept = ["float32-constants"]
no-speed = true
threads = 2
reports = "kept"
history = "h.sqlite"
mlflow = "runs"
"""
FROM_FILE = {
    "precision": ("fp64",),
    "seed": 7,
    "accept": ("float32-constants",),
    "no_speed": True,
    "threads": 2,
    "reports": Path("kept"),
}


def names(command: App) -> set[str]:
    """The options of a command."""
    every = (item.name for item in command.assemble_argument_collection())
    return {name for name in every if name.startswith("--")}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where one stands, with the file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "harness.toml").write_text(TEXT, encoding="utf-8")
    return tmp_path


def test_what_the_call_does_not_say_is_the_files():
    named = arguments.read("linear", {"seed": 0})
    assert Options(**{**FROM_FILE, "seed": 0, "workloads": ("linear",)}) == named.options
    taken, left = named.notes
    assert taken.startswith("from harness.toml: [compare], not from the call: precision = fp64, ")
    assert "seed" not in taken
    assert left.startswith("harness.toml: [compare]: history, mlflow left aside: the command does")


@pytest.mark.parametrize(
    ("what", "given_options"),
    [
        (None, {}),
        ("linear", {"seed": 0}),  # as it is built in: the file has another
        ("linear", {"seed": 3, "precision": ["fp64", "fp32"], "until": "trajectory"}),
        (None, {"speed": True, "accept": [], "keep": False}),
        (None, {"speed": False, "accept": [], "steps": 3, "out": "reports"}),
        ("pairs/mine.py", {"speed": True}),
    ],
)
def test_the_command_does_the_same_beside_the_file(
    folder: Path, what: Any, given_options: dict[str, Any]
):
    """By the command line's own parser, which reads the file, too. Beside a pair file, its own."""
    (folder / "pairs").mkdir()
    (folder / "pairs/harness.toml").write_text('[compare]\npath = ["src"]\nno-speed = true\n')
    named = arguments.read(what, given_options)
    words = shlex.split(named.command)[1:]
    _, bound, _ = cli.app.parse_args(words, exit_on_error=False, print_error=False)
    options = bound.arguments.get("chosen", Options())
    assert named.options == dataclasses.replace(options, history=None)
    assert named.pair == bound.arguments.get("pair")
    if what == "pairs/mine.py":
        assert ((Path("pairs/src"),), 0) == (named.options.path, named.options.seed)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("[compare]\nbudgte = 1\n", UnknownName, "Did you mean 'budget'"),
        ("[compare]\nyes = true\n", UsageError, "for the command line"),
        ("[compare]\nseed = 1.5\n", UsageError, "--seed 1.5: give a whole number"),
        ("[compare]\nsteps = 'x'\n", UsageError, "unable to convert"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(
    folder: Path, text: str, error: type[Exception], said: str
):
    (folder / "harness.toml").write_text(text, encoding="utf-8")
    with pytest.raises(error, match=said):
        arguments.read(None, {})


def test_every_option_of_the_file_is_known_that_the_command_knows():
    """But for consent and the file of feedback, which no file gives."""
    own, command = map(names, (project_options.application(), cli.app["compare"]))
    assert command - {"--yes", "--feedback"} == own


def test_the_report_says_what_came_from_the_file():
    """And the call, too, to whoever is told of its progress."""
    lines: list[str] = []
    report = harness.compare(
        "linear", backends=["numpy", "numpy"], until="weights", accept=[], progress=lines.append
    )
    assert report.folder is not None and report.folder.parent == Path("kept").absolute()
    assert {"fp64"} == {row.precision for row in report.stages}
    (note,) = (text for text in report.notes if "not from the call" in text)
    assert 1 == lines.count(note) and "no-speed = true" in note and "accept" not in note
