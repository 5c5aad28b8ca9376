"""Defaults of options from the file of a project: the command line wins, and the report says
where a setting is from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cli.application import app
from harness.commands.options import Options
from harness.commands.project_defaults import PROJECT
from harness.environments import project_file
from harness.errors import UnknownName, UsageError

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where one stands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bound(text: str, *words: str, at: Path = Path()) -> dict[str, Any]:
    """Return the arguments of a command with this file."""
    (at / project_file.FILE).write_text(text, encoding="utf-8")
    _, arguments, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    return dict(arguments.arguments)


def compared(text: str, *words: str, at: Path = Path()) -> Options:
    """Return the options of a comparison with this file."""
    chosen = bound(text, "compare", *words, at=at).get("chosen", Options())
    assert isinstance(chosen, Options)
    return chosen


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("budget = 600", "budget", 600.0),
        ('precision = ["fp64"]', "precision", ("fp64",)),
        ('workloads = "linear"', "workloads", ("linear",)),
        ("no-speed = true", "no_speed", True),
        ("no_speed = true", "no_speed", True),
        ("keep = false", "keep", False),
        ('history = "h.sqlite"', "history", Path("h.sqlite")),
        ('export = ["pytest-benchmark", "a.json"]', "export", ("pytest-benchmark", Path("a.json"))),
        ("steps = 7", "steps", 7),
    ],
)
def test_a_default_of_each_kind(line: str, name: str, value: object):
    """Written as TOML has it; the note says it as it is typed."""
    assert value == getattr(compared(f"[compare]\n{line}\n"), name)
    (note,) = PROJECT.notes
    assert note.startswith("from harness.toml: [compare], not from the command line: ")
    assert f"{line.split(maxsplit=1)[0].replace('_', '-')} = " in note


def test_the_command_line_wins():
    """And what it says is not told to be the file's."""
    chosen = compared("[compare]\nbudget = 600\nsteps = 7\n", "--budget", "5")
    assert (5.0, 7) == (chosen.budget, chosen.steps)
    assert "budget" not in PROJECT.notes[0] and "steps = 7" in PROJECT.notes[0]


def test_another_commands_table_is_its_own():
    """And without a table, nothing is taken and nothing said."""
    text = "[repeat]\nruns = 5\n"
    assert Options() == compared(text)
    assert () == PROJECT.notes
    assert 5 == bound(text, "repeat")["repeated"].runs


def test_a_wrong_name_gets_the_one_that_was_meant():
    """With the file and the table."""
    with pytest.raises(UnknownName, match=r"harness.toml: \[compare\]:.*Did you mean 'budget'"):
        compared("[compare]\nbudgte = 600\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("yes = true", "for the command line"),
        ("feedback = 'f.json'", "for the command line"),
        ("python = {torch = 'x'}", "give a text"),
        ("stages = [['W']]", "give a text"),
    ],
)
def test_what_cannot_be_set_is_refused(line: str, said: str):
    """Whether something is installed is for whoever types."""
    with pytest.raises(UsageError, match=said):
        compared(f"[compare]\n{line}\n")


def test_beside_a_pair_file_its_own_counts(folder: Path):
    """Paths in it are seen from the file; what the pair file says itself is left aside, and said
    so."""
    pairs = folder / "pairs"
    pairs.mkdir()
    (folder / project_file.FILE).write_text("[compare]\nbudget = 1\n", encoding="utf-8")
    text = (
        '[compare]\nbudget = 600\nbackends = ["tf2"]\nhistory = "h.sqlite"\npath = ["src"]\n'
        'python = ["torch=env/bin/python"]\nexport = ["pytest-benchmark", "a.json"]\n'
    )
    chosen = compared(text, "pairs/mine.py", at=pairs)
    assert 600.0 == chosen.budget
    # the very default: a pair refuses any other
    assert Options.backends is chosen.backends
    assert (Path("pairs/h.sqlite"), (Path("pairs/src"),)) == (chosen.history, chosen.path)
    assert ("torch=pairs/env/bin/python",) == chosen.python
    assert ("pytest-benchmark", Path("pairs/a.json")) == chosen.export
    assert "pairs/harness.toml: [compare]: backends left aside" in PROJECT.notes[1]


@pytest.mark.parametrize("at", [".", "pairs"])
def test_a_home_is_no_folder_of_that_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Wherever the file is; other paths stay as they are written beside where one stands."""
    monkeypatch.setenv("HOME", "/home/somebody")
    (folder / "pairs").mkdir()
    text = (
        '[compare]\nreports = "~/runs"\nhistory = "h.sqlite"\npython = ["torch=~/env/python"]\n'
        'export = ["pytest-benchmark", "~/a.json"]\n'
    )
    chosen = compared(text, f"{at}/mine.py", at=folder / at)
    assert (Path("/home/somebody/runs"), Path(at, "h.sqlite")) == (chosen.reports, chosen.history)
    assert ("torch=/home/somebody/env/python",) == chosen.python
    assert ("pytest-benchmark", Path("/home/somebody/a.json")) == chosen.export
    with pytest.raises(UsageError, match=r"~nobody-of-that-name/x: .* without ~\."):
        compared('[compare]\nreports = "~nobody-of-that-name/x"\n')


def test_without_a_pair_what_is_for_pairs_is_left_aside():
    """One file serves both."""
    assert () == compared('[compare]\npath = ["src"]\n').path
    assert "path left aside" in PROJECT.notes[0]


def test_the_report_says_what_came_from_the_file(folder: Path):
    """A note of the report and a line of progress, once; the run is what the file asks for."""
    text = (
        '[compare]\nbackends = ["numpy", "numpy"]\nworkloads = ["linear"]\nprecision = ["fp64"]\n'
    )
    (folder / project_file.FILE).write_text(text, encoding="utf-8")
    argv = [sys.executable, "-m", "harness", "compare", "--no-speed", "--steps", "2"]
    argv += ["--json", "result.json"]
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "COLUMNS": "1000"}
    done = subprocess.run(
        argv,
        cwd=folder,
        env={**environ, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    note = (
        "from harness.toml: [compare], not from the command line: backends = numpy numpy,"
        " workloads = linear, precision = fp64"
    )
    assert note in report["notes"] and note in done.stdout
    assert 1 == done.stderr.count("not from the command line")
